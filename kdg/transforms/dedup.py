"""Owns deduplication: at-least-once without the duplicates. `--dedup-by` says which records count as the same record.

    position                  the same topic id, partition and offset: kdg read the record twice.
                              Stored: one offset for each partition (DedupByPosition)
    key, value, header:NAME   the same bytes there: the producer sent the record twice.
                              Stored: one digest for each record, for a limited time (DedupById)

A record is stored as seen only after it was written and flushed. A crash in between can duplicate the record, but never
lose it. If SeenStore is in the database of the records, both change in one transaction, and a crash does neither.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import compress
from typing import Any, NamedTuple

from kdg.core.records import Batch, Headers, Place, TopicPartition
from kdg.errors import UsageError
from kdg.transforms.seen_store import SeenStore

HEADER = "header:"
BY_POSITION = "position"
DIGEST = 16
"""Bytes of a digest."""
PRUNE_SECONDS = 3600.0
"""Ids that are too old are removed this often."""


class DedupBy(NamedTuple):
    """The value of `--dedup-by`. name: a column of Batch, or `position`. header: NAME in `header:NAME`."""

    name: str
    header: str = ""

    @property
    def is_position(self) -> bool:
        """Whether records are compared by their offsets, and not by their content."""
        return self.name == BY_POSITION

    @property
    def columns(self) -> frozenset[str]:
        """The columns of Batch that are compared, without `values`, which every batch has."""
        if self.is_position:
            return frozenset({"topics", "partitions", "offsets"})
        return frozenset({self.name}) - {"values"}


def parse_by(text: str) -> DedupBy:
    """`position`, `key`, `value` or `header:NAME`. Raises UsageError for anything else."""
    known = {BY_POSITION: DedupBy(BY_POSITION), "key": DedupBy("keys"), "value": DedupBy("values")}
    if text in known:
        return known[text]
    if text.startswith(HEADER) and text != HEADER:
        return DedupBy("headers", text.removeprefix(HEADER))
    raise UsageError(
        f"--dedup-by {text!r} is not a part of a record that kdg can compare.",
        "Use position, key, value or header:NAME.",
    )


@dataclass(slots=True)
class DedupByPosition:
    """A Dedup that drops records which kdg has read before. scope: the group. topic_id: the id of a topic by name."""

    store: SeenStore
    scope: str
    topic_id: Callable[[str], str]
    _stored: dict[TopicPartition, int] = field(default_factory=dict)
    _pending: dict[TopicPartition, int] = field(default_factory=dict)

    def filter(self, batch: Batch) -> Batch:
        """See Dedup."""
        if not len(batch):
            return batch
        partitions: list[TopicPartition] = list(zip(batch.topics or (), batch.partitions or (), strict=True))
        offsets = batch.offsets or ()
        reached = {partition: self._next_offset(partition) for partition in set(partitions)}
        keep = [offset >= reached[partition] for partition, offset in zip(partitions, offsets, strict=True)]
        # Offsets rise within a partition: the last one is the highest.
        last = dict(zip(partitions, offsets, strict=True))
        self._pending.update({partition: max(reached[partition], offset + 1) for partition, offset in last.items()})
        return batch if all(keep) else select(batch, keep)

    def _next_offset(self, partition: TopicPartition) -> int:
        """Records below this offset were let through before."""
        if partition not in self._stored:
            topic, number = partition
            self._stored[partition] = self.store.next_offset(self.scope, self.topic_id(topic), number)
        return self._pending.get(partition, self._stored[partition])

    def mark(self) -> None:
        """See Dedup."""
        pending, self._pending = self._pending, {}
        self.store.advance([(self.scope, self.topic_id(t), p, offset) for (t, p), offset in pending.items()])
        self._stored.update(pending)

    def forget(self) -> None:
        """See Dedup."""
        self._pending = {}


@dataclass(slots=True)
class DedupById:
    """A Dedup that drops records which the producer sent twice. A record without an id is let through.

    scope: the group. ttl: seconds for which an id is remembered. topic: the topic of batches without the column topics.
    """

    store: SeenStore
    scope: str
    by: DedupBy
    ttl: float
    topic: str = ""
    clock: Callable[[], float] = time.time
    _pending: dict[bytes, None] = field(default_factory=dict)
    _pruned: float = 0.0

    def filter(self, batch: Batch) -> Batch:
        """See Dedup."""
        self._prune()
        ids = self._ids(batch)
        # Sorted, because ids that are close to each other are close to each other in the table.
        unknown = sorted({i for i in ids if i is not None} - self._pending.keys())
        new = self._unseen(unknown) if unknown else {}
        # The first record with a new id is kept. pop() removes the id, so that the next record with it is dropped.
        keep = [i is None or new.pop(i, False) is None for i in ids]
        self._pending.update(dict.fromkeys(i for i, kept in zip(ids, keep, strict=True) if kept and i is not None))
        return batch if all(keep) else select(batch, keep)

    def _unseen(self, ids: Sequence[bytes]) -> dict[bytes, None]:
        """Those of the ids that the store has not seen."""
        seen = self.store.seen(ids, int(self.clock() - self.ttl))
        return dict.fromkeys(i for i in ids if i not in seen)

    def _ids(self, batch: Batch) -> list[bytes | None]:
        raw = self._raw(batch)
        if batch.topics is None:
            salt = self._salt(self.topic)
            return [None if r is None else hashlib.blake2b(r, digest_size=DIGEST, key=salt).digest() for r in raw]
        salts = {topic: self._salt(topic) for topic in set(batch.topics)}
        return [
            None if r is None else hashlib.blake2b(r, digest_size=DIGEST, key=salts[topic]).digest()
            for r, topic in zip(raw, batch.topics, strict=True)
        ]

    def _raw(self, batch: Batch) -> Iterable[bytes | None]:
        """The bytes that are compared, one item a record; None for a record without them."""
        column: Sequence[Any] | None = getattr(batch, self.by.name)
        if column is None:
            return [None] * len(batch)
        return column if not self.by.header else [_header(headers, self.by.header) for headers in column]

    def _salt(self, topic: str) -> bytes:
        """Makes digests differ between groups, topics and values of --dedup-by: the same bytes there are another id."""
        return hashlib.blake2b("\0".join((self.scope, topic, *self.by)).encode(), digest_size=DIGEST).digest()

    def _prune(self) -> None:
        now = self.clock()
        if now - self._pruned > PRUNE_SECONDS:
            self._pruned = now
            self.store.prune(int(now - self.ttl))

    def mark(self) -> None:
        """See Dedup."""
        if self._pending:
            self.store.add(sorted(self._pending), int(self.clock()))
            self._pending = {}

    def forget(self) -> None:
        """See Dedup."""
        self._pending = {}


def _header(headers: Headers | None, name: str) -> bytes | None:
    """The value of the last header with that name, as Kafka's lastHeader in Java."""
    return next((value for key, value in reversed(headers or ()) if key == name), None)


def select(batch: Batch, keep: Sequence[bool]) -> Batch:
    """The records of the batch for which `keep` is true."""

    def column(items: Sequence[Any] | None) -> Any:
        return None if items is None else list(compress(items, keep))

    columns: Mapping[str, Any] = {name: column(getattr(batch, name)) for name in _COLUMNS}
    selected = Batch(**columns)
    if batch.source is not None:
        selected.source = partial(_source, batch.source, list(compress(range(len(batch)), keep)))
    return selected


def _source(source: Callable[[int], Place], kept: Sequence[int], index: int) -> Place:
    return source(kept[index])


_COLUMNS = ("values", "keys", "headers", "timestamps", "topics", "partitions", "offsets")
