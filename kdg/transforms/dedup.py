"""Owns deduplication: at-least-once without the doubles. What counts as the same record, and what was seen.

    position          redelivery: (topic id, partition, offset); one high-water mark a partition
    key, value,       what the producer sent twice, or under the same id; 16-byte digests in SQLite, so that memory stays flat
    header:NAME

A record is marked only after it was written and flushed: a crash in between can double it and never lose it. Where the marks are
in the database of the records, they share its transactions: neither. Without a store the marks are in a temporary database.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path
from typing import Any, NamedTuple

from kdg.core.records import Batch, Headers, TopicPartition
from kdg.errors import KdgError, UsageError

HEADER = "header:"
BY_POSITION = "position"
AT_ONCE = 10_000
"""Ids in one query; SQLite takes 32766."""
DIGEST = 16
CACHE_KILOBYTES = 32_000
PRUNE_SECONDS = 3600.0
WAIT_SECONDS = 5.0
SEEN = "CREATE TABLE IF NOT EXISTS kdg_seen (id BLOB PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID"
REACHED = """CREATE TABLE IF NOT EXISTS kdg_reached (scope TEXT NOT NULL, topic_id TEXT NOT NULL, partition INTEGER NOT NULL,
    next INTEGER NOT NULL, PRIMARY KEY (scope, topic_id, partition)) WITHOUT ROWID"""


class By(NamedTuple):
    """What `--dedup-by` was given. name: a column of Batch, or `position`; header: the header's name."""

    name: str
    header: str = ""

    @property
    def is_position(self) -> bool:
        """Whether redelivery is told, and not what was sent twice."""
        return self.name == BY_POSITION

    @property
    def columns(self) -> frozenset[str]:
        """The columns of Batch it reads."""
        if self.is_position:
            return frozenset({"topics", "partitions", "offsets"})
        return frozenset({self.name}) - {"values"}


def parse_by(text: str) -> By:
    """Raises UsageError."""
    known = {BY_POSITION: By(BY_POSITION), "key": By("keys"), "value": By("values")}
    if text in known:
        return known[text]
    if text.startswith(HEADER) and text != HEADER:
        return By("headers", text.removeprefix(HEADER))
    raise UsageError(f"--dedup-by {text!r} is nothing to tell records by.", "Use position, key, value or header:NAME.")


@dataclass(slots=True)
class SeenStore:
    """What was seen, in a SQLite database: a temporary one, a store of its own, or that of the records.

    what: how a message names it. In a transaction that is open already, marks become part of it.
    """

    connection: sqlite3.Connection
    what: str

    @classmethod
    def temporary(cls) -> SeenStore:
        """For this run; SQLite removes the file by itself."""
        connection = sqlite3.connect("", isolation_level=None)
        connection.execute("PRAGMA journal_mode=OFF")
        connection.execute("PRAGMA synchronous=OFF")
        marks = cls(connection, "the temporary database of --dedup-by")
        marks.make()
        return marks

    @classmethod
    def stored(cls, path: Path) -> SeenStore:
        """`--dedup-store`. Raises UsageError for a file that is no database."""
        try:
            connection = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
            connection.execute("PRAGMA journal_mode=WAL")
            # No fsync for each batch: what a machine's crash takes back can double, as the guarantee allows.
            connection.execute("PRAGMA synchronous=NORMAL")
            marks = cls(connection, f"--dedup-store {path}")
            marks.make()
        except sqlite3.DatabaseError as exc:
            raise UsageError(f"--dedup-store {path} cannot be used: {exc}.", "Choose another file.") from exc
        return marks

    @classmethod
    def among_records(cls, connection: sqlite3.Connection, what: str) -> SeenStore:
        """In the database of the records."""
        marks = cls(connection, what)
        with marks.told():
            marks.make()
        return marks

    def make(self) -> None:
        """The tables, where they are not there yet. Raises sqlite3.DatabaseError."""
        self.connection.execute(f"PRAGMA cache_size=-{CACHE_KILOBYTES}")
        self.connection.execute(SEEN)
        self.connection.execute(REACHED)

    def prune(self, before: int) -> None:
        """Forget what was marked before this time (seconds since 1970)."""
        with self.told():
            self.connection.execute("DELETE FROM kdg_seen WHERE at < ?", (before,))

    def seen(self, ids: Sequence[bytes], since: int) -> set[bytes]:
        """Those that were marked at or after `since`; one query for a whole batch."""
        found: set[bytes] = set()
        with self.told():
            for at in range(0, len(ids), AT_ONCE):
                asked = ids[at : at + AT_ONCE]
                marks = ",".join("?" * len(asked))
                query = f"SELECT id FROM kdg_seen WHERE at >= ? AND id IN ({marks})"  # noqa: S608  # marks alone
                found.update(row[0] for row in self.connection.execute(query, (since, *asked)))
        return found

    def add(self, ids: Iterable[bytes], now: int) -> None:
        """Mark them."""
        with self.told(), self._transaction():
            self.connection.executemany(
                "INSERT INTO kdg_seen VALUES (?, ?) ON CONFLICT DO UPDATE SET at = excluded.at", [(i, now) for i in ids]
            )

    def reached(self, scope: str, topic_id: str, partition: int) -> int:
        """The offset up to which a partition was seen."""
        with self.told():
            where = "scope = ? AND topic_id = ? AND partition = ?"
            row = self.connection.execute(
                f"SELECT next FROM kdg_reached WHERE {where}",  # noqa: S608  # a constant
                (scope, topic_id, partition),
            ).fetchone()
        return 0 if row is None else int(row[0])

    def reach(self, rows: Iterable[tuple[str, str, int, int]]) -> None:
        """Move marks up: scope, topic id, partition, next offset."""
        with self.told(), self._transaction():
            self.connection.executemany(
                "INSERT INTO kdg_reached VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET next = max(next, excluded.next)",
                rows,
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        if self.connection.in_transaction:  # that of the records
            yield
            return
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    @contextmanager
    def told(self) -> Iterator[None]:
        """SQLite's errors as kdg's."""
        try:
            yield
        except sqlite3.DatabaseError as exc:
            raise KdgError(
                f"{self.what} cannot be used: {exc}; nothing of the batch is committed.", "Mend it and run it again."
            ) from exc

    def close(self) -> None:
        """A temporary database is gone with it."""
        self.connection.close()


@dataclass(slots=True)
class ByPosition:
    """A Dedup against redelivery. scope: whose marks; topic_id: by name."""

    marks: SeenStore
    scope: str
    topic_id: Callable[[str], str]
    _marked: dict[TopicPartition, int] = field(default_factory=dict)
    _pending: dict[TopicPartition, int] = field(default_factory=dict)

    def filter(self, batch: Batch) -> Batch:
        """See Dedup."""
        if not len(batch):
            return batch
        places: list[TopicPartition] = list(zip(batch.topics or (), batch.partitions or (), strict=True))
        offsets = batch.offsets or ()
        reached = {place: self._reached(place) for place in set(places)}
        keep = [offset >= reached[place] for place, offset in zip(places, offsets, strict=True)]
        # Offsets rise within a partition: the last one is the highest.
        last = dict(zip(places, offsets, strict=True))
        self._pending.update({place: max(reached[place], offset + 1) for place, offset in last.items()})
        return batch if all(keep) else chosen(batch, keep)

    def _reached(self, place: TopicPartition) -> int:
        if place not in self._marked:
            topic, partition = place
            self._marked[place] = self.marks.reached(self.scope, self.topic_id(topic), partition)
        return self._pending.get(place, self._marked[place])

    def mark(self) -> None:
        """See Dedup."""
        pending, self._pending = self._pending, {}
        self.marks.reach([(self.scope, self.topic_id(t), p, offset) for (t, p), offset in pending.items()])
        self._marked.update(pending)

    def forget(self) -> None:
        """See Dedup."""
        self._pending = {}


@dataclass(slots=True)
class ById:
    """A Dedup against what was sent twice. A record without the id is let through. scope: whose ids; ttl: seconds."""

    marks: SeenStore
    scope: str
    by: By
    ttl: float
    topic: str = ""
    """Of a batch that does not say."""
    clock: Callable[[], float] = time.time
    _pending: dict[bytes, None] = field(default_factory=dict)
    _pruned: float = 0.0

    def filter(self, batch: Batch) -> Batch:
        """See Dedup."""
        self._prune()
        ids = self._ids(batch)
        wanted = sorted(
            {i for i in ids if i is not None} - self._pending.keys()
        )  # sorted: near each other in the table
        # What comes first is kept, what comes again dropped: a dict keeps the first.
        new = dict.fromkeys(wanted) if not wanted else self._unseen(wanted)
        keep = [i is None or new.pop(i, False) is None for i in ids]
        self._pending.update(dict.fromkeys(i for i, kept in zip(ids, keep, strict=True) if kept and i is not None))
        return batch if all(keep) else chosen(batch, keep)

    def _unseen(self, ids: Sequence[bytes]) -> dict[bytes, None]:
        seen = self.marks.seen(ids, int(self.clock() - self.ttl))
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
        column: Sequence[Any] | None = getattr(batch, self.by.name)
        if column is None:
            return [None] * len(batch)
        return column if not self.by.header else [_header(headers, self.by.header) for headers in column]

    def _salt(self, topic: str) -> bytes:
        """The same id of another topic, group or kind is another id."""
        return hashlib.blake2b("\0".join((self.scope, topic, *self.by)).encode(), digest_size=DIGEST).digest()

    def _prune(self) -> None:
        now = self.clock()
        if now - self._pruned > PRUNE_SECONDS:
            self._pruned = now
            self.marks.prune(int(now - self.ttl))

    def mark(self) -> None:
        """See Dedup."""
        if self._pending:
            self.marks.add(sorted(self._pending), int(self.clock()))
            self._pending = {}

    def forget(self) -> None:
        """See Dedup."""
        self._pending = {}


def _header(headers: Headers | None, name: str) -> bytes | None:
    """The last of that name, as Kafka's own lastHeader."""
    return next((value for key, value in reversed(headers or ()) if key == name), None)


def chosen(batch: Batch, keep: Sequence[bool]) -> Batch:
    """The batch's records where `keep` is true."""

    def column(items: Sequence[Any] | None) -> Any:
        return None if items is None else list(compress(items, keep))

    columns: Mapping[str, Any] = {name: column(getattr(batch, name)) for name in _COLUMNS}
    return Batch(**columns)


_COLUMNS = ("values", "keys", "headers", "timestamps", "topics", "partitions", "offsets")
