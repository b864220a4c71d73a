"""`--output FILE` under exactly-once: the journal, the order of syncs, files that are refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from kdg.errors import KdgError, UsageError
from kdg.formats.lines import LineEncoder
from kdg.sinks.file import FileSink
from kdg.sinks.journal import JournaledFile
from tests.support.sinks import (
    ORIGIN,
    batch,
    committed,
    lines_of,
)


def test_file_with_a_journal_is_not_appended_to(tmp_path: Path) -> None:
    sink = JournaledFile(tmp_path / "out", LineEncoder())
    sink.open(ORIGIN)
    committed(sink, b"1")
    sink.close()
    with pytest.raises(UsageError, match=r"out\.kdg"):
        FileSink(tmp_path / "out", LineEncoder()).open()


def test_journal_is_one_line_of_json(tmp_path: Path) -> None:
    """The journal is one line of JSON with the positions and the length that count."""
    sink = JournaledFile(tmp_path / "out", LineEncoder())
    sink.open(ORIGIN)
    committed(sink, b"1", b"22")
    sink.begin()
    sink.write(batch(b"333", first=2))
    (line,) = (tmp_path / "out.kdg").read_text().splitlines()
    topics = {"t": {"id": "id-of-t", "positions": {"0": 2}}}
    assert json.loads(line) == {"format": "kdg.file/1", "cluster": "cluster", "topics": topics, "length": 5}
    sink.close()


@pytest.mark.parametrize(
    ("content", "journal"),
    [
        (b"another program's\n", None),
        (b"", "not JSON"),
        (b"", '{"format": "another"}'),
        (b"short\n", '{"format": "kdg.file/1", "cluster": "cluster", "topics": {}, "length": 7}'),
    ],
)
def test_foreign_file_is_refused_and_left_alone(tmp_path: Path, content: bytes, journal: str | None) -> None:
    """A file that does not belong to its journal is refused and not changed."""
    (tmp_path / "out").write_bytes(content)
    if journal is not None:
        (tmp_path / "out.kdg").write_text(journal)
    sink = JournaledFile(tmp_path / "out", LineEncoder())
    with pytest.raises(UsageError):
        sink.open(ORIGIN)
    sink.close()
    assert (tmp_path / "out").read_bytes() == content


def test_journal_replaced_by_a_failed_commit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that fails after it has replaced the journal counts as committed."""
    sink = JournaledFile(tmp_path / "out", LineEncoder())
    sink.open(ORIGIN)
    committed(sink, b"1")
    real, calls = os.fsync, list[int]()

    def third_fails(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 3:  # the file, the journal, and now the folder
            raise OSError(5, "Input/output error")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", third_fails)
    with pytest.raises(KdgError):
        committed(sink, b"2", first=1)
    sink.abort()
    assert sink.stored() == {("t", 0): 2}
    assert lines_of(tmp_path / "out") == [b"1", b"2"]
    sink.close()


def test_fsync_order_of_file_and_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """First the records are synced, then the journal, then the folder that names the journal."""
    sink = JournaledFile(tmp_path / "out", LineEncoder())
    sink.open(ORIGIN)
    done, sync, replace = list[str](), os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        names = {path.stat().st_ino: path.name for path in (tmp_path, *tmp_path.iterdir())}
        done.append(f"fsync {names[os.fstat(descriptor).st_ino]}")
        sync(descriptor)

    def replaced(path: Path, target: Path) -> Path:
        done.append(f"replace {target.name}")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    committed(sink, b"1")
    sink.close()
    assert done == ["fsync out", "fsync out.kdg.new", "replace out.kdg", f"fsync {tmp_path.name}"]
