"""Requests that the network delays (hazard 1): the library sends them again, and the first copy arrives in the next
transaction.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.support.hazards import Hazards
from tests.support.processes import QUICK_GROUP, lines
from tests.support.proxy import Api, Cut, Held
from tests.support.waiting import eventually

LARGE = b"x" * 20_000
LIMIT = "10000"


@dataclass(frozen=True, slots=True)
class Delay:
    """Why the library sends the request again: its connection is closed or reset, or no answer comes in time."""

    cut: Cut
    options: tuple[str, ...] = ()


CUTS = (Delay(Cut.CLOSE), Delay(Cut.RESET))
DELAYS = (*CUTS, Delay(Cut.NO, ("-X", "socket.timeout.ms=1000")))
IDS = ("closed", "reset", "unanswered")


def _hold(kafka: Hazards, api: Api, name: str, delay: Delay) -> Held:
    return kafka.proxy.hold(api, name.encode(), cut=delay.cut)


# ── EndTxn ──


def _late_commit_in_half_a_transaction(kafka: Hazards, name: str, delay: Delay, mutant: str = "") -> list[bytes | None]:
    """The values that a reader sees in the end.

    The first transaction's commit is held, and sent again. The second transaction has half of its records in the log
    when the held commit arrives; then it is aborted.
    """
    topic = kafka.topic(max_message_bytes=LIMIT)
    args = ["produce", topic, "-g", "eos", "--resume", name, "-X", "batch.num.messages=3", *delay.options]
    with kafka.fed(*args, mutant=mutant) as run:
        late = _hold(kafka, Api.END_TXN, name, delay)
        run.feed(lines(3))
        late.wait()
        assert eventually(lambda: kafka.values(topic) == lines(3))  # the second copy of the commit arrived
        second_half = kafka.proxy.hold(Api.PRODUCE, LARGE)
        run.feed([*lines(3, 3), LARGE])
        second_half.wait()
        assert eventually(lambda: kafka.ends(topic)[0] == 7)  # three records, a commit marker, three records
        late.arrive_late()
        second_half.release()
        assert run.done().code == 4
    return kafka.settled_values(topic)


def test_delayed_end_txn_commits_nothing(kafka: Hazards, group: str, repetition: int) -> None:
    """A delayed EndTxn that arrives in the next transaction commits nothing of that transaction."""
    assert _late_commit_in_half_a_transaction(kafka, group, DELAYS[repetition % 3]) == lines(3)


@pytest.mark.parametrize("delay", DELAYS, ids=IDS)
def test_mutant_delayed_end_txn_without_recycling(kafka: Hazards, group: str, delay: Delay) -> None:
    """If the producer is not replaced, a delayed EndTxn commits half of the next transaction."""
    assert _late_commit_in_half_a_transaction(kafka, group, delay, "no-recycle") == lines(6)


def test_end_txn_without_an_answer_is_named(kafka: Hazards, group: str) -> None:
    """A pipe says after 5 s that it waits for the end of a transaction, and goes on when the answer comes."""
    source, target = kafka.topic(), kafka.topic()
    with kafka.running("pipe", source, target, "-g", "eos", "-G", group) as run:
        commit = kafka.proxy.hold(Api.END_TXN, group.encode())
        kafka.produce(source, lines(3))
        commit.wait()
        said = "committing the transaction: waiting for"
        assert eventually(lambda: any(said in line for line in run.err.splitlines()), 12)
        commit.release()
        assert eventually(lambda: kafka.values(target) == lines(3))


# ── TxnOffsetCommit ──


def _late_position_in_the_next_transaction(kafka: Hazards, name: str, delay: Delay, mutant: str = "") -> dict[int, int]:
    """The positions of the pipe in the end.

    The first transaction's position is held, and sent again. The held copy arrives when the second transaction has
    stored its position and is about to commit.
    """
    source, target = kafka.topic(), kafka.topic()
    args = ["pipe", source, target, "-g", "eos", "-G", name, *delay.options]
    with kafka.running(*args, mutant=mutant) as run:
        late = _hold(kafka, Api.TXN_OFFSET_COMMIT, name, delay)
        kafka.produce(source, lines(3))
        late.wait()
        assert eventually(lambda: kafka.values(target) == lines(3))
        assert eventually(lambda: kafka.committed(name, source) == {0: 3})
        commit = kafka.proxy.hold(Api.END_TXN, name.encode())
        kafka.produce(source, lines(1, 3))  # one record: it is one transaction, also on a slow machine
        commit.wait()
        late.arrive_late()
        commit.release()
        assert eventually(lambda: kafka.values(target) == lines(4))
        run.signal(15)
        assert run.end(10).code == -15
    return kafka.committed(name, source)


def test_delayed_txn_offset_commit_moves_nothing(kafka: Hazards, group: str, repetition: int) -> None:
    """A delayed TxnOffsetCommit that arrives in the next transaction does not move the position back."""
    assert _late_position_in_the_next_transaction(kafka, group, CUTS[repetition % 2]) == {0: 4}


@pytest.mark.parametrize("delay", CUTS, ids=IDS[:2])
def test_mutant_delayed_offset_commit_without_recycling(kafka: Hazards, group: str, delay: Delay) -> None:
    """If the producer is not replaced, a delayed TxnOffsetCommit moves the position back."""
    assert _late_position_in_the_next_transaction(kafka, group, delay, "no-recycle") == {0: 3}


def test_delayed_offset_commit_spares_resume(kafka: Hazards, group: str, repetition: int) -> None:
    """A delayed TxnOffsetCommit does not move the position of --resume back."""
    topic, delay = kafka.topic(), CUTS[repetition % 2]
    args = ["produce", topic, "-g", "eos", "--resume", group, *delay.options]
    with kafka.fed(*args) as run:
        late = _hold(kafka, Api.TXN_OFFSET_COMMIT, group, delay)
        run.feed(lines(3))
        late.wait()
        assert eventually(lambda: kafka.values(topic) == lines(3))
        commit = kafka.proxy.hold(Api.END_TXN, group.encode())
        run.feed(lines(3, 3))
        commit.wait()
        late.arrive_late()
        commit.release()
        assert run.done().code == 0
    kafka.ok("produce", topic, "-g", "eos", "--resume", group, input=b"".join(v + b"\n" for v in lines(9)))
    assert kafka.settled_values(topic) == lines(9)


# ── Produce ──


def test_delayed_produce_adds_nothing(kafka: Hazards, group: str, repetition: int) -> None:
    """A delayed Produce request that arrives in the next transaction adds nothing to that transaction."""
    topic, delay = kafka.topic(), DELAYS[repetition % 3]
    with kafka.fed("produce", topic, "-g", "eos", "--resume", group, *delay.options) as run:
        late = _hold(kafka, Api.PRODUCE, group, delay)
        run.feed(lines(3))
        late.wait()
        assert eventually(lambda: kafka.values(topic) == lines(3))
        commit = kafka.proxy.hold(Api.END_TXN, group.encode())
        run.feed(lines(3, 3))
        commit.wait()
        late.arrive_late()
        commit.release()
        assert run.done().code == 0
    assert kafka.settled_values(topic) == lines(6)


def test_delayed_produce_of_an_aborted_transaction(kafka: Hazards, group: str, repetition: int) -> None:
    """A delayed Produce request of an aborted transaction does not duplicate the records that are sent again."""
    topic = kafka.topic()
    with kafka.fed("produce", topic, "-g", "eos", "--resume", group, "-X", "message.timeout.ms=1000") as run:
        late = kafka.proxy.hold(Api.PRODUCE, group.encode())
        run.feed(lines(3))
        late.wait()
        commit = kafka.proxy.hold(Api.END_TXN, group.encode(), b"\x01")
        commit.wait()
        late.arrive_late()
        commit.release()
        assert run.done().code == 0
    assert kafka.settled_values(topic) == lines(3)


# ── JoinGroup ──


def test_delayed_join_group_of_a_named_pipe(kafka: Hazards, group: str) -> None:
    """The group takes a delayed JoinGroup for another instance, and fences this one; it joins again (hazard 23)."""
    source, target = kafka.topic(), kafka.topic()
    args = ["pipe", source, target, "-g", "eos", "-G", group, "--transactional-id", f"{group}-one", *QUICK_GROUP]
    late = _hold(kafka, Api.JOIN_GROUP, group, CUTS[0])
    with kafka.running(*args) as run:
        late.wait()
        kafka.produce(source, lines(3))
        assert eventually(lambda: kafka.committed(group, source) == {0: 3})
        late.arrive_late()
        assert eventually(lambda: "joins the group again" in run.err), run.err
        kafka.produce(source, lines(3, 3))
        assert eventually(lambda: kafka.committed(group, source) == {0: 6})
        run.signal(15)
        assert run.end(10).code == -15
    assert kafka.settled_values(target) == lines(6)
