"""The file of --undelivered: what earlier runs kept stays, and each record in it can be sent again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from confluent_kafka import KafkaError

from kdg.errors import KdgError, Undelivered, UsageError
from kdg.formats.lines import LineDecoder
from kdg.kafka.undelivered_records import UndeliveredRecord
from kdg.sinks.undelivered import SAY_EVERY, UndeliveredFile
from tests.support.sinks import NO_LIMIT


def kept(path: Path, *records: bytes, delimiter: bytes = b"\n") -> list[str]:
    """A run that keeps these records; returns its notes."""
    notes: list[str] = []
    file = UndeliveredFile(LineDecoder(delimiter), str(path), notes.append)
    file.open(None, NO_LIMIT)
    file.keep([record + delimiter for record in records])
    file.close()
    return notes


@pytest.mark.parametrize("delimiter", [b"\n", b"||"])
def test_run_adds_to_what_an_earlier_one_kept(tmp_path: Path, delimiter: bytes) -> None:
    path = tmp_path / "u"
    assert kept(path, b"1", b"2", delimiter=delimiter) == []
    assert "earlier run" in kept(path, delimiter=delimiter)[0]
    kept(path, b"3", delimiter=delimiter)
    assert path.read_bytes().split(delimiter) == [b"1", b"2", b"3", b""]


@pytest.mark.parametrize("delimiter", [b"\n", b"||"])
def test_record_without_delimiter_does_not_run_into_the_next(tmp_path: Path, delimiter: bytes) -> None:
    """The last record of an input may have none. Nothing is added to the file before there is a record to keep."""
    path = tmp_path / "u"
    path.write_bytes(b"1" + delimiter + b"2")
    kept(path, delimiter=delimiter)
    assert path.read_bytes() == b"1" + delimiter + b"2"
    kept(path, b"3", b"4", delimiter=delimiter)
    assert path.read_bytes().split(delimiter) == [b"1", b"2", b"3", b"4", b""]


def test_input_itself_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "u"
    path.write_bytes(b"1\n")
    with pytest.raises(UsageError, match="input itself"):
        UndeliveredFile(LineDecoder(), str(path)).open(str(path), NO_LIMIT)
    assert path.read_bytes() == b"1\n"


@pytest.mark.parametrize("how", ["renamed", "removed"])
def test_file_that_was_moved_is_said(tmp_path: Path, how: str) -> None:
    path = tmp_path / "u"
    file = UndeliveredFile(LineDecoder(), str(path))
    file.open(None, NO_LIMIT)
    file.keep([b"1\n"])
    path.rename(tmp_path / "u.1") if how == "renamed" else path.unlink()
    with pytest.raises(Undelivered, match=how):
        file.close()


def test_failed_write_leaves_no_piece_of_a_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "u"
    kept(path, b"1")
    file = UndeliveredFile(LineDecoder(), str(path))
    file.open(None, NO_LIMIT)
    write, calls = os.write, list[int]()

    def full(descriptor: int, data: Sequence[int]) -> int:
        calls.append(len(data))
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return write(descriptor, bytes(data[:3]))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(KdgError, match="No space left"):
        file.keep([b"22222\n", b"3\n"])
    file.release()
    assert path.read_bytes() == b"1\n"


def test_note_while_the_input_goes_on() -> None:
    """One note a minute, with the number so far; an input that does not pause is not waited for; none at the end."""
    notes: list[str] = []
    now, ending = [100.0], [False]
    file = UndeliveredFile(LineDecoder(b"\n"), None, notes.append, ending=lambda: ending[0], clock=lambda: now[0])
    late = KafkaError(KafkaError._MSG_TIMED_OUT)  # noqa: SLF001  # the library's own name
    record = UndeliveredRecord(None, b"v", None, -1, late, source="line 1")
    file([record])
    assert notes == []
    file.say()
    assert len(notes) == 1
    assert notes[0].startswith("1 record was not delivered so far, such as line 1")
    file([record])
    file.say()
    now[0] += SAY_EVERY
    file([record])
    assert len(notes) == 2
    assert notes[1].startswith("3 records were not delivered so far")
    now[0] += SAY_EVERY
    file([record])
    ending[0] = True
    file.say()
    assert len(notes) == 2
