"""Owns the tables of `--sqlite FILE`: their columns, whether an existing table can be used, how records become rows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from itertools import repeat
from pathlib import Path

from kdg.core.records import Batch, Headers
from kdg.errors import UsageError
from kdg.formats.shapes import header_list

COLUMNS = {
    "topic": "TEXT NOT NULL",
    "partition": "INTEGER NOT NULL",
    "offset": "INTEGER NOT NULL",
    "timestamp": "INTEGER",
    "key": "BLOB",
    "value": "BLOB",
    "headers": "TEXT NOT NULL",
}
"""Of the table of records. headers: JSON, [[name, value], ...], as in `consume -J`."""
READS = frozenset({"topics", "partitions", "offsets", "timestamps", "keys", "values", "headers"})
"""The columns of Batch that a row is made of."""
POSITIONS = """CREATE TABLE IF NOT EXISTS kdg_positions (
    "table" TEXT NOT NULL,
    cluster TEXT NOT NULL,
    topic TEXT NOT NULL,
    topic_id TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next INTEGER NOT NULL,
    PRIMARY KEY ("table", topic, partition)) WITHOUT ROWID"""
"""One row for each partition whose records go to the table "table"; next: the offset of the next record to read."""

EPOCHS = """CREATE TABLE IF NOT EXISTS kdg_epochs (
    "table" TEXT NOT NULL,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    PRIMARY KEY ("table", topic, partition)) WITHOUT ROWID"""
"""The leader epoch of a position, if it is known. It counts only while `next` is that of the position: an older version
of kdg, which does not know this table, moves the position alone."""


def quoted(name: str) -> str:
    """A name of a table or an index as SQL writes it: any character may be in it."""
    return '"' + name.replace('"', '""') + '"'


def make_tables(connection: sqlite3.Connection, path: Path, table: str, *, keeps: bool) -> None:
    """Create the tables that do not exist. Raises UsageError for a table with other columns, or of another guarantee.

    keeps: the positions are stored with the records (exactly-once).
    """
    name = quoted(table)
    found = [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
    if found and found != list(COLUMNS):
        raise UsageError(
            f"--sqlite {path} has a table {table} with the columns {', '.join(found)}.",
            f"kdg writes {', '.join(COLUMNS)}: choose another --table, or another file.",
        )
    connection.execute(POSITIONS)
    connection.execute(EPOCHS)
    query = 'SELECT count(*) FROM kdg_positions WHERE "table" = ?'
    has_positions = connection.execute(query, (table,)).fetchone()[0] > 0
    if keeps and not has_positions and found and _has_rows(connection, name):
        raise UsageError(
            f"--sqlite {path}: the table {table} is not empty and has no positions: "
            "it is unknown which records are in it.",
            "Choose another --table, or another file.",
        )
    if has_positions and not keeps:
        raise UsageError(
            f"--sqlite {path}: the table {table} belongs to exactly-once; "
            "its positions would not count the rows added now.",
            "Choose another --table, or -g exactly-once.",
        )
    columns = ", ".join(f"{column} {kind}" for column, kind in COLUMNS.items())
    connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns})")
    if keeps:
        index = quoted(f"{table}_once")
        connection.execute(f"CREATE UNIQUE INDEX IF NOT EXISTS {index} ON {name} (topic, partition, offset)")


def _has_rows(connection: sqlite3.Connection, name: str) -> bool:
    return connection.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone() is not None  # noqa: S608  # quoted


def insert(connection: sqlite3.Connection, table: str, batch: Batch) -> None:
    """Add the records as rows. Raises sqlite3.IntegrityError if one of them is in the table already."""
    values = ",".join("?" * len(COLUMNS))
    connection.executemany(f"INSERT INTO {quoted(table)} VALUES ({values})", _rows(batch))  # noqa: S608  # quoted


def _rows(batch: Batch) -> Iterable[tuple[object, ...]]:
    times: Iterable[object] = [None if t < 0 else t for t in batch.timestamps or ()] or repeat(None)
    keys = repeat(None) if batch.keys is None else batch.keys
    headers = repeat("[]") if batch.headers is None else map(_headers, batch.headers)
    assert batch.topics is not None  # noqa: S101  # READS has them
    assert batch.partitions is not None  # noqa: S101
    assert batch.offsets is not None  # noqa: S101
    return zip(batch.topics, batch.partitions, batch.offsets, times, keys, batch.values, headers, strict=False)


def _headers(headers: Headers | None) -> str:
    return json.dumps(header_list(headers), ensure_ascii=False) if headers else "[]"
