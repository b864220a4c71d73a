"""Owns which partitions this instance reads: it takes them, gives them back, and joins again when the group fenced it.

It does not decide whether anything is settled; it reports Revoked and Lost, and waits until they are dealt with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from confluent_kafka import TopicPartition as LibraryPartition

from kdg.core.ports import Rebalance, TryAgain
from kdg.core.records import Offsets, Position, TopicPartition
from kdg.core.refresh import Refresh
from kdg.core.state import Lost, Revoked
from kdg.errors import NoAnswer, OutcomeUnknown
from kdg.kafka.added import AddedPartitions
from kdg.kafka.consumer import KafkaConsumer
from kdg.kafka.cut_logs import check_log
from kdg.kafka.partitions import to_library, tuples_of
from kdg.kafka.positions import Positions
from kdg.kafka.topic_ids import TopicIds

if TYPE_CHECKING:
    from kdg.kafka.library import ConsumerClient


@dataclass(frozen=True, slots=True)
class Subscription:
    """Topics whose partitions the group shares out among its instances.

    topics: names, or patterns as `^...`. cooperative: partitions come and go one by one, not all at once.
    starts: where each partition begins that the group has no position in. A partition that is not in it was added
    later and is read from its beginning (hazard 11).
    """

    topics: Sequence[str]
    starts: Offsets
    cooperative: bool


@dataclass(frozen=True, slots=True)
class Assignment:
    """Partitions that this instance reads alone, whatever members a group has.

    stored: those with a stored position, and this position. starts: all others, and where each begins. grows: take
    partitions that are added to the topics meanwhile, too.
    """

    stored: Offsets
    starts: Offsets
    grows: bool = False


Selection = Subscription | Assignment
"""Which partitions are read, and from which offsets."""


@dataclass(slots=True)
class Membership:
    """The partitions of this instance, as the group or the user gives them out.

    touched: the partitions that left since the caller cleared it, also if they came back. What was fetched for them may
    belong to another instance. rejoining: all partitions are given back, and the group is about to give out its
    partitions. refresh: when the positions were stored last.
    """

    consumer: KafkaConsumer
    selection: Selection
    positions: Positions
    topic_ids: TopicIds
    touched: set[TopicPartition] = field(default_factory=set, init=False)
    rejoining: bool = field(default=False, init=False)
    refresh: Refresh = field(init=False)
    _too_slow: bool = field(default=False, init=False)
    _leaving: list[TopicPartition] = field(default_factory=list, init=False)
    _added: AddedPartitions | None = field(default=None, init=False)
    _rebalance: Rebalance = field(default=lambda _event: None, init=False)

    def __post_init__(self) -> None:
        self.refresh = Refresh(self.consumer.deadline.now)

    def begin(self, rebalance: Rebalance) -> None:
        """Join the group, or take the partitions that were assigned. rebalance: called with Revoked and Lost."""
        self._rebalance = rebalance
        if isinstance(self.selection, Subscription):
            self._join(self.selection)
        else:
            self._assign(self.selection)

    def _join(self, selection: Subscription) -> None:
        self.consumer.subscribe(selection.topics, self._on_assign, self._on_revoke, self._on_lost)

    def _assign(self, selection: Assignment) -> None:
        offsets = {**selection.starts, **selection.stored}
        if selection.grows:
            self._added = AddedPartitions(self.consumer, self.topic_ids, offsets)
        check_log(self.consumer, selection.stored)
        self.consumer.client.assign(to_library(offsets))
        self._own(offsets)
        self.begin_at(selection.starts)

    def take_added(self) -> bool:
        """Read partitions that were added to a topic meanwhile; whether there are any. A group gives out its own."""
        if self._added is None or not (offsets := self._added.take()):
            return False
        self._own(offsets)
        return True

    def _own(self, offsets: Offsets) -> None:
        self.positions.own(offsets)
        left_further_on = (p for p, offset in offsets.items() if self.positions.next[p] != offset)
        self.consumer.epochs.passed.update(left_further_on)
        self.topic_ids.watch(topic for topic, _partition in offsets)

    def begin_at(self, starts: Offsets) -> None:
        """Store the start of partitions without a stored position: a crash before the first commit then skips nothing.

        This is done as a member of the group, when the partitions are assigned. A commit from outside could overwrite
        the position of another instance, which came and went meanwhile (hazards 11 and 12).
        """
        if not starts:
            return
        if (store := self.consumer.position_store) is not None:
            epochs = self.consumer.epochs
            store.keep([Position(*place, offset, "", epochs.of(place)) for place, offset in starts.items()])
        if self.consumer.group is None:
            return
        try:
            self.consumer.commit(starts)
        except TryAgain:
            return  # the group has gone on without this assignment already
        except OutcomeUnknown as exc:
            # If the run went on, the late commit could take the position back to the start. If the run ends, the group
            # has a new generation, which refuses the late commit.
            raise NoAnswer(str(exc), exc.hint) from exc
        self.positions.report(starts)

    # ── rebalance callbacks ──

    def _on_assign(self, client: ConsumerClient, partitions: list[LibraryPartition]) -> None:
        # An assignment that waited while the last READ ended comes inside close(). Nobody will read these partitions,
        # and a question for the group's positions has no answer once the group is left [seen]. The library assigns by
        # itself.
        if self.consumer.closing or client is not self.consumer.client:
            return
        self.rejoining = False
        assigned = tuples_of(partitions)
        stored = self.consumer.committed(assigned)
        check_log(self.consumer, stored)
        starts = self._starts([partition for partition in assigned if partition not in stored])
        offsets = {**starts, **stored}
        # A seek would fail in here; the offsets go with the assignment (hazard 5).
        if self._cooperative:
            client.incremental_assign(to_library(offsets))
        else:
            client.assign(to_library(offsets))
        self._own(offsets)
        with self._callback():
            self.begin_at(starts)

    def _starts(self, partitions: Sequence[TopicPartition]) -> Offsets:
        """Where partitions without a stored position begin; one that was added later, at its beginning (hazard 11)."""
        known = self.selection.starts
        added = self.consumer.beginnings(partition for partition in partitions if partition not in known)
        return {partition: known[partition] if partition in known else added[partition] for partition in partitions}

    def _on_revoke(self, client: ConsumerClient, partitions: list[LibraryPartition]) -> None:
        self._leave(client, partitions, Revoked(self.consumer.revoke_seconds))

    def _on_lost(self, client: ConsumerClient, partitions: list[LibraryPartition]) -> None:
        self._leave(client, partitions, Lost())

    def _leave(self, client: ConsumerClient, partitions: list[LibraryPartition], event: Revoked | Lost) -> None:
        if client is self.consumer.client:
            self._let_go(tuples_of(partitions), event)
            self.rejoining = isinstance(event, Lost) or not self._cooperative
        if self._cooperative:
            client.incremental_unassign(partitions)
        else:
            client.unassign()

    def _let_go(self, partitions: list[TopicPartition], event: Revoked | Lost) -> None:
        self._leaving = partitions
        self.touched.update(partitions)
        if isinstance(event, Lost):
            self.release()  # nothing of them may be settled, not even together with the rest
        with self._callback():
            # What is open is settled before the callback returns (hazard 4). While the run closes, nothing is open.
            if not self.consumer.closing:
                self._rebalance(event)
        self.release()
        if self.positions.unfinished and not self.consumer.closing:
            self.note_too_slow()

    def note_too_slow(self) -> None:
        """Say once what to do about a batch that takes longer than the group waits."""
        if not self._too_slow:
            self._too_slow = True
            self.consumer.note(
                "a batch took longer than the group waits when partitions move (max.poll.interval.ms): its records "
                "that were not committed are read again; raise -X max.poll.interval.ms=... or lower --batch-records"
            )

    def release(self) -> None:
        """Forget the partitions that are leaving."""
        self.positions.release(self._leaving)
        self._leaving = []

    def renew(self) -> bool:
        """Join the group again with a new client; False if another instance has taken over.

        The library ends a static member for good if the group has another member with the same name. The other member
        can be an earlier session of this instance, or come from a join request that was sent twice (hazard 23).
        """
        former = self.consumer.client
        if not isinstance(self.selection, Subscription) or not self.consumer.replace():
            return False
        self.consumer.note("the group had removed this instance; it joins the group again")
        self._let_go(list(self.positions.next), Lost())
        self.consumer.deadline.in_background(former.close)
        self._join(self.selection)
        return True

    @property
    def positions_old(self) -> bool:
        """Whether the stored positions may expire soon: the group has no members if partitions are assigned (`-p`)."""
        return self.refresh.due and not self.of_group and self.consumer.group is not None

    @property
    def of_group(self) -> bool:
        """Whether the partitions come from a group."""
        return isinstance(self.selection, Subscription)

    @property
    def _cooperative(self) -> bool:
        return isinstance(self.selection, Subscription) and self.selection.cooperative

    @contextmanager
    def _callback(self) -> Iterator[None]:
        """Commits inside are called directly, as in a callback of the library (hazard 24)."""
        self.consumer.in_callback = True
        try:
            yield
        finally:
            self.consumer.in_callback = False
