"""Owns the model of consumer groups: members, generations, assignments, fencing, stored positions.

Three protocols: eager and cooperative (classic: one generation for all, a barrier at each rebalance) and consumer
(KIP-848: an epoch for each member, partitions handed over one by one). Kafka: ClassicGroup.validateOffsetCommit,
ConsumerGroup.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import Enum
from typing import NamedTuple

from confluent_kafka import KafkaError

from kdg.core.records import TopicPartition

NEVER = float("inf")


class Protocol(Enum):
    """How a group shares its partitions."""

    EAGER = "eager"
    COOPERATIVE = "cooperative"
    CONSUMER = "consumer"


class Stored(NamedTuple):
    """A stored position."""

    offset: int
    metadata: str = ""


class Member:
    """What the coordinator knows of a member.

    target: the partitions that it is to own. held: those that it may still own. since: the epoch in which it got each
    of them.
    """

    __slots__ = ("deadline", "epoch", "held", "joined", "since", "target")

    def __init__(self) -> None:
        self.deadline = NEVER
        self.joined = False
        self.epoch = 0
        self.target: list[TopicPartition] = []
        self.held: set[TopicPartition] = set()
        self.since: dict[TopicPartition, int] = {}


class Group:
    """A consumer group. version: a number that grows with each change that a member's heartbeat would notice."""

    def __init__(self, name: str, protocol: Protocol = Protocol.EAGER, places: Iterable[TopicPartition] = ()) -> None:
        self.name = name
        self.protocol = protocol
        self.places = list(places)
        self.generation = 0
        self.members: dict[str, Member] = {}
        self.preparing = False
        self.version = 1
        self.stored: dict[TopicPartition, Stored] = {}
        self.pending: dict[object, set[TopicPartition]] = {}
        self.went_back: list[str] = []
        self._named = 0

    # ── positions ──

    def store(self, offsets: Mapping[TopicPartition, Stored]) -> None:
        """Store positions. A position that goes back is noted for the invariants."""
        for place, stored in offsets.items():
            before = self.stored.get(place)
            if before is not None and stored.offset < before.offset:
                self.went_back.append(f"{place[0]}[{place[1]}] from {before.offset} to {stored.offset}")
            self.stored[place] = stored

    def forget(self, places: Iterable[TopicPartition]) -> None:
        """Forget positions, because the topic of these partitions is deleted."""
        for place in places:
            self.stored.pop(place, None)

    def commit(self, member: str, generation: int, offsets: Mapping[TopicPartition, Stored]) -> int:
        """OffsetCommit."""
        refused = self.fence(member, generation, offsets, transactional=False)
        if not refused:
            self.store(offsets)
        return refused

    def fence(self, member: str, generation: int, places: Iterable[TopicPartition], *, transactional: bool) -> int:
        """The error code with which a commit of this member is refused, 0 if it is accepted."""
        if generation < 0 and not self.members:
            return 0
        if generation < 0 and not member:
            # A consumer that never subscribed; with a transaction it is accepted into a live group (hazard 12).
            return 0 if transactional else KafkaError.UNKNOWN_MEMBER_ID
        known = self.members.get(member)
        if known is None:
            return KafkaError.UNKNOWN_MEMBER_ID
        if self.protocol is not Protocol.CONSUMER:
            return 0 if generation == self.generation else KafkaError.ILLEGAL_GENERATION
        # In its present epoch it may commit any partition; in an older epoch, those that it has owned since then.
        had = all(known.since.get(place, NEVER) <= generation <= known.epoch for place in places)
        if generation == known.epoch or had:
            return 0
        return KafkaError.ILLEGAL_GENERATION if transactional else KafkaError.STALE_MEMBER_EPOCH

    def unstable(self, places: Iterable[TopicPartition]) -> bool:
        """Whether an open transaction may still move one of these positions."""
        if not self.pending:
            return False
        wanted = set(places)
        return any(wanted & pending for pending in self.pending.values())

    # ── members ──

    def join(self, member: str, owned: Collection[TopicPartition]) -> str:
        """JoinGroup, or the first heartbeat.

        Returns the id of the member. owned: the partitions that it owns and would keep.
        """
        if member not in self.members:
            self._named += 1
            member = f"m{self._named}"
            self.members[member] = Member()
            self._disturb()
        elif self.protocol is not Protocol.CONSUMER and not self.preparing:
            self._disturb()
        known = self.members[member]
        known.joined = True
        known.held = set(owned)
        self._complete()
        return member

    def leave(self, member: str) -> None:
        """LeaveGroup, or the end of the session."""
        if self.members.pop(member, None) is not None:
            self._disturb()
            self._complete()

    def silent(self, member: str, deadline: float) -> None:
        """From now on no heartbeat comes; the session ends at the deadline."""
        if member in self.members:
            self.members[member].deadline = deadline

    def expire(self, now: float) -> float:
        """Expel members whose session is over. Returns the time at which to look again."""
        for name in [name for name, member in self.members.items() if member.deadline <= now]:
            self.leave(name)
        return min((member.deadline for member in self.members.values()), default=NEVER)

    def grow(self, place: TopicPartition) -> None:
        """Add a new partition of the topic, and rebalance."""
        self.places.append(place)
        self._disturb()
        self._complete()

    def _disturb(self) -> None:
        self.version += 1
        if self.protocol is Protocol.CONSUMER:
            self.generation += 1
            self._share()
        else:
            self.preparing = bool(self.members)
            for member in self.members.values():
                member.joined = False

    def _complete(self) -> None:
        """Classic protocols: the rebalance ends when every member has joined."""
        if self.protocol is Protocol.CONSUMER:
            return
        if all(member.joined for member in self.members.values()):
            self.preparing = False
            self.generation += 1
            self.version += 1
            self._share()

    def _share(self) -> None:
        if self.protocol is Protocol.EAGER:
            self._share_in_turn()
        else:
            self._share_sticky()

    def _share_in_turn(self) -> None:
        members = list(self.members.values())
        for member in members:
            member.target = []
        for number, place in enumerate(self.places if members else ()):
            members[(number + self.generation) % len(members)].target.append(place)

    def _share_sticky(self) -> None:
        """Each member keeps a fair share; the other partitions go to the members with fewest, once they are free."""
        members = list(self.members.values())
        fair = -(-len(self.places) // max(len(members), 1))
        taken: set[TopicPartition] = set()
        for member in members:
            member.target = [place for place in self.places if place in member.held and place not in taken][:fair]
            taken.update(member.target)
        held = set().union(*(member.held for member in members)) if members else set()
        for place in self.places if members else ():
            if place in taken:
                continue
            poorest = min(members, key=lambda member: len(member.target))
            if self.protocol is Protocol.CONSUMER or place not in held:
                poorest.target.append(place)

    # ── KIP-848 ──

    def heartbeat(self, name: str, owned: Collection[TopicPartition]) -> list[TopicPartition]:
        """The partitions that the member is to own now.

        owned: those that it owns. Its epoch moves on once it has none to give back.
        """
        member = self.members[name]
        member.held = {place for place in member.held if place in member.target or place in owned}
        if not member.held.issubset(member.target):
            return [place for place in member.target if place in member.held]
        if member.epoch != self.generation:
            member.epoch = self.generation
            self.version += 1  # the partitions that it gave back are free
        for place in member.target:
            if place not in member.held and not any(place in other.held for other in self.members.values()):
                member.held.add(place)
                member.since[place] = member.epoch
        for place in [place for place in member.since if place not in member.held]:
            del member.since[place]
        return [place for place in member.target if place in member.held]
