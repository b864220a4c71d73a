"""Owns the leader epoch of each position, by which the client library notices that the log behind it was cut off. Pure.

A partition's leader epoch rises with each new leader, and each record carries that of the leader that took it. After an
unclean election the log can end before a stored position, and grow beyond it again: reading on would skip the records
between without an error. If the position has an epoch, the library asks the broker where that epoch ends in the log
(OffsetForLeaderEpoch, KIP-320), and reports a position beyond it (hazard 27).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kdg.core.records import TopicPartition


@dataclass(slots=True)
class LeaderEpochs:
    """The newest leader epoch known of the log in which each partition is read. It holds for earlier positions, too.

    passed: partitions whose position has gone over commit markers. A marker can be of a newer epoch than the record
    before it, and nobody has seen that epoch: the position has none until `note` is called.
    """

    known: dict[TopicPartition, int] = field(default_factory=dict)
    passed: set[TopicPartition] = field(default_factory=set)

    def note(self, partition: TopicPartition, epoch: int | None, *, passed: bool = False) -> None:
        """The epoch of the partition's position; None if it is unknown, as in a position of an older version of kdg.

        passed: the position has gone over commit markers after that epoch was seen.
        """
        (self.passed.add if passed else self.passed.discard)(partition)
        if epoch is None or epoch < 0:
            self.known.pop(partition, None)
        else:
            self.known[partition] = epoch

    def of(self, partition: TopicPartition) -> int | None:
        """The epoch to store with the partition's position, or to go on with."""
        return None if partition in self.passed else self.known.get(partition)
