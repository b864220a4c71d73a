"""Sinks on a real broker: kills, a second instance, a full disk, a locked database, commands that fail, records sent twice.

KDG_SINK_RECORDS=1000000 is the long form of the test of deduplication.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, EXACTLY_ONCE, GUARANTEES, Guarantee
from tests.support.kafka import Kafka
from tests.support.processes import KDG, QUICK_GROUP, Done, Run, lines, text
from tests.support.waiting import eventually

KILLS = 20
PARTITIONS = 3
RECORDS = int(os.environ.get("KDG_SINK_RECORDS", "30000"))
each_guarantee = pytest.mark.parametrize("row", GUARANTEES, ids=[row.name for row in GUARANTEES])


@dataclass(frozen=True, slots=True)
class Place:
    """Where consume writes: the options, what is found there in order, and how much a reader may trust while it is written."""

    args: tuple[str, ...]
    found: Callable[[], list[bytes]]
    settled: Callable[[], int]


def _file(folder: Path) -> Place:
    out, journal = folder / "out", folder / "out.kdg"

    def settled() -> int:
        return int(json.loads(journal.read_text())["length"]) if journal.exists() else 0

    return Place(("--output", str(out)), lambda: out.read_bytes().split(b"\n")[:-1] if out.exists() else [], settled)


def _table(folder: Path) -> Place:
    def ask(query: str) -> list[tuple[bytes]]:
        with closing(sqlite3.connect(folder / "db", timeout=10)) as connection:
            try:
                return connection.execute(query).fetchall()
            except sqlite3.OperationalError:  # no table yet
                return []

    def found() -> list[bytes]:
        return [row[0] for row in ask("SELECT value FROM records ORDER BY rowid")]

    def settled() -> int:
        return next((int(row[0]) for row in ask("SELECT count(*) FROM records")), 0)

    return Place(("--sqlite", str(folder / "db")), found, settled)


PLACES = {"--output": _file, "--sqlite": _table}


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return PLACES[request.param](tmp_path)


@pytest.fixture
def moments() -> random.Random:
    """Random moments; the seed is printed when the test fails."""
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    return random.Random(seed)  # noqa: S311  # moments of a test


def by_partition(values: Iterable[bytes], partitions: int = PARTITIONS) -> list[list[bytes]]:
    """What came of each partition, in the order in which it came; `filled` puts record N into partition N modulo them."""
    found: list[list[bytes]] = [[] for _ in range(partitions)]
    for value in values:
        found[int(value.split()[1]) % partitions].append(value)
    return found


# ── exactly-once ──


@pytest.mark.timeout(180)
def test_each_sink_under_twenty_kills(kafka: Kafka, tmp_path: Path, moments: random.Random) -> None:
    """Under twenty kills and second instances each sink holds exactly the topics records in order."""
    topic = kafka.filled(lines(60_000), PARTITIONS)
    # As they lie in the topic: a plain producer that has to try again may have changed the order.
    sent = list(filter(None, kafka.values(topic)))
    args = ["consume", topic, "-g", "eos", "--batch-records", "10"]
    places = [make(tmp_path) for make in PLACES.values()]
    with ThreadPoolExecutor(len(places)) as pool:
        for _ in pool.map(lambda place: _kill_it_often(kafka, place, [*args, *place.args], moments), places):
            pass
    for place in places:
        assert len(place.found()) < len(sent), "the kills have to hit while records flow"
        kafka.ok("consume", topic, "-g", "eos", *place.args, "-e")
        found = place.found()
        assert Counter(found) == Counter(sent)
        assert by_partition(found) == by_partition(sent)


def _kill_it_often(kafka: Kafka, place: Place, args: list[str], moments: random.Random) -> None:
    for kill in range(KILLS):
        before = place.settled()
        with kafka.start(*args) as run:
            assert eventually(lambda before=before, run=run: place.settled() > before or not run.running)  # type: ignore[misc]
            if kill % 7 == 0:
                _second_instance(kafka, args, run)
            time.sleep(moments.uniform(0, 0.05))  # the random moment: nothing is waited for
            run.kill()


def _second_instance(kafka: Kafka, args: list[str], run: Run) -> None:
    """Start one on the same sink: at most one of the two goes on, and the other says why."""
    with kafka.start(*args) as second:
        eventually(lambda: not (run.running and second.running), 1.0)
        for one in (run, second):
            if not one.running:
                assert one.end().code == 6
                assert "another process" in one.err


def test_a_second_instance_on_a_file_is_turned_away_at_once(kafka: Kafka, tmp_path: Path) -> None:
    topic, place = kafka.filled(lines(5)), _file(tmp_path)
    args = ["consume", topic, *place.args]
    for row in GUARANTEES:
        with kafka.start(*args, "-g", row.name) as run:
            assert eventually(lambda: len(place.found()) == 5)
            done = kafka.kdg(*args, "-g", row.name)
            assert (done.code, "another process" in done.err) == (6, True)
            assert run.running
        for path in tmp_path.iterdir():
            path.unlink()


def test_second_run_goes_on_after_the_first(kafka: Kafka, place: Place, group: str) -> None:
    """A second run goes on after the first and a group shows the progress."""
    topic = kafka.filled(lines(30), PARTITIONS)
    args = ["consume", topic, "-g", "eos", "-G", group, *place.args]
    kafka.ok(*args, "-c", "10", "-p", "0")
    assert kafka.committed(group, topic) == {0: 10}
    done = kafka.ok(*args, "-e", "-o", "end", "--report", "-")
    assert "has positions" in done.err
    assert kafka.committed(group, topic) == {0: 10, 1: 10, 2: 10}
    report = json.loads(done.err.splitlines()[-1])
    assert report["positions"] == {topic: {"1": 10, "2": 10}}
    assert (report["read"], report["written"], report["transactions"]["aborted"]) == (20, 20, 0)
    assert by_partition(place.found()) == [lines(30)[p::PARTITIONS] for p in range(PARTITIONS)]


def test_a_group_with_members_shows_nothing_and_the_sink_has_all(kafka: Kafka, place: Place, group: str) -> None:
    topic = kafka.filled(lines(5))
    with kafka.start("consume", topic, "-G", group) as member:
        assert eventually(lambda: kafka.committed(group, topic) == {0: 5})
        done = kafka.ok("consume", topic, "-g", "eos", "-G", group, "-e", *place.args)
        assert "does not show the progress" in done.err
        assert member.running
    assert place.found() == lines(5)


def test_sink_start_at_end_survives_a_crash(kafka: Kafka, place: Place) -> None:
    """A start at the end outlives a crash before the first commit."""
    topic = kafka.filled(lines(3))
    args = ["consume", topic, "-g", "eos", "-o", "end", *place.args]
    with kafka.start(*args) as run:
        assert eventually(lambda: "positions" in _kept(place))
        run.kill()
    kafka.produce(topic, [b"in between"])
    kafka.ok(*args, "-e")
    assert place.found() == [b"in between"]


def _kept(place: Place) -> str:
    """What tells that the sink has kept a start."""
    kind, path = place.args
    if kind == "--output":
        journal = Path(f"{path}.kdg")
        text = journal.read_text() if journal.exists() else ""
        return text if '"0": 3' in text else ""
    with closing(sqlite3.connect(path)) as connection:
        try:
            return "positions" if connection.execute("SELECT 1 FROM kdg_positions WHERE next = 3").fetchone() else ""
        except sqlite3.OperationalError:
            return ""


def test_a_topic_made_again_is_exit_7_and_nothing_of_it_gets_in(kafka: Kafka, place: Place) -> None:
    topic = kafka.filled(lines(3))
    kafka.ok("consume", topic, "-g", "eos", "-e", *place.args)
    kafka.admin.delete_topics([topic])[topic].result(30)
    assert eventually(lambda: not kafka.exists(topic))
    kafka.topic(name=topic)
    kafka.produce(topic, lines(10, 100))
    done = kafka.kdg("consume", topic, "-g", "eos", "-e", *place.args)
    assert done.code == 7
    assert "made again" in done.err
    assert place.found() == lines(3)


# ── a full disk, a locked database ──


def limited(kafka: Kafka, blocks: int, *args: str) -> Done:
    """kdg where no file may grow beyond so many blocks of 512 bytes (dash) or 1024 (bash): a disk that is full."""
    shell = ("/bin/sh", "-c", f'ulimit -f {blocks}; exec "$0" "$@"', KDG)
    return kafka.kdg(*args, argv=shell)


@pytest.mark.parametrize("row", [AT_LEAST_ONCE, EXACTLY_ONCE], ids=lambda row: row.name)
def test_a_full_disk_ends_the_run_and_going_on_doubles_nothing(
    kafka: Kafka, place: Place, group: str, row: Guarantee
) -> None:
    sent = lines(40_000)
    topic = kafka.filled(sent)
    args = ["consume", topic, "-g", row.name, "-G", group, "-e", "--batch-records", "1000", *place.args, *QUICK_GROUP]
    done = limited(kafka, 600, *args)
    assert done.code == 1
    assert f"{place.args[0]} {place.args[1]} cannot be" in done.err
    assert "not committed" in done.err or "nothing of the batch is committed" in done.err
    assert 0 < len(place.found()) < len(sent)
    kafka.ok(*args)
    found = place.found()
    assert found == sent or (row.may_duplicate and sorted(set(found)) == sent and len(found) <= len(sent) + 1000)


@each_guarantee
def test_dev_full_commits_nothing(kafka: Kafka, group: str, row: Guarantee) -> None:
    """/dev/full is exit 1 and commits nothing unless the position comes first."""
    topic = kafka.filled(lines(5))
    done = kafka.kdg("consume", topic, "-g", row.name, "-G", group, "-e", "--output", "/dev/full")
    assert done.code == (2 if row.transactional else 1)
    assert "/dev/full" in done.err
    assert kafka.committed(group, topic).get(0, 0) == (5 if row.commits_first else 0)


def test_locked_database_ends_the_run(kafka: Kafka, group: str, tmp_path: Path) -> None:
    """A locked database ends the run and going on duplicates nothing."""
    place, topic = _table(tmp_path), kafka.filled(lines(5))
    args = ["consume", topic, "-g", "eos", "-G", group, *place.args]
    kafka.ok(*args, "-c", "3")
    with closing(sqlite3.connect(tmp_path / "db", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        done = kafka.kdg(*args, "-e", timeout=30)
        holder.execute("ROLLBACK")
    assert done.code == 1
    assert "locked by another process" in done.err
    kafka.ok(*args, "-e")
    assert place.found() == lines(5)


# ── the other guarantees ──


@pytest.mark.parametrize("row", [AT_MOST_ONCE, AT_LEAST_ONCE], ids=lambda row: row.name)
def test_other_guarantees_write_to_every_sink(kafka: Kafka, place: Place, group: str, row: Guarantee) -> None:
    """The other guarantees write to every sink and go on in the group."""
    topic = kafka.filled(lines(20))
    args = ["consume", topic, "-g", row.name, "-G", group, *place.args]
    assert f"to {place.args[1]}" in kafka.ok(*args, "-c", "7").err
    kafka.ok(*args, "-e")
    assert place.found() == lines(20)
    assert kafka.committed(group, topic) == {0: 20}


def test_at_most_once_no_more_than_a_batch_is_held_back(kafka: Kafka, place: Place, group: str) -> None:
    topic = kafka.filled(lines(12))
    args = ["consume", topic, "-g", "amo", "-G", group, "-e", "--batch-records", "3", *place.args]
    assert kafka.kdg(*args, "--crash-at", "commit:3").code == -9
    assert place.found() == lines(6)


def test_record_torn_by_a_kill_is_written_again(kafka: Kafka, group: str, tmp_path: Path) -> None:
    """At least once a record torn by a kill is written whole again."""
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


# ── commands ──

FAILS_ONE_TIME_IN_THREE = """
n=$(cat "$0.n" 2>/dev/null || echo 0); n=$((n + 1)); echo $n >"$0.n"
cat >"$0.batch"
[ $((n % 3)) -eq 1 ] && exit 9
"""


def test_a_command_that_fails_one_time_in_three_loses_nothing(kafka: Kafka, group: str, tmp_path: Path) -> None:
    sent = lines(200)
    topic = kafka.filled(sent)
    script = FAILS_ONE_TIME_IN_THREE + 'cat "$0.batch" >>"$0"; true'
    args = ["consume", topic, "-G", group, "-e", "--batch-records", "50", *QUICK_GROUP]
    cmd = ["--", "sh", "-c", script, str(tmp_path / "out")]
    done = kafka.kdg(*args, *cmd)
    assert done.code == 1
    assert f"sh ended with exit status 9 for {topic}[0] offsets 0 to 49: nothing of this batch is committed" in done.err
    kafka.ok(*args, "--retry", "2", *cmd)
    assert (tmp_path / "out").read_bytes() == text(sent)


def test_exactly_once_through_a_flaky_command(kafka: Kafka, group: str, tmp_path: Path) -> None:
    """Exactly once through a command that fails one time in three each record is there once."""
    sent = lines(120)
    source, target = kafka.filled(sent), kafka.topic()
    script = FAILS_ONE_TIME_IN_THREE.replace("exit 9", '{ cat "$0.batch"; exit 9; }') + 'cat "$0.batch"'
    args = ["pipe", source, target, "-G", group, "-g", "eos", "-e", "--batch-records", "40", *QUICK_GROUP]
    failed = 0
    while (done := kafka.kdg(*args, "--", "sh", "-c", script, str(tmp_path / "out"))).code:
        assert done.code == 1
        assert "nothing of this batch is settled" in done.err
        failed += 1
    assert failed > 0
    assert kafka.settled_values(target) == sent


@each_guarantee
def test_pipe_through_grep_keeps_whole_records(kafka: Kafka, group: str, row: Guarantee) -> None:
    """A pipe through grep does what it looks like and keeps whole records."""
    source, target = kafka.topic(), kafka.topic()
    headers = [("h", b"1"), ("h", b"\xff")]
    for value in (b"foo 1", b"bar", b"foo \xff 2"):
        kafka.produce(source, [value], key=b"k", headers=headers, timestamp=1_700_000_000_000)
    args = ["pipe", source, target, "-g", row.name, "-G", group, "-e"]
    kafka.ok(*args, "--", "grep", '"value":"foo\\|"value":{')
    kept = [record[2:] for record in kafka.records(source) if record.value != b"bar"]
    assert [record[2:] for record in kafka.settled_records(target)] == kept
    kafka.produce(source, [b"none of them"])
    done = kafka.kdg(*args, "--", "grep", "foo")
    assert done.code == 1
    assert "grep ended with exit status 1" in done.err
    assert "--ok-exit 0,1" in done.err
    assert kafka.committed(group, source) == {0: 3}
    kafka.ok(*args, "--ok-exit", "0,1", "--", "grep", "foo")
    assert kafka.committed(group, source) == {0: 4}
    assert [record[2:] for record in kafka.settled_records(target)] == kept


def test_lines_gives_bare_values(kafka: Kafka, group: str) -> None:
    """Lines hands over bare values and refuses one that would become two."""
    source, target = kafka.topic(), kafka.topic()
    kafka.produce(source, [b"a", b"b"], key=b"k")
    args = ["pipe", source, target, "-G", group, "-e", "--lines", "--", "tr", "a-z", "A-Z"]
    assert "keys, headers and timestamps are dropped" in kafka.ok(*args).err
    assert [(r.key, r.value) for r in kafka.records(target)] == [(None, b"A"), (None, b"B")]
    kafka.produce(source, [b"one\ntwo"])
    done = kafka.kdg(*args)
    assert done.code == 1
    assert f"{source}[0] offset 2: the value contains a newline" in done.err
    assert kafka.committed(group, source) == {0: 2}


def test_signal_lets_the_command_finish_its_batch(kafka: Kafka, group: str, tmp_path: Path) -> None:
    """A signal lets the command finish its batch and settles it."""
    topic = kafka.filled(lines(5))
    script = 'cat >"$0.batch"; sleep 1; cp "$0.batch" "$0"'
    with kafka.start("consume", topic, "-G", group, "--", "sh", "-c", script, str(tmp_path / "out")) as run:
        assert eventually((tmp_path / "out.batch").exists)
        run.signal(15)
        assert run.end(10).code == -15
    assert (tmp_path / "out").read_bytes() == text(lines(5))
    assert kafka.committed(group, topic) == {0: 5}


# ── deduplication ──


def sent_twice(kafka: Kafka, topic: str, count: int) -> list[bytes]:
    """Each record twice, under one id, the second a little later and in another partition."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": kafka.bootstrap, "linger.ms": 5})
    for number in range(count + 500):
        for copy, at in ((0, number), (1, number - 500)):
            if 0 <= at < count:
                headers: list[tuple[str, str | bytes | None]] = [("id", b"id-%d" % at)]
                producer.produce(topic, b"record %07d" % at, partition=(at + copy) % PARTITIONS, headers=headers)
        if number % 1000 == 0:
            producer.flush(30)
    assert producer.flush(30) == 0
    return [b"record %07d" % number for number in range(count)]


@pytest.mark.timeout(900)
def test_records_sent_twice_are_stored_once(kafka: Kafka, group: str, tmp_path: Path, moments: random.Random) -> None:
    """Records sent twice under one id are there once through three kills."""
    place, topic = _table(tmp_path), kafka.topic(PARTITIONS)
    sent = sent_twice(kafka, topic, RECORDS)
    args = ["consume", topic, "-G", group, "-e", "--dedup-by", "header:id", *QUICK_GROUP, *place.args]
    for _ in range(3):
        before = place.settled()
        with kafka.start(*args, "--batch-records", "200") as run:
            assert eventually(lambda before=before, run=run: place.settled() > before or not run.running)  # type: ignore[misc]
            time.sleep(moments.uniform(0, 0.1))  # the random moment: nothing is waited for
            run.kill()
    assert len(place.found()) < len(sent), "the kills have to hit while records flow"
    kafka.ok(*args, timeout=600)
    assert sorted(place.found()) == sent


def test_dedup_store_drops_across_runs(kafka: Kafka, group: str, tmp_path: Path) -> None:
    """A store of its own drops across runs and the summary and the report count it."""
    topic, target, store = kafka.topic(PARTITIONS), kafka.topic(), str(tmp_path / "store")
    sent = sent_twice(kafka, topic, 1000)
    args = ["pipe", topic, target, "-G", group, "--dedup-by", "header:id", "--dedup-store", store, *QUICK_GROUP]
    assert kafka.kdg(*args, "-e", "--batch-records", "300", "--crash-at", "mark:3").code == -9
    done = kafka.ok(*args, "-e", "--report", "-")
    report = json.loads(done.err.splitlines()[-1])
    assert report["read"] == report["written"] + report["duplicates_dropped"]
    assert f"dropped {report['duplicates_dropped']} duplicates" in done.err
    # Marked, and not yet committed when it was killed: read again, and dropped.
    assert sorted(filter(None, kafka.values(target))) == sent


@pytest.mark.parametrize(("step", "doubled"), [("flush:2", 3), ("mark:2", 0)])
def test_crash_between_flush_and_mark(kafka: Kafka, group: str, tmp_path: Path, step: str, doubled: int) -> None:
    """A crash between the flush and the mark duplicates and one after the mark does not."""
    topic, place = kafka.filled(lines(9)), _file(tmp_path)
    args = ["consume", topic, "-G", group, "-e", "--batch-records", "3", "--dedup-by", "position", *QUICK_GROUP]
    args += ["--dedup-store", str(tmp_path / "store"), *place.args]
    assert kafka.kdg(*args, "--crash-at", step).code == -9
    kafka.ok(*args)
    found = Counter(place.found())
    assert sorted(found) == lines(9)
    assert found.total() - len(found) == doubled


@pytest.mark.parametrize(("by", "step"), [("position", "flush:2"), ("value", "flush:2"), ("value", "write:2")])
def test_with_sqlite_no_crash_doubles_or_loses(kafka: Kafka, group: str, tmp_path: Path, by: str, step: str) -> None:
    topic, place = kafka.filled(lines(9)), _table(tmp_path)
    args = ["consume", topic, "-G", group, "-e", "--batch-records", "3", "--dedup-by", by, *QUICK_GROUP, *place.args]
    assert kafka.kdg(*args, "--crash-at", step).code == -9
    kafka.ok(*args)
    assert place.found() == lines(9)
