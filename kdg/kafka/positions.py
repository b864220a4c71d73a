"""Owns where reading is in each partition that this instance owns. Pure: it asks and tells the client library nothing.

A position is the offset after the last record that was handed out, and never what the library says: its own position()
is ahead of the records that were handled (hazard 3).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from kdg.core.records import Offsets, Position, TopicPartition


@dataclass(slots=True)
class Positions:
    """Three offsets for each partition that this instance owns.

    next: the record that is handed out next; settled: the record after the last one that is settled;
    seeks: where the client still has to go, only until it is there. reported: what this run has settled, also in
    partitions that it has given back. unfinished: partitions that left while records of them were in hand, with the
    settled offset and the next one. If one comes back at the same settled offset, nobody has settled these records
    meanwhile: it is as if the partition had never left, and they are settled as the others are.

    Records 0 to 6 of a partition were handed out, and records 0 to 4 of them are settled:

                                  next    settled    seeks
        now                          7          5        -
        after settle()               7          7        -
        or after rewind()            5          5        5
        when the client has gone     5          5        -
    """

    next: dict[TopicPartition, int] = field(default_factory=dict)
    settled: dict[TopicPartition, int] = field(default_factory=dict)
    seeks: dict[TopicPartition, int] = field(default_factory=dict)
    reported: dict[TopicPartition, int] = field(default_factory=dict)
    unfinished: dict[TopicPartition, tuple[int, int]] = field(default_factory=dict)

    def own(self, offsets: Offsets) -> None:
        """These partitions are read from now on, each from its offset, or from where it was left."""
        self.next.update(offsets)
        self.settled.update(offsets)
        for partition in self.unfinished.keys() & offsets.keys():
            settled, reached = self.unfinished[partition]
            if settled == offsets[partition]:
                del self.unfinished[partition]
                self.next[partition] = self.seeks[partition] = reached

    def release(self, partitions: Iterable[TopicPartition]) -> None:
        """These partitions are no longer this instance's."""
        for partition in partitions:
            if partition in self.next and self.next[partition] != self.settled[partition]:
                self.unfinished[partition] = self.settled[partition], self.next[partition]
            for offsets in (self.next, self.settled, self.seeks):
                offsets.pop(partition, None)

    def advance(self, partition: TopicPartition, offset: int) -> None:
        """Go on from this offset; a position never goes back by reading."""
        self.next[partition] = max(self.next[partition], offset)

    @property
    def moved(self) -> bool:
        """Whether there is something to settle."""
        return self.next != self.settled

    def unsettled(self, *, and_settled: bool = False) -> list[Position]:
        """The positions that have changed since they were settled; and_settled: the others, too."""
        changed = {p: offset for p, offset in self.next.items() if and_settled or self.settled.get(p) != offset}
        return [Position(*partition, offset) for partition, offset in changed.items()]

    def settle(self) -> None:
        """Every position is durable."""
        self.report({(position.topic, position.partition): position.offset for position in self.unsettled()})
        self.settled = dict(self.next)
        self.unfinished.clear()

    def end_before(self, offsets: Offsets) -> None:
        """Count what comes at or after these offsets as not handed out; what is settled stays."""
        for partition, offset in offsets.items():
            if partition in self.next:
                self.next[partition] = max(min(self.next[partition], offset), self.settled[partition])

    def report(self, offsets: Offsets) -> None:
        """These offsets are durable; the report of the run names them."""
        self.reported.update(offsets)

    def rewind(self) -> None:
        """Hand out again what is not settled. The client is not there yet: see `seeks`."""
        self.seeks.update(self.settled)
        self.next = dict(self.settled)
        self.unfinished.clear()

    def reload(self, stored: Offsets) -> bool:
        """Go on from the positions that are durable, after a commit whose outcome is unknown.

        stored: the durable positions of partitions that this instance owns. True if reading already was there: the
        commit took effect.
        """
        before = self.next
        self.settled.update(stored)
        self.rewind()
        return self.next == before

    def seek_again(self, partition: TopicPartition) -> None:
        """A fetched record of this partition was dropped: the client has to fetch it again."""
        self.seeks[partition] = self.next[partition]
