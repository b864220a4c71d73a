"""Owns the two values that move through the loop: a Batch of records, as columns, and a Position.

Columns and not one object per record: speed is decided here (DESIGN.md section 6).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Header = tuple[str, bytes | None]
Headers = Sequence[Header]
TopicPartition = tuple[str, int]
Offsets = Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Position:
    """Where to go on: the next offset of a partition, or, with metadata, a place in an input that is not Kafka's."""

    topic: str
    partition: int
    offset: int
    metadata: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose positions they are: the cluster's id, and the id of each topic by name. A topic made again has another."""

    cluster: str
    topics: Mapping[str, str]


@dataclass(slots=True)
class Batch:
    """Records as columns of equal length; a column that is None holds the same nothing for every record.

    values, keys: bytes, or None for null. headers: in order, repeats kept. timestamps: milliseconds since the epoch.
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
    _size: int | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def size(self) -> int:
        """Bytes of values and keys together; counted when somebody asks, as a run that settles nothing does not."""
        if self._size is None:
            self._size = sum(map(len, filter(None, self.values))) + sum(map(len, filter(None, self.keys or ())))
        return self._size

    def __len__(self) -> int:
        return len(self.values)
