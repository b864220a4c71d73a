"""Owns reading from Kafka: what one READ hands out, and where reading is. It decides nothing about settling.

Its parts: KafkaConsumer calls the library, Membership takes partitions and gives them back, Positions says where
reading is in each of them, Columns makes batches, Answers deals with events, EndOfRun knows when all is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Message

from kdg.core.ports import Rebalance
from kdg.core.records import Batch, Offsets, Position, TopicPartition
from kdg.errors import KdgError
from kdg.kafka.answers import Answers
from kdg.kafka.columns import Columns, UnreadableNameError, only
from kdg.kafka.consumer import KafkaConsumer
from kdg.kafka.end_of_run import EndOfRun
from kdg.kafka.membership import Membership, Selection
from kdg.kafka.partitions import partition_of
from kdg.kafka.positions import Positions
from kdg.kafka.silence import Silence
from kdg.kafka.stop_offsets import StopOffsets
from kdg.kafka.topic_ids import FRESH, FRESH_WHEN_IDLE, TopicIds
from kdg.kafka.unreadable import Unreadable, unreadable_name

KEEP_ALIVE_EVERY = 1.0
"""Seconds between two polls while work takes long. The group may be waiting for an answer to a rebalance."""


@dataclass(slots=True)
class KafkaSource:
    """A Source: the records of one or more topics, through a group or from assigned partitions.

    selection: a Subscription or an Assignment. columns: the columns of a Batch that somebody looks at.
    gather: seconds that a READ waits for more records after the first, where each batch starts a process.
    """

    consumer: KafkaConsumer
    selection: Selection
    stop_offsets: StopOffsets
    topic_ids: TopicIds
    columns: frozenset[str]
    gather: float = 0.0
    _positions: Positions = field(default_factory=Positions, init=False)
    _membership: Membership = field(init=False)
    _columns: Columns = field(init=False)
    _polled: float = field(default=0.0, init=False)
    _trouble: KdgError | None = field(default=None, init=False)
    _silence: Silence = field(init=False)
    _unreadable: Unreadable = field(init=False)
    _answers: Answers = field(init=False)
    _end: EndOfRun = field(init=False)

    def __post_init__(self) -> None:
        self._membership = Membership(self.consumer, self.selection, self._positions, self.topic_ids)
        self._columns = Columns(self.columns, *only(self.selection))
        self._unreadable = Unreadable(self.consumer.deadline.clock)
        self._answers = Answers(self.consumer, self._membership, self._positions, self._unreadable)
        self._end = EndOfRun(self.consumer, self.stop_offsets, self._positions)
        self._silence = Silence(self.consumer, self.topic_ids, self._end)

    def begin(self, rebalance: Rebalance) -> None:
        """Subscribe, or take the assigned partitions. rebalance: see Rebalance."""
        self._membership.begin(rebalance)

    # ── reading ──

    def read(self, limit: int, timeout: float) -> Batch | None:
        """See Source. None when every partition, of this instance or of another, has reached its stop offset."""
        if self._trouble is not None:
            raise self._trouble
        if self._unreadable.reached:
            self._unreadable.end(timeout, settled=not (self.consumer.keeps_positions and self.moved))
            return Batch()
        self._seek()
        self.stop_offsets.look_at_clock(self._positions.next)
        if self._end.reached:
            return None
        self._membership.touched.clear()
        still_to_seek = set(self._positions.seeks)
        fetched = self.consumer.fetch(self._columns.fetch_size(limit), timeout, self.gather)
        self._polled, messages = self.consumer.deadline.now(), self._answers.with_postponed(fetched)
        if events := any(map(Message.error, messages)):
            messages = self._answers.without_trouble(messages)
        self._unreadable.look(self._positions.next, quiet=not messages)
        # A settling inside the fetch may have gone back in some partitions: then they are among the seeks now.
        if touched := still_to_seek | self._membership.touched | self._positions.seeks.keys():
            messages = self._untouched(messages, touched)
        self.topic_ids.check(FRESH if messages else FRESH_WHEN_IDLE)
        if not self.stop_offsets.are_set and self._membership.take_added():
            self._columns.partition = None  # messages come from several now
        self._silence.look(quiet=not messages, owned=self._positions.next)
        if events:
            messages = self._end.records(messages)
        return self._batch(messages)

    def _seek(self) -> None:
        """Move the client to where reading goes on. In `rewind` it could fail: a rebalance may run there (hazard 5)."""
        for partition, offset in list(self._positions.seeks.items()):
            if self.consumer.seek(partition, offset):
                del self._positions.seeks[partition]

    def _untouched(self, messages: list[Message], touched: set[TopicPartition]) -> list[Message]:
        """Without messages of partitions that left during the fetch.

        The new owner reads them; if that is this instance, it fetches them again.
        """
        dropped = dict.fromkeys(map(partition_of, messages))
        if (unreadable := self._unreadable.partition) in touched:
            dropped[unreadable] = None
            self._unreadable.go_back()
        for partition in dropped:
            if partition in touched and partition in self._positions.next:
                self._positions.seek_again(partition)  # also for the event of its end, which comes only once
        return [message for message in messages if partition_of(message) not in touched]

    def _batch(self, messages: list[Message]) -> Batch:
        last = self._columns.last_messages(messages)
        if not last.keys() <= self._positions.next.keys():
            # Some are of a partition that is no longer, or not yet, this instance's.
            messages = [message for message in messages if partition_of(message) in self._positions.next]
            last = self._columns.last_messages(messages)
        offsets = {partition: message.offset() or 0 for partition, message in last.items()}
        messages = self.stop_offsets.cut(messages, offsets)
        try:
            batch = self._columns.batch(messages)
        except UnreadableNameError as exc:
            return self._batch(self._without_unreadable(messages, exc.index))
        for partition, offset in offsets.items():
            self._positions.advance(partition, self.stop_offsets.cap(partition, offset + 1))
            passed = self._positions.next[partition] > offset + 1
            self.consumer.epochs.note(partition, last[partition].leader_epoch(), passed=passed)
        return batch

    def _without_unreadable(self, messages: list[Message], index: int) -> list[Message]:
        """The records without the one at the index and what follows it in its partition."""
        partition = partition_of(messages[index])
        self._answers.found_unreadable(partition, unreadable_name(messages[index], self.consumer.group))
        return messages[:index] + [m for m in messages[index:] if partition_of(m) != partition]

    # ── while work takes long ──

    def keep_alive(self) -> None:
        """See Source. The library counts a poll; a record that it brings is fetched again by the next `read`."""
        now = self.consumer.deadline.now()
        if not self._membership.of_group or now - self._polled < KEEP_ALIVE_EVERY:
            return
        self._polled = now
        try:
            message = self.consumer.serve()
        except KdgError as trouble:
            self._trouble = self._trouble or trouble  # the next `read` raises it; until then, what can be settled is
            return
        if message is not None:
            self._answers.postpone(message)

    @property
    def incomplete(self) -> bool:
        """See Source."""
        return bool(self._positions.unfinished)

    @property
    def empty_handed(self) -> bool:
        """See Source."""
        return bool(self._positions.unfinished) and not self._positions.moved

    @property
    def rejoining(self) -> bool:
        """See Source."""
        return self._membership.rejoining

    @property
    def lag(self) -> int:
        """Offsets from the position to the stop offset, in all partitions of this instance; 0 without stop offsets."""
        return self._end.lag

    # ── positions ──

    @property
    def moved(self) -> bool:
        """See Source."""
        return self._positions.moved or self._membership.positions_old

    def positions(self) -> list[Position]:
        """See Source. Raises PositionGone if a topic was made again (hazard 13)."""
        self.topic_ids.check()
        return self.consumer.with_epochs(self._positions.unsettled(and_settled=self._membership.positions_old))

    def offsets(self) -> Offsets:
        """See Source."""
        return self._positions.reported

    def commit(self) -> None:
        """See Source. Without a group there is nothing to do."""
        offsets = {(position.topic, position.partition): position.offset for position in self.positions()}
        if self.consumer.group is not None and offsets:
            self.consumer.commit(offsets)

    def settle_before(self, offsets: Offsets) -> None:
        """Settle what comes before these offsets; in partitions that are not named, all that was handed out."""
        self._positions.end_before(offsets)
        self.commit()
        self.settled()

    def settled(self) -> None:
        """See Source."""
        self._positions.settle()
        self._membership.refresh.stored()

    def rewind(self) -> None:
        """See Source. The next `read` moves the client."""
        self._unreadable.go_back()
        self._positions.rewind()

    def reload(self) -> bool:
        """See Source."""
        self._unreadable.go_back()
        return self._positions.reload(self.consumer.stored(self._positions.next))

    def release(self) -> None:
        """See Source."""
        self._membership.release()

    def group_metadata(self) -> Any:
        """What a transaction carries so that the group refuses a former member (hazard 4)."""
        return self.consumer.group_metadata()

    def close(self) -> None:
        """See Source."""
        self.consumer.close()
