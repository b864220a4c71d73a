"""Files and databases of consume on a real broker: kills, a second instance, a full disk, a locked database."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, EXACTLY_ONCE, GUARANTEES, Guarantee
from tests.support.destinations import DESTINATIONS, Destination, in_file, in_table
from tests.support.kafka import Kafka
from tests.support.machine import needs_dev_full
from tests.support.processes import KDG, QUICK_GROUP, Done, Run, lines
from tests.support.waiting import eventually

KILLS = 20
PARTITIONS = 3
each_guarantee = pytest.mark.parametrize("guarantee", GUARANTEES, ids=[each.name for each in GUARANTEES])


@pytest.fixture(params=DESTINATIONS)
def destination(request: pytest.FixtureRequest, tmp_path: Path) -> Destination:
    return DESTINATIONS[request.param](tmp_path)


def by_partition(values: Iterable[bytes], partitions: int = PARTITIONS) -> list[list[bytes]]:
    """The values by partition, in their order. `filled` puts record N into partition N modulo `partitions`."""
    found: list[list[bytes]] = [[] for _ in range(partitions)]
    for value in values:
        found[int(value.split()[1]) % partitions].append(value)
    return found


# ── exactly-once ──


@pytest.mark.timeout(180)
def test_each_sink_under_twenty_kills(kafka: Kafka, tmp_path: Path, moments: random.Random) -> None:
    """After twenty kills, and second instances in between, each sink has exactly the records of the topic, in order."""
    topic = kafka.filled(lines(60_000), PARTITIONS)
    # In the order of the topic: a plain producer that retries may have changed the order of `lines`.
    sent = list(filter(None, kafka.values(topic)))
    args = ["consume", topic, "-g", "eos", "--batch-records", "10"]
    destinations = [make(tmp_path) for make in DESTINATIONS.values()]
    with ThreadPoolExecutor(len(destinations)) as pool:
        for _ in pool.map(
            lambda destination: _kill_it_often(kafka, destination, [*args, *destination.args], moments), destinations
        ):
            pass
    for destination in destinations:
        assert len(destination.found()) < len(sent), "the kills have to hit while records flow"
        kafka.ok("consume", topic, "-g", "eos", *destination.args, "-e")
        found = destination.found()
        assert Counter(found) == Counter(sent)
        assert by_partition(found) == by_partition(sent)


def _kill_it_often(kafka: Kafka, destination: Destination, args: list[str], moments: random.Random) -> None:
    for kill in range(KILLS):
        before = destination.settled()
        with kafka.start(*args) as run:
            assert destination.moves_on(before, run)
            if kill % 7 == 0:
                _second_instance(kafka, args, run)
            time.sleep(moments.uniform(0, 0.05))  # the random moment: nothing is waited for
            run.kill()


def _second_instance(kafka: Kafka, args: list[str], run: Run) -> None:
    """Start a second run on the same sink: at most one of the two continues; the other exits with 6 and says why."""
    with kafka.start(*args) as second:
        eventually(lambda: not (run.running and second.running), 1.0)
        for one in (run, second):
            if not one.running:
                assert one.end().code == 6
                assert "another process" in one.err


def test_second_instance_on_a_file_is_exit_6(kafka: Kafka, tmp_path: Path) -> None:
    topic, destination = kafka.filled(lines(5)), in_file(tmp_path)
    args = ["consume", topic, *destination.args]
    for guarantee in GUARANTEES:
        with kafka.start(*args, "-g", guarantee.name) as run:
            assert eventually(lambda: len(destination.found()) == 5)
            done = kafka.kdg(*args, "-g", guarantee.name)
            assert (done.code, "another process" in done.err) == (6, True)
            assert run.running
        for path in tmp_path.iterdir():
            path.unlink()


def test_second_run_goes_on_after_the_first(kafka: Kafka, destination: Destination, group: str) -> None:
    """A second run continues after the first, and the group shows the progress."""
    topic = kafka.filled(lines(30), PARTITIONS)
    args = ["consume", topic, "-g", "eos", "-G", group, *destination.args]
    kafka.ok(*args, "-c", "10", "-p", "0")
    assert kafka.committed(group, topic) == {0: 10}
    done = kafka.ok(*args, "-e", "-o", "end", "--report", "-")
    assert "has positions" in done.err
    assert kafka.committed(group, topic) == {0: 10, 1: 10, 2: 10}
    report = json.loads(done.err.splitlines()[-1])
    assert report["positions"] == {topic: {"1": 10, "2": 10}}
    assert (report["read"], report["written"], report["transactions"]["aborted"]) == (20, 20, 0)
    assert by_partition(destination.found()) == [lines(30)[p::PARTITIONS] for p in range(PARTITIONS)]


def test_group_with_members_does_not_show_progress(kafka: Kafka, destination: Destination, group: str) -> None:
    topic = kafka.filled(lines(5))
    with kafka.start("consume", topic, "-G", group) as member:
        assert eventually(lambda: kafka.committed(group, topic) == {0: 5})
        done = kafka.ok("consume", topic, "-g", "eos", "-G", group, "-e", *destination.args)
        assert "does not show the progress" in done.err
        assert member.running
    assert destination.found() == lines(5)


def test_sink_start_at_end_survives_a_crash(kafka: Kafka, destination: Destination) -> None:
    """`-o end` is stored before the first commit: a crash in between does not move the start."""
    topic = kafka.filled(lines(3))
    args = ["consume", topic, "-g", "eos", "-o", "end", *destination.args]
    with kafka.start(*args) as run:
        assert eventually(lambda: "positions" in _kept(destination))
        run.kill()
    kafka.produce(topic, [b"in between"])
    kafka.ok(*args, "-e")
    assert destination.found() == [b"in between"]


def _kept(destination: Destination) -> str:
    """A text with `positions` in it once the sink has stored the start."""
    kind, path = destination.args
    if kind == "--output":
        journal = Path(f"{path}.kdg")
        text = journal.read_text() if journal.exists() else ""
        return text if '"0": 3' in text else ""
    with closing(sqlite3.connect(path)) as connection:
        try:
            return "positions" if connection.execute("SELECT 1 FROM kdg_positions WHERE next = 3").fetchone() else ""
        except sqlite3.OperationalError:
            return ""


def test_topic_created_again_is_exit_7(kafka: Kafka, destination: Destination) -> None:
    topic = kafka.filled(lines(3))
    kafka.ok("consume", topic, "-g", "eos", "-e", *destination.args)
    kafka.admin.delete_topics([topic])[topic].result(30)
    assert eventually(lambda: not kafka.exists(topic))
    kafka.topic(name=topic)
    kafka.produce(topic, lines(10, 100))
    done = kafka.kdg("consume", topic, "-g", "eos", "-e", *destination.args)
    assert done.code == 7
    assert "created again" in done.err
    assert destination.found() == lines(3)


# ── a full disk, a locked database ──


def limited(kafka: Kafka, blocks: int, *args: str) -> Done:
    """Run kdg where no file may be longer than `blocks` of 512 bytes (dash) or 1024 bytes (bash), as on a full disk."""
    shell = ("/bin/sh", "-c", f'ulimit -f {blocks}; exec "$0" "$@"', KDG)
    return kafka.kdg(*args, argv=shell)


@pytest.mark.parametrize("guarantee", [AT_LEAST_ONCE, EXACTLY_ONCE], ids=lambda each: each.name)
def test_full_disk_is_exit_1_and_can_be_continued(
    kafka: Kafka, destination: Destination, group: str, guarantee: Guarantee
) -> None:
    sent = lines(40_000)
    topic = kafka.filled(sent)
    args = [
        "consume",
        topic,
        "-g",
        guarantee.name,
        "-G",
        group,
        "-e",
        "--batch-records",
        "1000",
        *destination.args,
        *QUICK_GROUP,
    ]
    done = limited(kafka, 600, *args)
    assert done.code == 1
    assert f"{destination.args[0]} {destination.args[1]} cannot be" in done.err
    assert "not committed" in done.err or "nothing of the batch is committed" in done.err
    assert 0 < len(destination.found()) < len(sent)
    kafka.ok(*args)
    found = destination.found()
    assert found == sent or (guarantee.may_duplicate and sorted(set(found)) == sent and len(found) <= len(sent) + 1000)


@needs_dev_full
@each_guarantee
def test_dev_full_commits_nothing(kafka: Kafka, group: str, guarantee: Guarantee) -> None:
    """/dev/full is exit 1 and nothing is committed, except under at-most-once, which commits first."""
    topic = kafka.filled(lines(5))
    done = kafka.kdg("consume", topic, "-g", guarantee.name, "-G", group, "-e", "--output", "/dev/full")
    assert done.code == (2 if guarantee.transactional else 1)
    assert "/dev/full" in done.err
    assert kafka.committed(group, topic).get(0, 0) == (5 if guarantee.commits_first else 0)


def test_locked_database_ends_the_run(kafka: Kafka, group: str, tmp_path: Path) -> None:
    """A locked database ends the run with exit 1; the next run duplicates nothing."""
    destination, topic = in_table(tmp_path), kafka.filled(lines(5))
    args = ["consume", topic, "-g", "eos", "-G", group, *destination.args]
    kafka.ok(*args, "-c", "3")
    with closing(sqlite3.connect(tmp_path / "db", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        done = kafka.kdg(*args, "-e", timeout=30)
        holder.execute("ROLLBACK")
    assert done.code == 1
    assert "locked by another process" in done.err
    kafka.ok(*args, "-e")
    assert destination.found() == lines(5)


# ── the other guarantees ──


@pytest.mark.parametrize("guarantee", [AT_MOST_ONCE, AT_LEAST_ONCE], ids=lambda each: each.name)
def test_other_guarantees_write_to_every_sink(
    kafka: Kafka, destination: Destination, group: str, guarantee: Guarantee
) -> None:
    """At-most-once and at-least-once write to every sink and continue at the position of the group."""
    topic = kafka.filled(lines(20))
    args = ["consume", topic, "-g", guarantee.name, "-G", group, *destination.args]
    assert f"to {destination.args[1]}" in kafka.ok(*args, "-c", "7").err
    kafka.ok(*args, "-e")
    assert destination.found() == lines(20)
    assert kafka.committed(group, topic) == {0: 20}


def test_at_most_once_loses_at_most_one_batch(kafka: Kafka, destination: Destination, group: str) -> None:
    topic = kafka.filled(lines(12))
    args = ["consume", topic, "-g", "amo", "-G", group, "-e", "--batch-records", "3", *destination.args]
    assert kafka.kdg(*args, "--crash-at", "commit:3").code == -9
    assert destination.found() == lines(6)


def test_record_torn_by_a_kill_is_written_again(kafka: Kafka, group: str, tmp_path: Path) -> None:
    """A record that a kill tore is cut off and written again as a whole."""
    topic = kafka.filled(lines(6))
    args = [
        "consume",
        topic,
        "-G",
        group,
        "-e",
        "--batch-records",
        "3",
        "--output",
        str(tmp_path / "out"),
        *QUICK_GROUP,
    ]
    assert kafka.kdg(*args, "--crash-at", "write:2").code == -9
    torn = (tmp_path / "out").read_bytes()[:-4]
    (tmp_path / "out").write_bytes(torn)
    done = kafka.ok(*args)
    assert "ended within a record" in done.err
    found = (tmp_path / "out").read_bytes().split(b"\n")[:-1]
    assert sorted(set(found)) == lines(6)
