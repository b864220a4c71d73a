"""What each guarantee promises, on a real broker: undisturbed, and with processes killed at random moments."""

from __future__ import annotations

import random
import secrets
import threading
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from kdg.core.guarantees import GUARANTEES, Guarantee
from tests.support.kafka import Kafka
from tests.support.processes import QUICK_GROUP, QUICK_TRANSACTION, lines, text
from tests.support.waiting import eventually

KILLS = 10
IDS = [row.name for row in GUARANTEES]


def check(row: Guarantee, sent: Iterable[bytes], seen: Iterable[bytes | None]) -> None:
    """Assert the promise of the guarantee about loss and duplicates."""
    wanted, found = Counter[bytes | None](sent), Counter(seen)
    assert not found.keys() - wanted.keys()
    if not row.may_lose:
        assert not wanted - found, f"{(wanted - found).total()} lost"
    if not row.may_duplicate:
        assert not found - wanted, f"{(found - wanted).total()} doubled"


@pytest.fixture
def moments() -> random.Random:
    """Random moments. pytest shows the seed if the test fails."""
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    return random.Random(seed)  # noqa: S311  # moments of a test


def killed_midway(kafka: Kafka, target: str, moment: float, *args: str) -> None:
    """Run a command, and kill it some seconds after the first record of this run has reached the target."""
    before = kafka.ends(target)
    with kafka.start(*args) as run:
        assert eventually(lambda: kafka.ends(target) != before or not run.running)
        threading.Event().wait(moment)  # the random moment: nothing is waited for
        assert run.running, f"it ended before it could be killed: {run.err}"
        run.kill()


@pytest.mark.parametrize("row", GUARANTEES, ids=IDS)
def test_round_trip_of_100_000_lines(kafka: Kafka, group: str, row: Guarantee) -> None:
    """100,000 lines come out of produce, pipe and consume as they went in."""
    source, target = kafka.topic(), kafka.topic()
    sent = text(lines(100_000))
    kafka.ok("produce", source, "-g", row.name, input=sent)
    kafka.ok("pipe", source, target, "-g", row.name, "-G", group, "-e")
    assert kafka.ok("consume", target, "-g", row.name, "-e").out == sent


@pytest.mark.parametrize("row", GUARANTEES, ids=IDS)
def test_a_pipe_killed_at_ten_random_moments_keeps_its_promise(
    kafka: Kafka, group: str, row: Guarantee, moments: random.Random
) -> None:
    sent = lines(100_000)
    source, target = kafka.filled(sent), kafka.topic()
    args = ["pipe", source, target, "-g", row.name, "-G", group, "-e", *QUICK_GROUP]
    args += ["--batch-records", "100" if row.transactional else "50"]  # long enough for ten kills
    if row.transactional:
        args += ["--transactional-id", f"{group}-1", *QUICK_TRANSACTION]
    for _ in range(KILLS):
        killed_midway(kafka, target, moments.uniform(0, 0.1), *args)
    kafka.ok(*args)
    seen = kafka.settled_values(target)
    check(row, sent, seen)
    assert row.may_lose or row.may_duplicate or seen == sent


def test_exactly_once_pipe_killed_twice(kafka: Kafka, group: str, moments: random.Random) -> None:
    """An exactly-once pipe that is killed twice, and has another identity each time, copies each record once."""
    sent = lines(20_000)
    source, target = kafka.filled(sent, 2), kafka.topic()
    args = ["pipe", source, target, "-g", "eos", "-G", group, "-e", "--batch-records", "100"]
    args += [*QUICK_GROUP, *QUICK_TRANSACTION]
    for _ in range(2):
        killed_midway(kafka, target, moments.uniform(0, 0.1), *args)
    kafka.ok(*args)
    assert sorted(filter(None, kafka.settled_values(target))) == sent


def test_resume_killed_ten_times(kafka: Kafka, group: str, tmp_path: Path, moments: random.Random) -> None:
    """`produce --resume` that is killed at ten random moments sends each line once."""
    sent = lines(100_000)
    source = tmp_path / "input"
    source.write_bytes(text(sent))
    target = kafka.topic()
    args = ["produce", target, str(source), "-g", "eos", "--resume", group, "--batch-records", "100"]
    for _ in range(KILLS):
        killed_midway(kafka, target, moments.uniform(0, 0.1), *args)
    kafka.ok(*args)
    assert kafka.values(target) == sent


def test_at_least_once_produce_killed_loses_nothing(kafka: Kafka, tmp_path: Path, moments: random.Random) -> None:
    """An at-least-once `produce` that is killed at random moments and run again loses nothing."""
    sent = lines(200_000)
    source = tmp_path / "input"
    source.write_bytes(text(sent))
    target = kafka.topic()
    for _ in range(2):
        killed_midway(kafka, target, moments.uniform(0, 0.02), "produce", target, str(source), "-g", "alo")
    kafka.ok("produce", target, str(source), "-g", "alo")
    seen = Counter(kafka.values(target))
    assert seen.keys() == set(sent)
    assert seen.total() > len(sent), "the kills have to hit while records flow"


def test_read_committed_reader_sees_no_duplicate(kafka: Kafka, group: str, moments: random.Random) -> None:
    """A read_committed reader never sees a record twice, or a record of an aborted transaction."""
    sent = lines(30_000)
    source, target = kafka.filled(sent), kafka.topic()
    args = ["pipe", source, target, "-g", "eos", "-G", group, "-e", "--batch-records", "200"]
    args += ["--transactional-id", group, *QUICK_GROUP, *QUICK_TRANSACTION]
    with kafka.start("consume", target, "-g", "eos", "-c", str(len(sent)), "--timeout", "120") as reader:
        for _ in range(4):
            killed_midway(kafka, target, moments.uniform(0, 0.1), *args)
        # A transaction that is aborted for good: its records are in the log, and nobody may see them.
        producer = kafka.transaction()
        producer.produce(target, b"aborted")
        assert producer.flush(30) == 0
        producer.abort_transaction(30)
        kafka.ok(*args)
        assert reader.end(60).out == text(sent)
    assert b"aborted" in kafka.values(target, "read_uncommitted")
    assert kafka.values(target) == sent
