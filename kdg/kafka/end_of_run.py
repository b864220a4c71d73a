"""Owns the question whether a run has read all: this instance up to the stop offsets, and the other instances, too."""

from __future__ import annotations

from dataclasses import dataclass, field

from confluent_kafka import Message

from kdg.core.records import TopicPartition
from kdg.errors import Unreachable
from kdg.kafka.consumer import KafkaConsumer
from kdg.kafka.partitions import partition_of
from kdg.kafka.positions import Positions
from kdg.kafka.stop_offsets import StopOffsets

ASK_OTHERS_EVERY = 0.5
"""Seconds between two questions how far the other instances of the group are."""


@dataclass(slots=True)
class EndOfRun:
    """The end of one source.

    left_to_others: what other instances still have to read when this one is done, in words; empty for nothing.
    """

    consumer: KafkaConsumer
    stop_offsets: StopOffsets
    positions: Positions
    left_to_others: str = field(default="", init=False)
    _others_asked: float = field(default=0.0, init=False)

    @property
    def lag(self) -> int:
        """Offsets from the position to the stop offset, in all partitions of this instance; 0 without stop offsets."""
        positions, stops = self.positions.next, self.stop_offsets.offsets
        return sum(max(stop - positions.get(partition, stop), 0) for partition, stop in stops.items())

    @property
    def reached(self) -> bool:
        """Whether all is read. In a partition of another instance its stored position has to be at the stop offset."""
        if not self.stop_offsets.are_set:
            return False
        others = self.stop_offsets.missing(self.positions.next)
        if not others:
            self.left_to_others = ""
            return others is not None
        return self._others_done(others)

    def _others_done(self, partitions: list[TopicPartition]) -> bool:
        now = self.consumer.deadline.now()
        if self.consumer.group is None or now - self._others_asked < ASK_OTHERS_EVERY:
            return False
        self._others_asked = now
        try:
            positions = self.consumer.committed(partitions, within=0.0)
        except Unreachable:
            return False  # the transaction of another instance is open, or a broker is away: asked again later
        left = [partition for partition in partitions if not self.stop_offsets.reached_by(positions, [partition])]
        if left:
            first = left[0]
            at = f"at {positions[first]}" if first in positions else "without a position"
            more = f" and {len(left) - 1} more" if len(left) > 1 else ""
            self.left_to_others = f"{first[0]}[{first[1]}] is {at} of {self.stop_offsets.offsets[first]}{more}"
        return not left

    def records(self, messages: list[Message]) -> list[Message]:
        """The records alone; the events of the ends of partitions move the positions."""
        for message in messages:
            if message.error() is not None:
                self._at_end_of(partition_of(message), message.offset())
        return [message for message in messages if message.error() is None]

    def _at_end_of(self, partition: TopicPartition, offset: int | None) -> None:
        """A read_committed reader is at the end: the position moves over the commit markers before it (hazard 10)."""
        if partition not in self.positions.next or offset is None or partition in self.positions.seeks:
            return
        # Not beyond the stop offset: the records between the two were fetched and cut off.
        before = self.positions.next[partition]
        self.positions.advance(partition, self.stop_offsets.cap(partition, offset))
        if self.positions.next[partition] > before:
            self.consumer.epochs.passed.add(partition)
        self.stop_offsets.stalled(partition, offset)
