"""The rules of the model, each as a script that is played on the model and on a real broker.

Where a real broker differs, the model is wrong.
"""

from __future__ import annotations

import pytest

from tests.support.waiting import eventually

from .sides import Owner, Side

FENCED = "INVALID_PRODUCER_EPOCH"
PENDING = "UNSTABLE_OFFSET_COMMIT"
UNKNOWN = "UNKNOWN_MEMBER_ID"


# ── transactions ──


def test_a_marker_takes_an_offset_and_a_reader_does_not_see_it(side: Side) -> None:
    place = side.topic(), 0
    one = side.init(place[0])
    assert [side.add(one, place), side.produce(one, place, 0, b"a", b"b"), side.end(one, commit=True)] == ["ok"] * 3
    side.until_settled(place)
    assert side.ends(place) == (0, 3, 3)
    assert side.seen(place) == [b"a", b"b"]


def test_aborted_records_are_never_seen(side: Side) -> None:
    """What is aborted is seen by nobody who reads what is committed."""
    place = side.topic(), 0
    one = side.init(place[0])
    assert [side.add(one, place), side.produce(one, place, 0, b"a"), side.end(one, commit=False)] == ["ok"] * 3
    side.until_settled(place)
    assert side.seen(place) == []
    assert side.seen(place, committed=False) == [b"a"]
    assert side.ends(place) == (0, 2, 2)


def test_stable_offset_stops_at_an_open_transaction(side: Side) -> None:
    """The last stable offset stays before an open transaction whatever others add behind it."""
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


def test_same_id_fences_the_older_producer(side: Side) -> None:
    """Who starts with the same id fences the older one and aborts its transaction."""
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


def test_transaction_past_its_timeout_is_aborted(side: Side) -> None:
    """A transaction that takes too long is aborted and whoever began it is fenced."""
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


def test_late_end_txn_ends_the_next_transaction(side: Side) -> None:
    """Hazard 1: without KIP-890's bump the request does not say which transaction it means."""
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


def test_late_end_txn_after_a_new_producer_does_nothing(side: Side) -> None:
    """An end that comes late finds nothing once the producer was started anew."""
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


def test_ending_a_transaction_again(side: Side) -> None:
    """To end a transaction again is in order and to end it otherwise or without any is not."""
    place = side.topic(), 0
    one = side.init(place[0])
    assert side.end(one, commit=True) == "INVALID_TXN_STATE"
    _with_a_record(side, one, place)
    assert side.end(one, commit=False) == "ok"
    assert side.end(one, commit=False) == "ok"
    assert side.end(one, commit=True) == "INVALID_TXN_STATE"


def test_record_for_an_unknown_partition_is_refused(side: Side) -> None:
    """A record for a partition that the transaction does not have is refused."""
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


def test_idempotent_batch_is_stored_once(side: Side) -> None:
    """An idempotent batch sent twice is stored once and a gap is refused."""
    place = side.topic(), 0
    one = side.init()
    assert side.produce(one, place, 0, b"a", b"b") == "ok"
    assert side.produce(one, place, 0, b"a", b"b") == "ok"
    assert side.produce(one, place, 3, b"d") == "OUT_OF_ORDER_SEQUENCE_NUMBER"
    assert side.produce(one, place, 2, b"c") == "ok"
    assert side.produce(one, place, 0, b"a", b"b") == "ok"
    assert side.seen(place) == [b"a", b"b", b"c"]


# ── positions in transactions ──


def test_positions_in_an_open_transaction_are_awaited(side: Side) -> None:
    """Positions in an open transaction are waited for and then stored."""
    place, group = (side.topic(2), 0), side.group()
    other = place[0], 1
    one = side.init(place[0])
    assert [side.add_group(one, group), side.send_offsets(one, group, {place: 5})] == ["ok", "ok"]
    assert side.committed(group, place) == PENDING
    assert side.committed(group, other) == [-1]
    assert side.end(one, commit=True) == "ok"
    assert eventually(lambda: side.committed(group, place, other) == [5, -1])


@pytest.mark.parametrize("how", ["aborted", "fenced", "timed out"])
def test_positions_of_an_aborted_transaction_vanish(side: Side, how: str) -> None:
    """Positions of a transaction without effect leave no trace."""
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


def test_positions_without_their_group_are_refused(side: Side) -> None:
    """Positions are refused when no transaction has the group and of an epoch that is over."""
    place, group = (side.topic(), 0), side.group()
    one = side.init(place[0])
    assert side.send_offsets(one, group, {place: 5}) == "INVALID_TXN_STATE"
    assert side.add_group(one, group) == "ok"
    two = side.init(place[0])
    assert side.send_offsets(one, group, {place: 5}) == FENCED
    assert side.add_group(two, group) == "ok"
    assert side.send_offsets(one, group, {place: 5}) == FENCED
    assert side.committed(group, place) == [-1]


def test_late_positions_join_the_next_transaction(side: Side) -> None:
    """Hazard 1: the same as with a late end."""
    place, group = (side.topic(), 0), side.group()
    one = side.init(place[0])
    assert [side.add_group(one, group), side.send_offsets(one, group, {place: 3})] == ["ok", "ok"]
    assert side.end(one, commit=True) == "ok"
    assert [side.add_group(one, group), side.send_offsets(one, group, {place: 6})] == ["ok", "ok"]
    assert side.send_offsets(one, group, {place: 3}) == "ok"  # late
    assert side.end(one, commit=True) == "ok"
    assert eventually(lambda: side.committed(group, place) == [3])


# ── logs that change under their readers ──


def test_reading_deleted_records_is_an_error(side: Side) -> None:
    """Reading where records were deleted is an error and not a skip."""
    place = side.topic(), 0
    assert side.produce(side.init(), place, 0, b"a", b"b", b"c") == "ok"
    side.delete_records(place, 2)
    assert side.ends(place) == (2, 3, 3)
    assert side.seen(place, 2) == [b"c"]
    assert side.seen(place, 1) == ["_AUTO_OFFSET_RESET"]
    assert side.seen(place, 4) == ["_AUTO_OFFSET_RESET"]


def test_topic_made_again_has_another_id(side: Side) -> None:
    """A topic made again has another id and no records and the groups no positions in it."""
    place, group = (side.topic(), 0), side.group()
    assert side.produce(side.init(), place, 0, b"a", b"b") == "ok"
    assert side.commit(group, {place: 2}) == "ok"
    before = side.id_of(place[0])
    side.remake(place[0])
    assert side.id_of(place[0]) != before
    assert side.ends(place) == (0, 0, 0)
    assert side.committed(group, place) == [-1]
