"""A broker that is killed and comes back, and a broker that does not answer in time, while kdg runs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from kdg.sandbox import Sandbox
from tests.support.hazards import Hazards
from tests.support.kafka import Kafka
from tests.support.processes import KDG, QUICK_GROUP, Done, Fed, Run, lines, text
from tests.support.waiting import eventually

MANY = 20_000


def test_broker_killed_and_restarted(kafka: Hazards, group: str) -> None:
    """A broker that is killed and started again: at-least-once loses no record in produce, pipe and consume."""
    source, target = kafka.topic(2), kafka.topic(2)
    sent = lines(3 * MANY)
    with ExitStack() as stack:
        pipe = stack.enter_context(kafka.running("pipe", source, target, "-G", f"{group}-p", *QUICK_GROUP))
        consume = stack.enter_context(kafka.running("consume", source, "-G", f"{group}-c", *QUICK_GROUP))
        produce = stack.enter_context(kafka.fed("produce", source))
        produce.feed(sent[:MANY])
        assert eventually(lambda: len(kafka.values(target)) > 0)
        produce.feed(sent[MANY : 2 * MANY])
        kafka.broker.kill()
        kafka.restart()
        produce.feed(sent[2 * MANY :])
        assert produce.done(60).code == 0
        _settled(kafka, source, f"{group}-p", f"{group}-c")
        consumed = _ended(pipe, consume)[1]
    assert {*kafka.values(source)} == {*kafka.values(target)} == {*consumed.lines} == {*sent}


def _settled(kafka: Kafka, source: str, *groups: str) -> None:
    for group in groups:
        assert eventually(lambda group=group: _lag(kafka, group, source) == 0), group  # type: ignore[misc]


def _ended(*runs: Run) -> list[Done]:
    for run in runs:
        run.signal(15)
    ends = [run.end(10) for run in runs]
    assert [each.code for each in ends] == [-15] * len(runs)
    return ends


@pytest.fixture(scope="module")
def three() -> Iterator[Sandbox]:
    """A cluster that outlives a broker. A single broker may lose a transaction's marker when it is killed (README)."""
    with Sandbox(3) as sandbox:
        yield sandbox


def test_three_brokers_killed_in_turn(three: Sandbox, group: str) -> None:
    """Three brokers are killed in turn: transactions lose and duplicate nothing."""
    kafka = Kafka(three.bootstrap)
    source, target, made = (kafka.topic(2) for _ in range(3))
    sent = lines(4 * MANY)
    pipe = ["pipe", source, target, "-G", group, "-g", "eos", "--batch-records", "500", *QUICK_GROUP]
    resume = ["produce", made, "-g", "eos", "--resume", group, "--batch-records", "500"]
    with kafka.start(*pipe) as piped, Fed([KDG, *resume], kafka.environment(), subprocess.PIPE, None) as resumed:
        for number, broker in enumerate(three.brokers):
            part, so_far = sent[number * MANY : (number + 1) * MANY], len(kafka.values(target))
            kafka.produce(source, part, 2)
            resumed.feed(part)
            assert eventually(lambda so_far=so_far: len(kafka.values(target)) > so_far)  # type: ignore[misc]
            broker.kill()
            broker.start()
            broker.wait_ready()
        kafka.produce(source, sent[3 * MANY :], 2)
        resumed.feed(sent[3 * MANY :])
        assert resumed.done(60).code == 0
        _settled(kafka, source, group)
        _ended(piped)
    assert sorted(filter(None, kafka.settled_values(target))) == sorted(filter(None, kafka.values(source)))
    assert sorted(filter(None, kafka.settled_values(made))) == sent


def _lag(kafka: Kafka, group: str, topic: str) -> int:
    return sum(kafka.ends(topic).values()) - sum(kafka.committed(group, topic).values())


def test_unacknowledged_records_are_kept(kafka: Hazards, group: str, tmp_path: Path) -> None:
    """Records that are not acknowledged in time are counted, named and kept, and can be sent again (hazard 7)."""
    topic, kept = kafka.topic(), tmp_path / "kept"
    args = ["produce", topic, "--undelivered", str(kept), "-X", "message.timeout.ms=1000"]
    with kafka.fed(*args) as run:
        run.feed(lines(10))
        assert eventually(lambda: kafka.values(topic) == lines(10))
        kafka.broker.pause()
        run.feed(lines(10, 10))
        done = run.done(20)
        kafka.broker.resume()
    assert done.code == 3
    assert "10 records were not delivered" in done.err
    assert "a record of 13 bytes" in done.err
    assert kept.read_bytes() == text(lines(10, 10))
    kafka.ok("produce", topic, str(kept))
    assert set(kafka.values(topic)) == set(lines(20))


def test_records_lost_with_a_broker_are_sent_again(kafka: Hazards, group: str, tmp_path: Path) -> None:
    """Every record is in the topic or in the file of --undelivered after its broker was killed."""
    topic, kept = kafka.topic(), tmp_path / "kept"
    args = ["produce", topic, "--undelivered", str(kept), "-X", "message.timeout.ms=1000"]
    with kafka.fed(*args) as run:
        run.feed(lines(MANY))
        kafka.broker.kill()
        run.feed(lines(10, MANY))
        done = run.done(20)
    kafka.restart()
    assert done.code == 3
    undelivered = kept.read_bytes().split(b"\n")[:-1]
    assert len(undelivered) == len(set(undelivered)) >= 10
    assert f"{len(undelivered)} records were not delivered" in done.err
    assert set(kafka.values(topic)) | set(undelivered) == set(lines(MANY + 10))
