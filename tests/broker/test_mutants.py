"""Mutants of the command against a broker: each does the damage that its protection prevents, and kdg does not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.mutants import command
from tests.support.kafka import Kafka
from tests.support.processes import KDG, QUICK_GROUP, lines, text
from tests.support.waiting import eventually

HEALTHY = (KDG,)


def consumed_after_a_crash(
    kafka: Kafka, group: str, file: Path, argv: Sequence[str], row: str, step: str
) -> list[bytes]:
    """The lines of a file after `consume -G` has crashed, the second time that it came to a step, and ran again."""
    topic = kafka.filled(lines(12))
    shell = ("/bin/sh", "-c", 'exec "$@" >>"$FILE"', "sh", *argv)
    args = ["consume", topic, "-g", row, "-G", group, "-e", "--batch-records", "3", *QUICK_GROUP]
    assert kafka.kdg(*args, "--crash-at", step, argv=shell, env={"FILE": str(file)}).code == -9
    assert kafka.kdg(*args, argv=shell, env={"FILE": str(file)}).code == 0
    return file.read_bytes().split(b"\n")[:-1]


@pytest.mark.parametrize(("argv", "lost"), [(HEALTHY, 0), (command("alo-commits-first"), 3)], ids=["healthy", "mutant"])
def test_mutant_commit_before_write(kafka: Kafka, group: str, tmp_path: Path, argv: Sequence[str], lost: int) -> None:
    """At-least-once loses a batch if it commits before it writes."""
    seen = consumed_after_a_crash(kafka, group, tmp_path / "out", argv, "alo", "commit:2")
    assert len(set(lines(12)) - set(seen)) == lost


@pytest.mark.parametrize(
    ("argv", "doubled"), [(HEALTHY, 0), (command("amo-writes-first"), 3)], ids=["healthy", "mutant"]
)
def test_mutant_write_before_commit(
    kafka: Kafka, group: str, tmp_path: Path, argv: Sequence[str], doubled: int
) -> None:
    """At-most-once duplicates a batch if it writes before it commits."""
    seen = consumed_after_a_crash(kafka, group, tmp_path / "out", argv, "amo", "write:2")
    assert len(seen) - len(set(seen)) == doubled


@pytest.mark.parametrize(("argv", "lost"), [(HEALTHY, 0), (command("no-flush"), 12)], ids=["healthy", "mutant"])
def test_mutant_no_flush_before_commit(kafka: Kafka, group: str, argv: Sequence[str], lost: int) -> None:
    """At-least-once loses the records that it did not flush before the commit."""
    source, target = kafka.filled(lines(12)), kafka.topic()
    args = ["pipe", source, target, "-g", "alo", "-G", group, "-e", "-X", "linger.ms=3000", *QUICK_GROUP]
    assert kafka.kdg(*args, "--crash-at", "commit:1", argv=argv).code == -9
    kafka.ok(*args)
    assert len(set(lines(12)) - set(kafka.values(target))) == lost


@pytest.mark.parametrize(("mutants", "lost"), [((), 0), (("no-rewind",), 3)], ids=["healthy", "mutant"])
def test_mutant_no_rewind_after_abort(kafka: Kafka, group: str, mutants: Sequence[str], lost: int) -> None:
    """Exactly-once loses a batch if it does not go back after an abort."""
    source, target = kafka.filled(lines(12)), kafka.topic()
    args = ["pipe", source, target, "-g", "eos", "-G", group, "-e", "--batch-records", "3"]
    assert kafka.kdg(*args, argv=command("second-commit-fails", *mutants)).code == 0
    seen = kafka.settled_values(target)
    assert len(seen) == 12 - lost
    assert len(set(lines(12)) - set(seen)) == lost


@pytest.mark.parametrize(
    ("argv", "code"), [(HEALTHY, 2), (command("digest-not-compared"), 0)], ids=["healthy", "mutant"]
)
def test_mutant_no_digest_check(kafka: Kafka, group: str, argv: Sequence[str], code: int) -> None:
    """--resume takes another input for the same one if it does not compare the digest."""
    topic = kafka.topic()
    args = ["produce", topic, "-g", "eos", "--resume", group]
    kafka.ok(*args, input=text(lines(5)))
    assert kafka.kdg(*args, input=text(lines(9, 100)), argv=argv).code == code


@pytest.mark.parametrize(
    ("argv", "code"), [(HEALTHY, 0), (command("start-not-committed"), 9)], ids=["healthy", "mutant"]
)
def test_mutant_start_at_end_not_committed(kafka: Kafka, group: str, argv: Sequence[str], code: int) -> None:
    """If a start at the end is not committed, records that come before the restart are skipped."""
    topic = kafka.filled(lines(3))
    args = ["consume", topic, "-G", group, "-o", "end", *QUICK_GROUP]
    with kafka.start(*args, argv=argv) as run:
        assert eventually(lambda: kafka.owned(group) == 1)
        # Stored with the assignment; the mutant never stores it.
        assert code != 0 or eventually(lambda: kafka.committed(group, topic) == {0: 3})
        run.kill()
    kafka.produce(topic, [b"in between"])
    done = kafka.kdg(*args, "-c", "1", "--timeout", "4s", argv=argv)
    assert done.code == code
    assert done.out == (b"in between\n" if code == 0 else b"")


def test_mutant_ends_of_a_read_committed_reader(kafka: Kafka) -> None:
    """-e skips the records after an open transaction if it takes the ends of a read_committed reader."""
    topic = kafka.filled([b"before"])
    producer = kafka.transaction()
    producer.produce(topic, b"inside")
    producer.flush(30)
    kafka.produce(topic, [b"behind, and acknowledged"])
    done = kafka.kdg("consume", topic, "-e", argv=command("ends-as-read-committed"), timeout=20)
    producer.commit_transaction(30)
    assert (done.code, done.out) == (0, b"before\n")
    assert kafka.ok("consume", topic, "-e").out == b"before\ninside\nbehind, and acknowledged\n"
