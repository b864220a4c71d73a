"""Owns the database of what `--dedup-by` has seen: ids with the time at which they were seen, and offsets by partition.

Ids are 16-byte digests in SQLite, so that memory does not grow with their number.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kdg.errors import KdgError, UsageError
from kdg.runtime.database_file import DatabaseFile, is_locked, locked

AT_ONCE = 10_000
"""Ids in one query; SQLite accepts at most 32766."""
CACHE_KILOBYTES = 32_000
WAIT_SECONDS = 5.0
"""A query waits this long for the lock of another process."""
SEEN = "CREATE TABLE IF NOT EXISTS kdg_seen (id BLOB PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID"
"""at: seconds since 1970."""
REACHED = """CREATE TABLE IF NOT EXISTS kdg_reached (
    scope TEXT NOT NULL,
    topic_id TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next INTEGER NOT NULL,
    PRIMARY KEY (scope, topic_id, partition)) WITHOUT ROWID"""
"""next: every offset below it was seen."""


@dataclass(slots=True)
class SeenStore:
    """A SQLite database of ids and offsets that were seen.

    Three kinds: a temporary one (`temporary`), a file of its own (`in_file`), or the database of the records
    (`among_records`). In a transaction that is already open, changes become part of that transaction.

    name: what messages call the database. file: its file, if it has one of its own.
    """

    connection: sqlite3.Connection
    name: str
    file: DatabaseFile | None = None

    @classmethod
    def temporary(cls) -> SeenStore:
        """A database for this run only. SQLite removes its file."""
        connection = sqlite3.connect("", isolation_level=None)
        connection.execute("PRAGMA journal_mode=OFF")
        connection.execute("PRAGMA synchronous=OFF")
        store = cls(connection, "the temporary database of --dedup-by")
        store._make_tables()
        return store

    @classmethod
    def in_file(cls, path: Path) -> SeenStore:
        """`--dedup-store FILE`. Raises UsageError for a file that is not a database."""
        file = DatabaseFile(path, "--dedup-store")
        connection = file.connect(WAIT_SECONDS)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            # No fsync for each batch. If the machine crashes, the last ids may be missing: their records may be
            # duplicated then, which at-least-once allows.
            connection.execute("PRAGMA synchronous=NORMAL")
            store = cls(connection, file.name, file)
            store._make_tables()
            file.remember()
        except sqlite3.DatabaseError as exc:
            if is_locked(exc):
                raise locked(file.name, WAIT_SECONDS) from exc
            raise UsageError(f"--dedup-store {path} cannot be used: {exc}.", "Choose another file.") from exc
        return store

    @classmethod
    def among_records(cls, connection: sqlite3.Connection, name: str) -> SeenStore:
        """Tables in the database of the records (`--sqlite FILE`), which the sink has opened."""
        store = cls(connection, name)
        with store._translated():
            store._make_tables()
        return store

    def _make_tables(self) -> None:
        self.connection.execute(f"PRAGMA cache_size=-{CACHE_KILOBYTES}")
        self.connection.execute(SEEN)
        self.connection.execute(REACHED)

    # ── ids ──

    def seen(self, ids: Sequence[bytes], since: int) -> set[bytes]:
        """Those of the ids that were seen at or after `since` (seconds since 1970)."""
        found: set[bytes] = set()
        with self._translated():
            for at in range(0, len(ids), AT_ONCE):
                asked = ids[at : at + AT_ONCE]
                places = ",".join("?" * len(asked))
                query = f"SELECT id FROM kdg_seen WHERE at >= ? AND id IN ({places})"  # noqa: S608  # "?,?,?"
                found.update(row[0] for row in self.connection.execute(query, (since, *asked)))
        return found

    def add(self, ids: Iterable[bytes], now: int) -> None:
        """Store ids as seen at `now` (seconds since 1970)."""
        with self._translated(), self._transaction():
            self.connection.executemany(
                "INSERT INTO kdg_seen VALUES (?, ?) ON CONFLICT DO UPDATE SET at = excluded.at", [(i, now) for i in ids]
            )

    def prune(self, before: int) -> None:
        """Remove the ids that were seen before this time (seconds since 1970)."""
        with self._translated():
            self.connection.execute("DELETE FROM kdg_seen WHERE at < ?", (before,))

    # ── offsets ──

    def next_offset(self, scope: str, topic_id: str, partition: int) -> int:
        """Every offset of the partition below this one was seen; 0 if none was."""
        with self._translated():
            where = "scope = ? AND topic_id = ? AND partition = ?"
            row = self.connection.execute(
                f"SELECT next FROM kdg_reached WHERE {where}",  # noqa: S608  # a constant
                (scope, topic_id, partition),
            ).fetchone()
        return 0 if row is None else int(row[0])

    def advance(self, rows: Iterable[tuple[str, str, int, int]]) -> None:
        """Store next offsets; an offset never goes back. A row: scope, topic id, partition, next offset."""
        with self._translated(), self._transaction():
            self.connection.executemany(
                "INSERT INTO kdg_reached VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET next = max(next, excluded.next)",
                rows,
            )

    # ── transactions and errors ──

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        if self.connection.in_transaction:  # the transaction of the records
            yield
            return
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            if self.file is not None:
                self.file.require_in_place()
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """SQLite's errors become kdg's."""
        try:
            yield
        except sqlite3.DatabaseError as exc:
            if is_locked(exc):
                raise locked(self.name, WAIT_SECONDS) from exc
            raise KdgError(
                f"{self.name} cannot be used: {exc}; nothing of the batch is committed.",
                "Fix the cause and run it again.",
            ) from exc

    def close(self) -> None:
        """Close the database; a temporary one is removed."""
        self.connection.close()
