"""Owns where reading stops: `-e` and `--until`. Records at or after a partition's stop offset are not handed out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from confluent_kafka import Message

from kdg.core.records import Offsets, TopicPartition
from kdg.kafka.lookup import Lookup
from kdg.kafka.partitions import partition_of
from kdg.runtime.clock import SYSTEM_CLOCK, Clock

_NEVER = 1 << 63
NOTE_AFTER = 1.0
"""Seconds that a run waits behind an open transaction before it says so."""


@dataclass(slots=True)
class StopOffsets:
    """The stop offset of each partition, as far as it is known: {("orders", 0): 120} hands out offsets 0 to 119.

    are_set: the run ends when every stop offset is reached. until: a time that has not come yet, in milliseconds since
    the epoch; when it comes, it sets the stop offsets.
    """

    lookup: Lookup
    note: Callable[[str], None]
    clock: Clock = SYSTEM_CLOCK
    offsets: dict[TopicPartition, int] = field(default_factory=dict)
    are_set: bool = False
    until: int | None = None
    _watched: list[TopicPartition] = field(default_factory=list)
    _stalled_since: dict[TopicPartition, float] = field(default_factory=dict)

    def at_end_now(self, partitions: Iterable[TopicPartition]) -> None:
        """`-e`: stop at the present ends, as a read_uncommitted reader sees them (hazard 10)."""
        self.offsets, self.are_set = self.lookup.ends(partitions), True

    def at_time(self, partitions: Iterable[TopicPartition], milliseconds: int) -> None:
        """`--until`: for a time in the past set the stop offsets now, otherwise when the time has come."""
        if milliseconds > self.clock.time() * 1000:
            self.until, self._watched = milliseconds, list(partitions)
        else:
            self.offsets = {**self.lookup.offsets_at(partitions, milliseconds), **self.offsets}
            self.are_set, self.until = True, None

    def look_at_clock(self, owned: Iterable[TopicPartition]) -> None:
        """Set the stop offsets if the time of `--until` has come; also of partitions that were added meanwhile."""
        if self.until is not None:
            self.at_time(dict.fromkeys([*self._watched, *owned]), self.until)

    def cap(self, partition: TopicPartition, offset: int) -> int:
        """The offset, or the partition's stop offset if that comes first."""
        return min(offset, self.offsets.get(partition, offset))

    def cut(self, messages: list[Message], last: Offsets) -> list[Message]:
        """The messages before the stop offsets of their partitions. last: the last offset of each partition in them."""
        if self.until is not None:
            self._stop_by_time(messages)
        reached = {partition: stop for partition, stop in self.offsets.items() if last.get(partition, -1) >= stop}
        if not reached:  # true of each batch but the last of a partition: no record is looked at
            return messages
        return [m for m in messages if (m.offset() or 0) < reached.get(partition_of(m), _NEVER)]

    def _stop_by_time(self, messages: Sequence[Message]) -> None:
        """The first record at or after `until` is its partition's stop offset."""
        for message in messages:
            if message.timestamp()[1] >= (self.until or 0):
                self.offsets.setdefault(partition_of(message), message.offset() or 0)

    def missing(self, positions: Offsets) -> list[TopicPartition] | None:
        """The partitions of other instances; None while a partition of this instance has not reached its stop offset.

        positions: the position in each partition that this instance owns.
        """
        self._note_stalled(positions)
        if any(positions[partition] < stop for partition, stop in self.offsets.items() if partition in positions):
            return None
        return [partition for partition in self.offsets if partition not in positions]

    def reached_by(self, positions: Offsets, partitions: Iterable[TopicPartition]) -> bool:
        """Whether these partitions are read up to their stop offsets."""
        return all(positions.get(partition, -1) >= self.offsets[partition] for partition in partitions)

    def stalled(self, partition: TopicPartition, offset: int) -> None:
        """No more can be read now. Before the stop offset this means an open transaction hides the rest (hazard 10)."""
        if offset < self.offsets.get(partition, 0):
            self._stalled_since.setdefault(partition, self.clock.monotonic())

    def _note_stalled(self, positions: Offsets) -> None:
        for partition, since in list(self._stalled_since.items()):
            position, stop = positions.get(partition, 0), self.offsets.get(partition, 0)
            if position >= stop:
                del self._stalled_since[partition]
            elif self.clock.monotonic() - since > NOTE_AFTER:
                self._stalled_since[partition] = float("inf")  # noted once
                where = f"{partition[0]}[{partition[1]}]: readable up to {position}, the end is {stop}"
                self.note(f"waiting for an open transaction in {where}")
