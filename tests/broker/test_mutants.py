"""Protections taken out, one at a time, of the real command: the check that rests on each has to fail without it.

Each mutant runs as a process of its own: a few lines patch one place, then the command runs as ever.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.kafka import Kafka
from tests.support.processes import KDG, QUICK_GROUP, lines, text
from tests.support.waiting import eventually

RUN = "\nfrom kdg.__main__ import main\nmain()\n"
HEALTHY = (KDG,)


def mutant(*patches: str) -> tuple[str, ...]:
    """The command with these lines run before it."""
    return (sys.executable, "-c", "\n".join(patches) + RUN)


ROW = """
from kdg.core.guarantees import Step, {row} as row
for name, steps in dict(chunk={chunk!r}, interval={interval!r}).items():
    object.__setattr__(row, name, tuple(Step(step) for step in steps.split()))
"""
COMMIT_BEFORE_WRITE = ROW.format(row="AT_LEAST_ONCE", chunk="read filter commit write", interval="flush")
WRITE_BEFORE_COMMIT = ROW.format(row="AT_MOST_ONCE", chunk="read filter write commit", interval="")
NO_FLUSH = """
from kdg.kafka.target import KafkaTarget
assert KafkaTarget.flush
KafkaTarget.flush = lambda self: None
"""
ONE_ABORT = """
from kdg.kafka.transaction import KafkaTransaction
from kdg.core.ports import TryAgain
commit, calls = KafkaTransaction.commit, []
def commit_but_not_the_second_time(self):
    calls.append(self)
    if len(calls) == 2:
        raise TryAgain("the group went on")
    commit(self)
KafkaTransaction.commit = commit_but_not_the_second_time
"""
NO_REWIND = """
from kdg.core.actions import PERFORM
from kdg.core.cycle import Control, Did
assert Control.REWIND in PERFORM
PERFORM[Control.REWIND] = lambda self: Did(Control.REWIND)
"""
NO_DIGEST_CHECK = """
import dataclasses, hashlib, os
from kdg.sources import descriptor
class Any(str):
    __ne__ = lambda self, other: False
    __eq__ = lambda self, other: True
skip = descriptor.Input.skip
descriptor.Input.skip = lambda self, committed: skip(self, dataclasses.replace(committed, sha256=Any()))
"""
START_NOT_COMMITTED = """
from kdg.kafka.membership import Membership
assert Membership.begin_at
Membership.begin_at = lambda self, starts: None
"""
ENDS_AS_READ_COMMITTED = """
from confluent_kafka import IsolationLevel
from kdg.kafka import lookup
assert lookup.IsolationLevel
class Committed:
    READ_COMMITTED = READ_UNCOMMITTED = IsolationLevel.READ_COMMITTED
lookup.IsolationLevel = Committed
"""


def consumed_after_a_crash(
    kafka: Kafka, group: str, file: Path, argv: Sequence[str], row: str, step: str
) -> list[bytes]:
    """What a file holds after `consume -G` crashed at the second time of a step and ran again."""
    topic = kafka.filled(lines(12))
    shell = ("/bin/sh", "-c", 'exec "$@" >>"$FILE"', "sh", *argv)
    args = ["consume", topic, "-g", row, "-G", group, "-e", "--batch-records", "3", *QUICK_GROUP]
    assert kafka.kdg(*args, "--crash-at", step, argv=shell, env={"FILE": str(file)}).code == -9
    assert kafka.kdg(*args, argv=shell, env={"FILE": str(file)}).code == 0
    return file.read_bytes().split(b"\n")[:-1]


@pytest.mark.parametrize(("argv", "lost"), [(HEALTHY, 0), (mutant(COMMIT_BEFORE_WRITE), 3)], ids=["healthy", "mutant"])
def test_mutant_commit_before_write(kafka: Kafka, group: str, tmp_path: Path, argv: Sequence[str], lost: int) -> None:
    """At least once loses a batch when it commits before it writes."""
    seen = consumed_after_a_crash(kafka, group, tmp_path / "out", argv, "alo", "commit:2")
    assert len(set(lines(12)) - set(seen)) == lost


@pytest.mark.parametrize(
    ("argv", "doubled"), [(HEALTHY, 0), (mutant(WRITE_BEFORE_COMMIT), 3)], ids=["healthy", "mutant"]
)
def test_mutant_write_before_commit(
    kafka: Kafka, group: str, tmp_path: Path, argv: Sequence[str], doubled: int
) -> None:
    """At most once duplicates a batch when it writes before it commits."""
    seen = consumed_after_a_crash(kafka, group, tmp_path / "out", argv, "amo", "write:2")
    assert len(seen) - len(set(seen)) == doubled


@pytest.mark.parametrize(("argv", "lost"), [(HEALTHY, 0), (mutant(NO_FLUSH), 12)], ids=["healthy", "mutant"])
def test_mutant_no_flush_before_commit(kafka: Kafka, group: str, argv: Sequence[str], lost: int) -> None:
    """At least once loses what it did not flush before the commit."""
    source, target = kafka.filled(lines(12)), kafka.topic()
    args = ["pipe", source, target, "-g", "alo", "-G", group, "-e", "-X", "linger.ms=3000", *QUICK_GROUP]
    assert kafka.kdg(*args, "--crash-at", "commit:1", argv=argv).code == -9
    kafka.ok(*args)
    assert len(set(lines(12)) - set(kafka.values(target))) == lost


@pytest.mark.parametrize(("patches", "lost"), [((), 0), ((NO_REWIND,), 3)], ids=["healthy", "mutant"])
def test_mutant_no_rewind_after_abort(kafka: Kafka, group: str, patches: Sequence[str], lost: int) -> None:
    """Exactly once loses a batch when it does not go back after an abort."""
    source, target = kafka.filled(lines(12)), kafka.topic()
    args = ["pipe", source, target, "-g", "eos", "-G", group, "-e", "--batch-records", "3"]
    assert kafka.kdg(*args, argv=mutant(ONE_ABORT, *patches)).code == 0
    seen = kafka.settled_values(target)
    assert len(seen) == 12 - lost
    assert len(set(lines(12)) - set(seen)) == lost


@pytest.mark.parametrize(("argv", "code"), [(HEALTHY, 2), (mutant(NO_DIGEST_CHECK), 0)], ids=["healthy", "mutant"])
def test_mutant_no_digest_check(kafka: Kafka, group: str, argv: Sequence[str], code: int) -> None:
    """Resume takes another input for the same when it does not check the digest."""
    topic = kafka.topic()
    args = ["produce", topic, "-g", "eos", "--resume", group]
    kafka.ok(*args, input=text(lines(5)))
    assert kafka.kdg(*args, input=text(lines(9, 100)), argv=argv).code == code


@pytest.mark.parametrize(("argv", "code"), [(HEALTHY, 0), (mutant(START_NOT_COMMITTED), 9)], ids=["healthy", "mutant"])
def test_mutant_start_at_end_not_committed(kafka: Kafka, group: str, argv: Sequence[str], code: int) -> None:
    """A start at the end that is not committed skips what comes before the restart."""
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


def test_mutant_ends_of_a_read_committed_reader(
    kafka: Kafka,
) -> None:
    """E skips what is behind an open transaction when it takes the ends of a read committed reader."""
    topic = kafka.filled([b"before"])
    producer = kafka.transaction()
    producer.produce(topic, b"inside")
    producer.flush(30)
    kafka.produce(topic, [b"behind, and acknowledged"])
    done = kafka.kdg("consume", topic, "-e", argv=mutant(ENDS_AS_READ_COMMITTED), timeout=20)
    producer.commit_transaction(30)
    assert (done.code, done.out) == (0, b"before\n")
    assert kafka.ok("consume", topic, "-e").out == b"before\ninside\nbehind, and acknowledged\n"
