"""`--output FILE` without a journal: torn records, failed writes, files that are refused."""

from __future__ import annotations

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
)


@pytest.mark.parametrize("block", [3, 65_536])
def test_torn_last_record_is_cut_off_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr("kdg.sinks.file.BLOCK", block)
    path, notes, moved = tmp_path / "out", list[str](), b""
    for torn, whole in (
        (b"one||two||th", b"one||two||"),
        (b"one|", b""),
        (b"", b""),
        (b"a||", b"a||"),
    ):
        path.write_bytes(torn)
        notes.clear()
        sink = FileSink(path, LineEncoder(b"||"), notes.append)
        sink.open()
        sink.write(batch(b"next"))
        sink.close()
        moved += torn[len(whole) :]
        assert path.read_bytes() == whole + b"next||"
        assert (tmp_path / "out.torn").read_bytes() == moved
        assert bool(notes) == (torn != whole)


def test_failed_write_leaves_nothing_of_its_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = FileSink(tmp_path / "out", LineEncoder())
    sink.open()
    sink.write(batch(b"1"))
    write, calls = os.write, list[int]()

    def full(descriptor: int, data: bytes) -> int:
        calls.append(len(data))
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return write(descriptor, data[:3])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(KdgError):
        sink.write(batch(b"2222", b"3333", first=1))
    assert (tmp_path / "out").read_bytes() == b"1\n"
    sink.close()


def test_pipe_and_folder_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "absent" / "out"):
        with pytest.raises(UsageError, match="--output"):
            FileSink(path, LineEncoder()).open()
    with pytest.raises(UsageError, match="regular"):
        JournaledFile(Path("/dev/null"), LineEncoder()).open(ORIGIN)
