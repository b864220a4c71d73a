"""The rules of the model, each as a short script that is played on the model and on a real broker, with one expectation for both.

Where a real broker differs, the model is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from kdg.sandbox import Sandbox
from tests.broker.support import answered, eventually

from .groups import Protocol
from .sides import Broker, Member, Model, Owner, Side
from .support import Observed

QUICK = {
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "100",
    "group.consumer.min.heartbeat.interval.ms": "100",
    "group.consumer.heartbeat.interval.ms": "100",
}
FENCED = "INVALID_PRODUCER_EPOCH"
PENDING = "UNSTABLE_OFFSET_COMMIT"
UNKNOWN = "UNKNOWN_MEMBER_ID"


@pytest.fixture(scope="module")
def _kafka() -> Iterator[Observed]:
    with Sandbox(properties=QUICK) as sandbox:
        _find_coordinators(sandbox.bootstrap)
        yield Observed(sandbox.bootstrap)


def _find_coordinators(brokers: str) -> None:
    """Kafka makes the topics behind its coordinators when somebody looks for one, which single requests do not."""
    producer = Producer({"bootstrap.servers": brokers, "transactional.id": "first"})
    producer.init_transactions(30)
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "first"})
    answered(lambda: consumer.committed([TopicPartition("none", 0)], timeout=30))
    consumer.close()


@pytest.fixture(params=["model", "broker"])
def side(request: pytest.FixtureRequest) -> Iterator[Side]:
    """Either of the two; the broker is started when the first script wants it."""
    if request.param == "model":
        yield Model()
        return
    broker = Broker(request.getfixturevalue("_kafka"))
    yield broker
    broker.close()


# ── transactions ──


def test_a_marker_takes_an_offset_and_a_reader_does_not_see_it(side: Side) -> None:
    place = side.topic(), 0
    one = side.init(place[0])
    assert [side.add(one, place), side.produce(one, place, 0, b"a", b"b"), side.end(one, commit=True)] == ["ok"] * 3
    side.until_settled(place)
    assert side.ends(place) == (0, 3, 3)
    assert side.seen(place) == [b"a", b"b"]


def test_what_is_aborted_is_seen_by_nobody_who_reads_what_is_committed(side: Side) -> None:
    place = side.topic(), 0
    one = side.init(place[0])
    assert [side.add(one, place), side.produce(one, place, 0, b"a"), side.end(one, commit=False)] == ["ok"] * 3
    side.until_settled(place)
    assert side.seen(place) == []
    assert side.seen(place, committed=False) == [b"a"]
    assert side.ends(place) == (0, 2, 2)


def test_the_last_stable_offset_stays_before_an_open_transaction_whatever_others_add_behind_it(side: Side) -> None:
    place = side.topic(), 0
    plain, one = side.init(), side.init(place[0])
    assert side.produce(plain, place, 0, b"a") == "ok"
    assert [side.add(one, place), side.produce(one, place, 0, b"b")] == ["ok", "ok"]
    assert side.produce(plain, place, 1, b"c") == "ok"
    assert side.ends(place) == (0, 1, 3)
    assert side.seen(place) == [b"a"]
    assert side.seen(place, committed=False) == [b"a", b"b", b"c"]
    assert side.end(one, commit=True) == "ok"
    side.until_settled(place)
    assert side.seen(place) == [b"a", b"b", b"c"]


def _with_a_record(side: Side, owner: Owner, place: tuple[str, int], value: bytes = b"a") -> None:
    assert side.add(owner, place) == "ok"
    assert side.produce(owner, place, 0, value) == "ok"


def test_who_starts_with_the_same_id_fences_the_older_one_and_aborts_its_transaction(side: Side) -> None:
    place, group = (side.topic(), 0), side.group()
    older = side.init(place[0])
    _with_a_record(side, older, place)
    newer = side.init(place[0])
    assert newer.epoch > older.epoch
    side.until_settled(place)
    assert side.seen(place) == []
    assert side.add(older, place) == FENCED
    assert side.add_group(older, group) == FENCED
    assert side.produce(older, place, 1, b"late") == FENCED
    assert side.end(older, commit=True) == FENCED
    _with_a_record(side, newer, place, b"b")
    assert side.produce(older, place, 1, b"late") == FENCED
    assert side.end(older, commit=True) == FENCED
    assert side.ends(place)[1] == 2
    assert side.end(newer, commit=True) == "ok"
    side.until_settled(place)
    assert side.seen(place) == [b"b"]


def test_a_transaction_that_takes_too_long_is_aborted_and_whoever_began_it_is_fenced(side: Side) -> None:
    place = side.topic(), 0
    one = side.init(place[0], timeout=0.3)
    _with_a_record(side, one, place)
    side.until_settled(place)
    assert side.seen(place) == []
    assert side.end(one, commit=True) == FENCED
    assert side.produce(one, place, 1, b"late") == FENCED
    assert side.add(one, place) == FENCED
    again = side.init(place[0])
    _with_a_record(side, again, place, b"b")
    assert side.end(again, commit=True) == "ok"
    side.until_settled(place)
    assert side.seen(place) == [b"b"]


def test_an_end_that_comes_late_ends_the_next_transaction_of_the_same_epoch(side: Side) -> None:
    """HAZARDS.md 1: without KIP-890's bump the request does not say which transaction it means."""
    place = side.topic(), 0
    one = side.init(place[0])
    _with_a_record(side, one, place)
    assert side.end(one, commit=True) == "ok"
    assert side.end(one, commit=True) == "ok"  # sent again
    assert [side.add(one, place), side.produce(one, place, 1, b"half")] == ["ok", "ok"]
    assert side.end(one, commit=True) == "ok"  # late
    side.until_settled(place)
    assert side.seen(place) == [b"a", b"half"]
    assert side.end(one, commit=False) == "INVALID_TXN_STATE"


def test_an_end_that_comes_late_finds_nothing_once_the_producer_was_started_anew(side: Side) -> None:
    place = side.topic(), 0
    one = side.init(place[0])
    _with_a_record(side, one, place)
    assert side.end(one, commit=True) == "ok"
    two = side.init(place[0])
    _with_a_record(side, two, place, b"half")
    assert side.end(one, commit=True) == FENCED
    assert side.ends(place)[1] == 2
    assert side.end(two, commit=False) == "ok"
    side.until_settled(place)
    assert side.seen(place) == [b"a"]


def test_to_end_a_transaction_again_is_in_order_and_to_end_it_otherwise_or_without_any_is_not(side: Side) -> None:
    place = side.topic(), 0
    one = side.init(place[0])
    assert side.end(one, commit=True) == "INVALID_TXN_STATE"
    _with_a_record(side, one, place)
    assert side.end(one, commit=False) == "ok"
    assert side.end(one, commit=False) == "ok"
    assert side.end(one, commit=True) == "INVALID_TXN_STATE"


def test_a_record_for_a_partition_that_the_transaction_does_not_have_is_refused(side: Side) -> None:
    topic = side.topic(2)
    one = side.init(topic)
    assert side.produce(one, (topic, 0), 0, b"a") == "INVALID_TXN_STATE"
    assert side.add(one, (topic, 0)) == "ok"
    assert side.produce(one, (topic, 1), 0, b"a") == "INVALID_TXN_STATE"
    assert side.produce(one, (topic, 0), 0, b"a") == "ok"
    assert side.end(one, commit=True) == "ok"
    side.until_settled((topic, 0))
    assert side.produce(one, (topic, 0), 1, b"late") == "INVALID_TXN_STATE"
    assert side.ends((topic, 1)) == (0, 0, 0)


def test_an_idempotent_batch_sent_twice_is_stored_once_and_a_gap_is_refused(side: Side) -> None:
    place = side.topic(), 0
    one = side.init()
    assert side.produce(one, place, 0, b"a", b"b") == "ok"
    assert side.produce(one, place, 0, b"a", b"b") == "ok"
    assert side.produce(one, place, 3, b"d") == "OUT_OF_ORDER_SEQUENCE_NUMBER"
    assert side.produce(one, place, 2, b"c") == "ok"
    assert side.produce(one, place, 0, b"a", b"b") == "ok"
    assert side.seen(place) == [b"a", b"b", b"c"]


# ── positions in transactions ──


def test_positions_in_an_open_transaction_are_waited_for_and_then_stored(side: Side) -> None:
    place, group = (side.topic(2), 0), side.group()
    other = place[0], 1
    one = side.init(place[0])
    assert [side.add_group(one, group), side.send_offsets(one, group, {place: 5})] == ["ok", "ok"]
    assert side.committed(group, place) == PENDING
    assert side.committed(group, other) == [-1]
    assert side.end(one, commit=True) == "ok"
    assert eventually(lambda: side.committed(group, place, other) == [5, -1])


@pytest.mark.parametrize("how", ["aborted", "fenced", "timed out"])
def test_positions_of_a_transaction_without_effect_leave_no_trace(side: Side, how: str) -> None:
    place, group = (side.topic(), 0), side.group()
    assert side.commit(group, {place: 2}) == "ok"
    one = side.init(place[0], timeout=0.3 if how == "timed out" else 60)
    _with_a_record(side, one, place)
    assert [side.add_group(one, group), side.send_offsets(one, group, {place: 5})] == ["ok", "ok"]
    assert side.committed(group, place) == PENDING
    if how == "aborted":
        assert side.end(one, commit=False) == "ok"
    elif how == "fenced":
        side.init(place[0])
    side.until_settled(place)
    assert eventually(lambda: side.committed(group, place) == [2])


def test_positions_are_refused_when_no_transaction_has_the_group_and_of_an_epoch_that_is_over(side: Side) -> None:
    place, group = (side.topic(), 0), side.group()
    one = side.init(place[0])
    assert side.send_offsets(one, group, {place: 5}) == "INVALID_TXN_STATE"
    assert side.add_group(one, group) == "ok"
    two = side.init(place[0])
    assert side.send_offsets(one, group, {place: 5}) == FENCED
    assert side.add_group(two, group) == "ok"
    assert side.send_offsets(one, group, {place: 5}) == FENCED
    assert side.committed(group, place) == [-1]


def test_positions_that_come_late_go_into_the_next_transaction_of_the_same_epoch(side: Side) -> None:
    """HAZARDS.md 1: the same as with a late end."""
    place, group = (side.topic(), 0), side.group()
    one = side.init(place[0])
    assert [side.add_group(one, group), side.send_offsets(one, group, {place: 3})] == ["ok", "ok"]
    assert side.end(one, commit=True) == "ok"
    assert [side.add_group(one, group), side.send_offsets(one, group, {place: 6})] == ["ok", "ok"]
    assert side.send_offsets(one, group, {place: 3}) == "ok"  # late
    assert side.end(one, commit=True) == "ok"
    assert eventually(lambda: side.committed(group, place) == [3])


# ── groups ──


def _joined(side: Side, group: str, topic: str) -> Member:
    one = side.member(group, topic)
    one.asks_to_join()
    one.joins()
    return one


def _two(side: Side, group: str, topic: str) -> tuple[Member, Member, int]:
    """Two members, and the generation that the first one was in alone."""
    one = _joined(side, group, topic)
    alone = one.generation
    two = side.member(group, topic)
    two.asks_to_join()
    assert one.is_told()
    one.asks_to_join()
    one.joins()
    two.joins()
    return one, two, alone


def test_a_group_takes_positions_from_its_members_in_their_generation_alone(side: Side) -> None:
    place, group = (side.topic(), 0), side.group()
    assert side.commit(group, {place: 1}) == "ok"  # there is nobody yet
    one, two, alone = _two(side, group, place[0])
    assert two.generation == one.generation > alone
    assert side.commit(group, {place: 2}, one.id, alone) == "ILLEGAL_GENERATION"
    assert side.commit(group, {place: 2}, one.id, one.generation + 1) == "ILLEGAL_GENERATION"
    assert side.commit(group, {place: 2}, "nobody", one.generation) == UNKNOWN
    assert side.commit(group, {place: 2}) == UNKNOWN
    assert side.committed(group, place) == [1]
    assert side.commit(group, {place: 2}, one.id, one.generation) == "ok"
    assert side.commit(group, {place: 1}, two.id, two.generation) == "ok"  # fencing is by generation, not by ownership
    assert side.committed(group, place) == [1]


def test_a_transaction_takes_positions_from_members_in_their_generation_and_from_who_never_joined(side: Side) -> None:
    place, group = (side.topic(), 0), side.group()
    one, two, alone = _two(side, group, place[0])
    owner = side.init(place[0])
    assert side.add_group(owner, group) == "ok"
    assert side.send_offsets(owner, group, {place: 2}, one.id, alone) == "ILLEGAL_GENERATION"
    assert side.send_offsets(owner, group, {place: 2}, "nobody", one.generation) == UNKNOWN
    assert side.send_offsets(owner, group, {place: 2}, two.id, two.generation) == "ok"
    assert side.send_offsets(owner, group, {place: 3}) == "ok"
    assert side.end(owner, commit=True) == "ok"
    assert eventually(lambda: side.committed(group, place) == [3])


def test_while_a_group_waits_for_its_members_the_old_generation_may_still_commit(side: Side) -> None:
    place, group = (side.topic(), 0), side.group()
    one = _joined(side, group, place[0])
    alone = one.generation
    owner = side.init(place[0])
    assert side.add_group(owner, group) == "ok"
    two = side.member(group, place[0])
    two.asks_to_join()
    assert one.is_told()
    assert side.commit(group, {place: 2}, one.id, alone) == "ok"
    assert side.send_offsets(owner, group, {place: 3}, one.id, alone) == "ok"
    one.asks_to_join()
    one.joins()
    two.joins()
    assert side.commit(group, {place: 2}, one.id, alone) == "ILLEGAL_GENERATION"
    assert side.send_offsets(owner, group, {place: 4}, one.id, alone) == "ILLEGAL_GENERATION"
    assert side.end(owner, commit=True) == "ok"
    assert eventually(lambda: side.committed(group, place) == [3])


def test_who_has_left_commits_nothing_any_more_with_others_there_or_without(side: Side) -> None:
    place, group = (side.topic(), 0), side.group()
    one, two, _alone = _two(side, group, place[0])
    two.leaves()
    assert side.commit(group, {place: 2}, two.id, two.generation) == UNKNOWN
    one.leaves()
    assert side.commit(group, {place: 2}, one.id, one.generation) == UNKNOWN
    owner = side.init(place[0])
    assert side.add_group(owner, group) == "ok"
    assert side.send_offsets(owner, group, {place: 2}, one.id, one.generation) == UNKNOWN
    assert side.commit(group, {place: 2}) == "ok"
    assert side.committed(group, place) == [2]


# ── KIP-848 ──


def _beats_until(member: Member, count: int, owned: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Heartbeats with what it has, until it is to have so many partitions."""
    found: list[tuple[str, int]] = []

    def told() -> bool:
        found[:] = member.beats(owned)
        return len(found) == count

    assert eventually(told)
    return found


def test_a_member_commits_as_of_an_older_epoch_what_it_has_had_since_then_and_nothing_else(side: Side) -> None:
    topic, group = side.topic(2), side.group(Protocol.CONSUMER)
    one, two = side.member(group, topic), side.member(group, topic)
    both = _beats_until(one, 2, [])
    first = one.generation
    one.beats(both)
    two.beats()
    kept = _beats_until(one, 1, both)
    gone = [place for place in both if place not in kept]
    # Told to give one back, and not yet done: it is still in the epoch it was in.
    assert one.generation == first
    assert side.commit(group, dict.fromkeys(both, 1), one.id, first) == "ok"
    one.beats(kept)
    assert eventually(lambda: (one.beats(kept), one.generation)[1] > first)
    assert _beats_until(two, 1, []) == gone
    owner = side.init(topic)
    assert side.add_group(owner, group) == "ok"
    results = {
        what: (
            side.commit(group, {place: 2}, member.id, epoch),
            side.send_offsets(owner, group, {place: 2}, member.id, epoch),
        )
        for what, place, member, epoch in (
            ("kept, as of now", kept[0], one, one.generation),
            ("kept, as of before", kept[0], one, first),
            ("kept, as of later", kept[0], one, one.generation + 1),
            ("gone, as of before", gone[0], one, first),
            ("gone, as of now", gone[0], one, one.generation),
            ("new, as of now", gone[0], two, two.generation),
            ("new, as of before", gone[0], two, first),
            ("nobody", gone[0], side.member(group, topic), 1),
        )
    }
    stale = ("STALE_MEMBER_EPOCH", "ILLEGAL_GENERATION")
    assert results == {
        "kept, as of now": ("ok", "ok"),
        "kept, as of before": ("ok", "ok"),
        "kept, as of later": stale,
        "gone, as of before": stale,
        "gone, as of now": ("ok", "ok"),
        "new, as of now": ("ok", "ok"),
        "new, as of before": stale,
        "nobody": (UNKNOWN, UNKNOWN),
    }


# ── logs that change under their readers ──


def test_reading_where_records_were_deleted_is_an_error_and_not_a_skip(side: Side) -> None:
    place = side.topic(), 0
    assert side.produce(side.init(), place, 0, b"a", b"b", b"c") == "ok"
    side.delete_records(place, 2)
    assert side.ends(place) == (2, 3, 3)
    assert side.seen(place, 2) == [b"c"]
    assert side.seen(place, 1) == ["_AUTO_OFFSET_RESET"]
    assert side.seen(place, 4) == ["_AUTO_OFFSET_RESET"]


def test_a_topic_made_again_has_another_id_and_no_records_and_the_groups_no_positions_in_it(side: Side) -> None:
    place, group = (side.topic(), 0), side.group()
    assert side.produce(side.init(), place, 0, b"a", b"b") == "ok"
    assert side.commit(group, {place: 2}) == "ok"
    before = side.id_of(place[0])
    side.remake(place[0])
    assert side.id_of(place[0]) != before
    assert side.ends(place) == (0, 0, 0)
    assert side.committed(group, place) == [-1]
