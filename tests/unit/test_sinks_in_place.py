"""Files of sinks that are renamed, removed, replaced or cut back while a run writes to them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from kdg.errors import Fenced, KdgError, UsageError
from kdg.formats.lines import LineEncoder
from kdg.sinks.file import FileSink
from kdg.sinks.journal import JournaledFile
from kdg.sinks.sqlite import SqliteSink
from kdg.transforms.seen_store import SeenStore
from tests.support.sinks import (
    NO_LIMIT,
    ORIGIN,
    Opened,
    Place,
    at,
    batch,
    committed,
    in_file,
    in_journaled_file,
    in_table,
    in_table_with_positions,
    lines_of,
    rows_of,
)


def renamed(path: Path) -> None:
    path.rename(path.with_name(path.name + ".1"))


def removed(path: Path) -> None:
    path.unlink()


def replaced(path: Path) -> None:
    path.with_name("new").write_bytes(b"")
    path.with_name("new").rename(path)


def cut_back(path: Path) -> None:
    os.truncate(path, 0)


Change = Callable[[Path], None]
GONE = pytest.mark.parametrize("change", [removed, replaced, cut_back])
MOVED = pytest.mark.parametrize("change", [renamed, removed, replaced])


# ── --output without a journal ──


@MOVED
def test_file_moved_between_batches_is_begun_again(tmp_path: Path, change: Change) -> None:
    with Opened(in_file(tmp_path)) as sink:
        sink.write(batch(b"1"))
        sink.flush()
        change(tmp_path / "out")
        sink.write(batch(b"2", first=1))
        sink.flush()
    assert lines_of(tmp_path / "out") == [b"2"]
    if change is renamed:
        assert lines_of(tmp_path / "out.1") == [b"1"]


def test_file_renamed_within_a_batch_keeps_its_records(tmp_path: Path) -> None:
    with Opened(in_file(tmp_path)) as sink:
        sink.write(batch(b"1"))
        renamed(tmp_path / "out")
        sink.write(batch(b"2", first=1))
        renamed_again = tmp_path / "out.1"
        renamed_again.rename(tmp_path / "out.2")
        renamed(tmp_path / "out")
        sink.flush()
        sink.write(batch(b"3", first=2))
    assert [lines_of(tmp_path / name) for name in ("out.2", "out.1", "out")] == [[b"1"], [b"2"], [b"3"]]


@GONE
def test_batch_in_a_file_without_name_is_not_flushed(tmp_path: Path, change: Change) -> None:
    with Opened(in_file(tmp_path)) as sink:
        sink.write(batch(b"1"))
        change(tmp_path / "out")
        with pytest.raises(KdgError, match="not committed") as failed:
            sink.flush()
    assert failed.value.exit_code == 1


@GONE
def test_batch_in_a_file_without_name_takes_no_more(tmp_path: Path, change: Change) -> None:
    with Opened(in_file(tmp_path)) as sink:
        sink.write(batch(b"1"))
        change(tmp_path / "out")
        with pytest.raises(KdgError, match="not committed"):
            sink.write(batch(b"2", first=1))


def test_file_that_others_add_to_or_cut_back_between_batches_is_fine(tmp_path: Path) -> None:
    with Opened(in_file(tmp_path)) as sink:
        for number in range(3):
            sink.write(batch(b"%d" % number, first=number))
            with (tmp_path / "out").open("ab") as other:
                other.write(b"other\n")
            sink.flush()
            cut_back(tmp_path / "out")
        sink.write(batch(b"3", first=3))
        sink.flush()
    assert lines_of(tmp_path / "out") == [b"3"]


@pytest.mark.parametrize("change", [renamed, removed, replaced, cut_back])
def test_at_most_once_goes_on_whatever_others_do(tmp_path: Path, change: Change) -> None:
    sink = FileSink(tmp_path / "out", LineEncoder(), commits_first=True)
    sink.open()
    sink.write(batch(b"1"))
    change(tmp_path / "out")
    sink.write(batch(b"2", first=1))
    sink.flush()
    sink.close()
    assert lines_of(tmp_path / "out") == [b"2"]


def test_new_file_that_another_run_writes_is_exit_6(tmp_path: Path) -> None:
    with Opened(in_file(tmp_path)) as sink:
        renamed(tmp_path / "out")
        with Opened(in_file(tmp_path)), pytest.raises(Fenced):
            sink.write(batch(b"1"))


# ── --output with a journal ──


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("out", renamed),
        ("out", removed),
        ("out", replaced),
        ("out", cut_back),
        ("out.kdg", renamed),
        ("out.kdg", removed),
        ("out.kdg", replaced),
    ],
)
def test_transaction_in_a_moved_file_is_not_committed(tmp_path: Path, change: Change, name: str) -> None:
    with Opened(in_journaled_file(tmp_path)) as sink:
        committed(sink, b"1")
        journal = (tmp_path / "out.kdg").read_bytes()
        sink.begin()
        sink.write(batch(b"2", first=1))
        sink.flush()
        change(tmp_path / name)
        sink.record(at(2))
        with pytest.raises(KdgError, match="not committed"):
            sink.commit()
        if change is not cut_back:
            sink.abort()
    kept = [path.read_bytes() for path in tmp_path.glob("out.kdg*")]
    assert name == "out.kdg" or kept == [journal]
    if change is renamed and name == "out":
        assert lines_of(tmp_path / "out.1") == [b"1"]


def test_bytes_of_others_in_a_journaled_file_are_not_committed(tmp_path: Path) -> None:
    with Opened(in_journaled_file(tmp_path)) as sink:
        committed(sink, b"1")
        sink.begin()
        sink.write(batch(b"2", first=1))
        with (tmp_path / "out").open("ab") as other:
            other.write(b"other\n")
        sink.record(at(2))
        with pytest.raises(KdgError, match="another program"):
            sink.commit()
        sink.abort()
        committed(sink, b"2", first=1)
    assert lines_of(tmp_path / "out") == [b"1", b"2"]


def test_abort_spares_a_file_whose_journal_is_not_its_own(tmp_path: Path) -> None:
    """Both were renamed, and another run has begun: its journal counts other bytes."""
    with Opened(in_journaled_file(tmp_path)) as sink:
        committed(sink, b"1", b"2", b"3")
        for name in ("out", "out.kdg"):
            renamed(tmp_path / name)
        with Opened(in_journaled_file(tmp_path)) as other:
            committed(other, b"1")
            sink.begin()
            sink.abort()
            assert lines_of(tmp_path / "out.1") == [b"1", b"2", b"3"]


# ── databases ──


@MOVED
@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
@pytest.mark.parametrize("place", [in_table, in_table_with_positions])
def test_rows_in_a_moved_database_are_not_committed(
    tmp_path: Path, change: Change, suffix: str, place: Callable[[Path], Place]
) -> None:
    keeps = place is in_table_with_positions
    with Opened(place(tmp_path)) as sink:
        if keeps:
            sink.begin()
        sink.write(batch(b"1"))
        change(tmp_path / f"db{suffix}")
        with pytest.raises(KdgError, match=r"--sqlite .*nothing of the batch is committed") as failed:
            sink.commit() if keeps else sink.flush()
        assert failed.value.exit_code == 1


@MOVED
@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
def test_marks_in_a_moved_store_end_the_run(tmp_path: Path, change: Change, suffix: str) -> None:
    with closing(SeenStore.in_file(tmp_path / "db")) as store:
        store.add([b"1"], 1)
        change(tmp_path / f"db{suffix}")
        with pytest.raises(KdgError, match="--dedup-store"):
            store.add([b"2"], 1)


def test_a_database_beside_is_no_change(tmp_path: Path) -> None:
    """Readers come and go, and the log is written back into the file: none of it moves a file."""
    with Opened(in_table_with_positions(tmp_path)) as sink:
        for number in range(3):
            committed(sink, b"%d" % number, first=number)
            with closing(sqlite3.connect(tmp_path / "db")) as other:
                other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                assert other.execute("SELECT count(*) FROM records").fetchone() == (number + 1,)


# ── names ──


@pytest.mark.parametrize("name", [":memory:", "file:x?mode=memory", "file::memory:?cache=shared", "file:y", "a b?c#d"])
def test_every_name_is_the_name_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    sink = SqliteSink(Path(name), "records", NO_LIMIT, keeps=True)
    sink.connect()
    sink.open(ORIGIN)
    committed(sink, b"1")
    sink.close()
    assert rows_of(tmp_path / name) == [b"1"]
    SeenStore.in_file(Path(name + "s")).close()
    assert (tmp_path / (name + "s")).is_file()


def test_what_is_not_a_regular_file_is_no_database(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/null"), tmp_path / "absent" / "db"):
        with pytest.raises(UsageError, match="--sqlite"):
            SqliteSink(path, "records", NO_LIMIT, keeps=True).connect()
        with pytest.raises(UsageError, match="--dedup-store"):
            SeenStore.in_file(path)


def test_journal_that_is_no_file_is_refused(tmp_path: Path) -> None:
    for make in (os.mkfifo, os.mkdir, _deep):
        folder = tmp_path / make.__name__
        folder.mkdir()
        make(folder / "out.kdg")
        with pytest.raises(UsageError, match=r"out\.kdg"):
            JournaledFile(folder / "out", LineEncoder()).open(ORIGIN)


def _deep(path: Path) -> None:
    path.write_bytes(b"[" * 100_000)
