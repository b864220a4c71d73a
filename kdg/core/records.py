"""Owns the values that move through the loop: a Batch of records, as columns, and a Position. Pure.

A batch holds columns and not one object for each record, because creating such objects would cost most of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

Header = tuple[str, bytes | None]
Headers = Sequence[Header]
TopicPartition = tuple[str, int]
Offsets = Mapping[TopicPartition, int]
Place = str | tuple[str, int, int]
"""Where a record was read: `line 17`, or topic, partition and offset."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where to go on: the offset after the last record handled, or a place in an input that is not Kafka's.

    metadata: for such an input, its place as JSON; the offset then is a number that only grows. Empty for a partition.
    leader_epoch: of the log that was read up to the position; None if it is unknown (hazard 27).
    """

    topic: str
    partition: int
    offset: int
    metadata: str = ""
    leader_epoch: int | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Which topics positions belong to. cluster: the id of the cluster. topics: topic ids by name.

    A topic that was deleted and created again has another id (hazard 13).
    """

    cluster: str
    topics: Mapping[str, str]


@dataclass(slots=True)
class Batch:
    """Records as columns of equal length; a column that is None holds the same nothing for every record.

    values, keys: bytes, or None for null. headers: in order, repeats kept. timestamps: milliseconds since the
    epoch, negative for none. source: where the record with this index was read, or which records a command
    made it from; None if nobody can say.
    topics, partitions, offsets: where a record was read; partitions also say where it is to go, when the target keeps
    them.
    """

    values: Sequence[bytes | None] = ()
    keys: Sequence[bytes | None] | None = None
    headers: Sequence[Headers | None] | None = None
    timestamps: Sequence[int] | None = None
    topics: Sequence[str] | None = None
    partitions: Sequence[int] | None = None
    offsets: Sequence[int] | None = None
    source: Callable[[int], Place] | None = field(default=None, init=False, repr=False, compare=False)
    _size: int | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def size(self) -> int:
        """Bytes of values and keys together, counted at the first call: a run that settles nothing does not need it."""
        if self._size is None:
            self._size = sum(map(len, filter(None, self.values))) + sum(map(len, filter(None, self.keys or ())))
        return self._size

    def __len__(self) -> int:
        return len(self.values)
