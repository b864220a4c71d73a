"""Owns `--sqlite FILE`: records as rows of a table; under exactly-once with their positions, in one transaction.

The table has the columns topic, partition, offset, timestamp, key, value, headers; keys and values are BLOBs, headers JSON. The
positions are in the table kdg_positions and move by compare-and-swap: a second writer fails and does not double. WAL: it can be
read while it is written.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path

from kdg.core.records import Batch, Headers, Offsets, Origin, Position, TopicPartition
from kdg.errors import Fenced, KdgError, UsageError
from kdg.formats.shapes import header_list
from kdg.runtime.deadline import Deadline
from kdg.sinks.same_topics import refuse_other_topics

COLUMNS = {
    "topic": "TEXT NOT NULL",
    "partition": "INTEGER NOT NULL",
    "offset": "INTEGER NOT NULL",
    "timestamp": "INTEGER",
    "key": "BLOB",
    "value": "BLOB",
    "headers": "TEXT NOT NULL",
}
READS = frozenset({"topics", "partitions", "offsets", "timestamps", "keys", "values", "headers"})
LOCKED_SECONDS = 5.0
"""How long a lock of somebody else is waited for; less than a run may take to end after a signal."""
POSITIONS = """CREATE TABLE IF NOT EXISTS kdg_positions (
    "table" TEXT NOT NULL, cluster TEXT NOT NULL, topic TEXT NOT NULL, topic_id TEXT NOT NULL, partition INTEGER NOT NULL,
    next INTEGER NOT NULL, PRIMARY KEY ("table", topic, partition)) WITHOUT ROWID"""


@dataclass(slots=True)
class SqliteSink:
    """A Target over a table, and under exactly-once a Sink. keeps: the positions are kept here.

    joined: what is to be done in the transaction of the rows, before it is committed.
    """

    path: Path
    table: str
    deadline: Deadline
    keeps: bool
    joined: Callable[[], None] = lambda: None
    connection: sqlite3.Connection = field(init=False)
    _cluster: str = ""
    _ids: dict[str, str] = field(default_factory=dict)
    _positions: dict[TopicPartition, int] = field(default_factory=dict)
    _recorded: dict[TopicPartition, int] = field(default_factory=dict)

    def connect(self) -> None:
        """Open the database and make the table. Raises UsageError for a table of another shape."""
        with self._told():
            self.connection = sqlite3.connect(self.path, timeout=0.1, isolation_level=None)
        try:
            with self._told():
                self._prepare()
        except KdgError:
            self.close()
            raise

    def _prepare(self) -> None:
        self._patiently("PRAGMA journal_mode=WAL")
        self.connection.execute("PRAGMA synchronous=FULL")
        self._begin()
        self._make_table()
        self.connection.execute("COMMIT")

    def _make_table(self) -> None:
        shape = {row[1]: row[2] for row in self.connection.execute(f"PRAGMA table_info({self._name})")}
        if shape and list(shape) != list(COLUMNS):
            raise UsageError(
                f"--sqlite {self.path} has a table {self.table} with the columns {', '.join(shape)}.",
                f"kdg writes {', '.join(COLUMNS)}: choose another --table, or another file.",
            )
        self.connection.execute(POSITIONS)
        stored = self._of_table("SELECT count(*) FROM kdg_positions").fetchone()[0]
        if self.keeps and not stored and self._has_rows(shape):
            raise UsageError(
                f"--sqlite {self.path}: the table {self.table} is not empty and has no positions: nobody knows which records are in it.",
                "Choose another --table, or another file.",
            )
        if stored and not self.keeps:
            raise UsageError(
                f"--sqlite {self.path}: the table {self.table} belongs to exactly-once, whose positions would not know of more rows.",
                "Choose another --table, or -g exactly-once.",
            )
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        self.connection.execute(f"CREATE TABLE IF NOT EXISTS {self._name} ({columns})")
        if self.keeps:
            index = _quoted(f"{self.table}_once")
            self.connection.execute(
                f"CREATE UNIQUE INDEX IF NOT EXISTS {index} ON {self._name} (topic, partition, offset)"
            )

    def _has_rows(self, shape: object) -> bool:
        return bool(shape) and self.connection.execute(f"SELECT 1 FROM {self._name} LIMIT 1").fetchone() is not None  # noqa: S608  # quoted

    @property
    def _name(self) -> str:
        return _quoted(self.table)

    def _of_table(self, query: str, *values: object) -> sqlite3.Cursor:
        return self.connection.execute(f'{query} WHERE "table" = ?', (*values, self.table))

    # ── the position_store ──

    def open(self, origin: Origin) -> None:
        """See PositionStore."""
        with self._told():
            rows = self._of_table("SELECT cluster, topic, topic_id, partition, next FROM kdg_positions").fetchall()
        if rows:
            held = Origin(rows[0][0], {topic: topic_id for _cluster, topic, topic_id, _p, _next in rows})
            refuse_other_topics(f"--sqlite {self.path}", held, origin)
        self._cluster, self._ids = origin.cluster, dict(origin.topics)
        self._positions = {(topic, partition): offset for _cluster, topic, _id, partition, offset in rows}

    def stored(self) -> Offsets:
        """See PositionStore."""
        return self._positions

    def keep(self, positions: Sequence[Position]) -> None:
        """See PositionStore."""
        self.begin()
        self.record(positions)
        self.commit()

    # ── the target ──

    def write(self, batch: Batch) -> None:
        """See Target. Raises Fenced where the rows are there already: another writer put them there."""
        if not len(batch):
            return
        marks = ",".join("?" * len(COLUMNS))
        with self._told():
            if not self.connection.in_transaction:
                self._begin()
            self.connection.executemany(f"INSERT INTO {self._name} VALUES ({marks})", _rows(batch))  # noqa: S608  # quoted

    def flush(self) -> None:
        """See Target: committed, where the positions are not part of it."""
        if not self.keeps and self.connection.in_transaction:
            with self._told():
                self.joined()
                self.connection.execute("COMMIT")

    def close(self) -> None:
        """What is not committed is rolled back."""
        self.connection.close()

    # ── the transaction ──

    def begin(self) -> None:
        """See Transaction. Raises KdgError while somebody else holds the database."""
        with self._told():
            self._begin()
        self._recorded = {}

    def record(self, positions: Sequence[Position]) -> None:
        """See Transaction. Raises Fenced when a position is not where this run left it."""
        with self._told():
            for p in positions:
                self._move(p, self._positions.get((p.topic, p.partition)))
                self._recorded[p.topic, p.partition] = p.offset

    def _move(self, position: Position, expected: int | None) -> None:
        topic, partition, offset = position.topic, position.partition, position.offset
        if expected is None:
            row = (self.table, self._cluster, topic, self._ids[topic], partition, offset)
            done = self.connection.execute("INSERT OR IGNORE INTO kdg_positions VALUES (?,?,?,?,?,?)", row)
        else:
            swap = 'UPDATE kdg_positions SET next = ? WHERE topic = ? AND partition = ? AND next = ? AND "table" = ?'
            done = self.connection.execute(swap, (offset, topic, partition, expected, self.table))
        if done.rowcount != 1:
            raise self._fenced()

    def commit(self) -> None:
        """See Transaction."""
        with self._told():
            self.connection.execute("COMMIT")
        self._positions = {**self._positions, **self._recorded}

    def abort(self) -> None:
        """See Transaction."""
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def recycle(self) -> None:
        """See Transaction: the table tells whether the commit took effect."""
        self.abort()
        self.open(Origin(self._cluster, self._ids))

    # ── locks and errors ──

    def _begin(self) -> None:
        """The write lock, at once: a later one could meet a database that has moved on."""
        self._patiently("BEGIN IMMEDIATE")

    def _patiently(self, statement: str) -> None:
        """Again while somebody else holds the lock, for a while and as long as no signal cuts it short."""
        import time

        began = time.monotonic()
        while True:
            try:
                self.connection.execute(statement)
            except sqlite3.OperationalError as exc:
                if not _is_busy(exc) or self.deadline.over(LOCKED_SECONDS, began):
                    raise
            else:
                return

    @contextmanager
    def _told(self) -> Iterator[None]:
        """SQLite's errors as kdg's; what the transaction held is rolled back by `abort` or `close`."""
        try:
            yield
        except sqlite3.IntegrityError as exc:
            raise self._fenced() from exc
        except sqlite3.DatabaseError as exc:
            raise unusable(f"--sqlite {self.path}", exc) from exc

    def _fenced(self) -> Fenced:
        return Fenced(
            f"another process has written to the table {self.table} of --sqlite {self.path} meanwhile; the batch is not committed.",
            "Let it go on, or stop it and run this again: one writer at a time.",
        )


def unusable(what: str, exc: sqlite3.DatabaseError) -> KdgError:
    """How a run ends that cannot use its database. what: the option with its file."""
    if _is_busy(exc):
        return KdgError(
            f"{what} is locked by another process since {LOCKED_SECONDS:g} s; nothing of the batch is committed.",
            "Let it end its transaction, and run it again.",
        )
    return KdgError(f"{what} cannot be used: {exc}; nothing of the batch is committed.", "Mend it and run it again.")


def _is_busy(exc: sqlite3.Error) -> bool:
    return getattr(exc, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _rows(batch: Batch) -> Iterable[tuple[object, ...]]:
    times: Iterable[object] = [None if t < 0 else t for t in batch.timestamps or ()] or repeat(None)
    keys = repeat(None) if batch.keys is None else batch.keys
    headers = repeat("[]") if batch.headers is None else map(_headers, batch.headers)
    assert batch.topics is not None  # noqa: S101  # READS asks for them
    assert batch.partitions is not None  # noqa: S101
    assert batch.offsets is not None  # noqa: S101
    return zip(batch.topics, batch.partitions, batch.offsets, times, keys, batch.values, headers, strict=False)


def _headers(headers: Headers | None) -> str:
    return json.dumps(header_list(headers), ensure_ascii=False) if headers else "[]"
