"""`--sqlite FILE`: rows, tables that are refused, other processes that read, write or lock the database."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kdg.core.records import Batch, Position
from kdg.errors import Fenced, KdgError, UsageError
from kdg.sinks.sqlite import SqliteSink
from tests.support.sinks import (
    NO_LIMIT,
    Opened,
    at,
    batch,
    committed,
    in_table,
    in_table_with_positions,
    rows_of,
)


def test_row_has_every_part_of_the_record(tmp_path: Path) -> None:
    sink = SqliteSink(tmp_path / "db", 'a "name"', NO_LIMIT, keeps=False)
    sink.connect()
    columns = Batch(
        [b"\xff", None], [b"k", None], [[("h", b"\xff"), ("h", None)], []], [5, -1], ["t", "t"], [3, 3], [7, 9]
    )
    sink.write(columns)
    sink.flush()
    sink.close()
    with closing(sqlite3.connect(tmp_path / "db")) as connection:
        found = connection.execute('SELECT topic, partition, offset, timestamp, key, value, headers FROM "a ""name"""')
        assert found.fetchall() == [
            ("t", 3, 7, 5, b"k", b"\xff", '[["h", {"base64": "/w=="}], ["h", null]]'),
            ("t", 3, 9, None, None, None, "[]"),
        ]


@pytest.mark.parametrize("keeps", [True, False])
def test_table_with_other_columns_is_refused(tmp_path: Path, keeps: bool) -> None:
    with closing(sqlite3.connect(tmp_path / "db")) as connection:
        connection.execute("CREATE TABLE records (id, body)")
    with pytest.raises(UsageError, match="id, body"):
        SqliteSink(tmp_path / "db", "records", NO_LIMIT, keeps=keeps).connect()
    with closing(sqlite3.connect(tmp_path / "db")) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("records",)]


@pytest.mark.parametrize("first", [True, False])
def test_table_belongs_to_one_guarantee(tmp_path: Path, first: bool) -> None:
    make = {True: in_table_with_positions, False: in_table}
    with Opened(make[first](tmp_path)) as sink:
        if first:
            committed(sink, b"1")
        else:
            sink.write(batch(b"1"))
            sink.flush()
    with pytest.raises(UsageError, match="table"):
        make[not first](tmp_path).open()
    assert rows_of(tmp_path / "db") == [b"1"]


def test_file_that_is_not_a_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "db").write_bytes(b"text, and more of it\n" * 100)
    with pytest.raises(KdgError, match="--sqlite"):
        SqliteSink(tmp_path / "db", "records", NO_LIMIT, keeps=True).connect()


def test_position_moved_by_another_is_fenced(tmp_path: Path) -> None:
    """Also in a transaction without records, whose rows the table could refuse."""
    with Opened(in_table_with_positions(tmp_path)) as sink, Opened(in_table_with_positions(tmp_path)) as other:
        sink.keep(at(5))
        for opened in (sink, other):
            opened.recycle()
        sink.keep(at(7))
        with pytest.raises(Fenced):
            other.keep(at(6))
        other.abort()
        assert rows_of(tmp_path / "db") == []
        sink.recycle()
        assert sink.stored() == {("t", 0): 7}


def test_exactly_once_table_refuses_a_second_row(tmp_path: Path) -> None:
    with Opened(in_table_with_positions(tmp_path)) as sink, closing(sqlite3.connect(tmp_path / "db")) as connection:
        committed(sink, b"1")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute("INSERT INTO records SELECT * FROM records")


def test_database_can_be_read_while_written(tmp_path: Path) -> None:
    with Opened(in_table_with_positions(tmp_path)) as sink:
        committed(sink, b"1")
        sink.begin()
        sink.write(batch(b"2", first=1))
        assert rows_of(tmp_path / "db") == [b"1"]


def test_database_held_by_another_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run ends with exit 1 if another process has the lock for too long."""
    monkeypatch.setattr("kdg.sinks.sqlite.LOCKED_SECONDS", 0.3)
    with (
        Opened(in_table_with_positions(tmp_path)) as sink,
        closing(sqlite3.connect(tmp_path / "db", isolation_level=None)) as other,
    ):
        committed(sink, b"1")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(KdgError, match="locked by another process") as failed:
            sink.begin()
        assert failed.value.exit_code == 1
        other.execute("ROLLBACK")
        committed(sink, b"2", first=1)
    assert rows_of(tmp_path / "db") == [b"1", b"2"]


def test_epoch_of_a_position_that_an_older_version_moved_does_not_count(tmp_path: Path) -> None:
    """An older version of kdg moves the position and does not know the table of epochs."""
    with Opened(in_table_with_positions(tmp_path)) as sink:
        sink.keep([Position("t", 0, 5, leader_epoch=3)])
    with closing(sqlite3.connect(tmp_path / "db")) as connection, connection:
        connection.execute("UPDATE kdg_positions SET next = 9")
    with Opened(in_table_with_positions(tmp_path)) as sink:
        assert (sink.stored(), sink.epochs()) == ({("t", 0): 9}, {("t", 0): None})
