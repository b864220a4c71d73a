"""The rules of the model for consumer groups, each as a script for the model and a real broker."""

from __future__ import annotations

from tests.support.waiting import eventually

from .groups import Protocol
from .sides import Member, Side

FENCED = "INVALID_PRODUCER_EPOCH"
PENDING = "UNSTABLE_OFFSET_COMMIT"
UNKNOWN = "UNKNOWN_MEMBER_ID"


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
    assert one.is_asked_to_rejoin()
    one.asks_to_join()
    one.joins()
    two.joins()
    return one, two, alone


def test_group_commit_needs_the_generation(side: Side) -> None:
    """A group takes positions from its members in their generation alone."""
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


def test_transactional_commit_needs_the_generation(side: Side) -> None:
    """A transaction takes positions from members in their generation and from who never joined."""
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


def test_old_generation_commits_while_a_group_waits(side: Side) -> None:
    """While a group waits for its members the old generation may still commit."""
    place, group = (side.topic(), 0), side.group()
    one = _joined(side, group, place[0])
    alone = one.generation
    owner = side.init(place[0])
    assert side.add_group(owner, group) == "ok"
    two = side.member(group, place[0])
    two.asks_to_join()
    assert one.is_asked_to_rejoin()
    assert side.commit(group, {place: 2}, one.id, alone) == "ok"
    assert side.send_offsets(owner, group, {place: 3}, one.id, alone) == "ok"
    one.asks_to_join()
    one.joins()
    two.joins()
    assert side.commit(group, {place: 2}, one.id, alone) == "ILLEGAL_GENERATION"
    assert side.send_offsets(owner, group, {place: 4}, one.id, alone) == "ILLEGAL_GENERATION"
    assert side.end(owner, commit=True) == "ok"
    assert eventually(lambda: side.committed(group, place) == [3])


def test_member_that_left_commits_nothing(side: Side) -> None:
    """Who has left commits nothing any more with others there or without."""
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

    def has_enough() -> bool:
        found[:] = member.beats(owned)
        return len(found) == count

    assert eventually(has_enough)
    return found


def test_older_epoch_commits_what_it_kept(side: Side) -> None:
    """A member commits as of an older epoch what it has had since then and nothing else."""
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
