"""Owns `--sqlite FILE`: records as rows of a table; under exactly-once with their positions, in the same transaction.

Positions move by compare-and-swap: an UPDATE names the position that this run last stored. If another process has moved
it since, no row matches, and the run ends with exit 6 instead of adding records twice. The database is in WAL mode, so
that others can read it at any time. The tables: kdg/sinks/sqlite_table.py. Before each commit, the path has to name the
file that is open: kdg/runtime/database_file.py.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kdg.core.records import Batch, Offsets, Origin, Position, TopicPartition
from kdg.errors import Fenced, KdgError, UsageError
from kdg.runtime.database_file import DatabaseFile, is_locked, locked, primary_code
from kdg.runtime.deadline import Deadline
from kdg.sinks.kept_positions import KeptPositions, commit_alone, refuse_other_topics
from kdg.sinks.sqlite_table import insert, make_tables

LOCKED_SECONDS = 5.0
"""A run waits this long for the lock of another process. It is less than the time that a run has after a signal."""


@dataclass(slots=True)
class SqliteSink:
    """A Target that adds rows to a table; a Sink if it stores the positions, too.

    keeps: the positions are stored here (exactly-once). joined: called inside the transaction of the rows, before it is
    committed; `--dedup-by` marks records as seen there.
    """

    path: Path
    table: str
    deadline: Deadline
    keeps: bool
    joined: Callable[[], None] = lambda: None
    connection: sqlite3.Connection = field(init=False)
    _file: DatabaseFile = field(init=False)
    _positions: KeptPositions = field(default_factory=KeptPositions)

    def __post_init__(self) -> None:
        self._file = DatabaseFile(self.path, "--sqlite")

    def connect(self) -> None:
        """Open the database and make the tables. Raises UsageError for a file or a table that cannot be used."""
        self.connection = self._file.connect(timeout=0.1)
        try:
            with self._translated():
                self._retry_while_locked("PRAGMA journal_mode=WAL")
                self.connection.execute("PRAGMA synchronous=FULL")
                self._begin()
                make_tables(self.connection, self.path, self.table, keeps=self.keeps)
                self.connection.execute("COMMIT")
            self._file.remember()
        except KdgError:
            self.close()
            raise

    # ── the position store ──

    def open(self, origin: Origin) -> None:
        """See PositionStore."""
        with self._translated():
            query = """SELECT cluster, topic, topic_id, partition, next, epoch FROM kdg_positions
                LEFT JOIN kdg_epochs USING ("table", topic, partition, next) WHERE "table" = ?"""
            rows = self.connection.execute(query, (self.table,)).fetchall()
        if rows:
            held = Origin(rows[0][0], {topic: topic_id for _cluster, topic, topic_id, *_ in rows})
            refuse_other_topics(f"--sqlite {self.path}", held, origin)
        stored = {(topic, partition): offset for _cluster, topic, _id, partition, offset, _epoch in rows}
        epochs = {(topic, partition): epoch for _cluster, topic, _id, partition, _offset, epoch in rows}
        self._positions = KeptPositions(origin.cluster, dict(origin.topics), stored, self._positions.recorded, epochs)

    def stored(self) -> Offsets:
        """See PositionStore."""
        return self._positions.stored

    def epochs(self) -> Mapping[TopicPartition, int | None]:
        """See PositionStore."""
        return self._positions.epochs

    def keep(self, positions: Sequence[Position]) -> None:
        """See PositionStore."""
        commit_alone(self, positions)

    # ── the target ──

    def write(self, batch: Batch) -> None:
        """See Target. Raises Fenced if a row is in the table already: another process added it."""
        if not len(batch):
            return
        with self._translated():
            if not self.connection.in_transaction:
                self._begin()
            insert(self.connection, self.table, batch)

    def flush(self) -> None:
        """See Target: commits the rows, unless the positions are part of the transaction (then `commit` does)."""
        if not self.keeps and self.connection.in_transaction:
            with self._translated():
                self.joined()
                self._commit()

    def close(self) -> None:
        """See Target: what is not committed is rolled back."""
        self.connection.close()

    # ── the transaction ──

    def begin(self) -> None:
        """See Transaction. Raises KdgError if another process has the lock for LOCKED_SECONDS."""
        with self._translated():
            self._begin()
        self._positions.forget()

    def record(self, positions: Sequence[Position]) -> None:
        """See Transaction. Raises Fenced if a position in the database is not the one that this run stored."""
        with self._translated():
            for position in positions:
                self._move(position)
                self._positions.record([position])

    def _move(self, position: Position) -> None:
        """Store one position by compare-and-swap. Raises Fenced."""
        topic, partition, offset = position.topic, position.partition, position.offset
        expected = self._positions.stored.get((topic, partition))
        if expected is None:
            topic_id = self._positions.topic_ids[topic]
            row = (self.table, self._positions.cluster, topic, topic_id, partition, offset)
            done = self.connection.execute("INSERT OR IGNORE INTO kdg_positions VALUES (?,?,?,?,?,?)", row)
        else:
            swap = 'UPDATE kdg_positions SET next = ? WHERE topic = ? AND partition = ? AND next = ? AND "table" = ?'
            done = self.connection.execute(swap, (offset, topic, partition, expected, self.table))
        if done.rowcount != 1:
            raise self._fenced()
        if position.leader_epoch is not None:
            row_of_epoch = (self.table, topic, partition, offset, position.leader_epoch)
            self.connection.execute("INSERT OR REPLACE INTO kdg_epochs VALUES (?,?,?,?,?)", row_of_epoch)

    def commit(self) -> None:
        """See Transaction."""
        with self._translated():
            self._commit()
        self._positions.committed()

    def abort(self) -> None:
        """See Transaction."""
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def recycle(self) -> None:
        """See Transaction: the positions in the table show whether the commit took effect."""
        self.abort()
        self.open(Origin(self._positions.cluster, self._positions.topic_ids))

    def _commit(self) -> None:
        """Raises KdgError if the file is not in its place any more; then the transaction is still open."""
        self._file.require_in_place()
        self.connection.execute("COMMIT")

    # ── locks and errors ──

    def _begin(self) -> None:
        """Take the write lock at once. Later it could fail, because the database has changed since the first read."""
        self._retry_while_locked("BEGIN IMMEDIATE")

    def _retry_while_locked(self, statement: str) -> None:
        """Execute a statement; again while another process has the lock, until LOCKED_SECONDS or the deadline."""
        began = time.monotonic()
        while True:
            try:
                self.connection.execute(statement)
            except sqlite3.OperationalError as exc:
                if not is_locked(exc) or self.deadline.over(LOCKED_SECONDS, began):
                    raise
            else:
                return

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """SQLite's errors become kdg's. The open transaction stays open; `abort` or `close` rolls it back."""
        try:
            yield
        except sqlite3.IntegrityError as exc:
            raise self._fenced() from exc
        except sqlite3.DatabaseError as exc:
            raise self._unusable(exc) from exc

    def _fenced(self) -> Fenced:
        return Fenced(
            f"another process has written to the table {self.table} of --sqlite {self.path} in the meantime; "
            "the batch is not committed.",
            "Let that process continue, or stop it and run this again: one process at a time may write to a table.",
        )

    def _unusable(self, exc: sqlite3.DatabaseError) -> KdgError:
        what = f"--sqlite {self.path}"
        if is_locked(exc):
            return locked(what, LOCKED_SECONDS)
        if primary_code(exc) in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB) and not self._file.opened:
            return UsageError(f"{what} cannot be used: {exc}.", "Choose another file.")
        return KdgError(
            f"{what} cannot be used: {exc}; nothing of the batch is committed.", "Fix the cause and run it again."
        )
