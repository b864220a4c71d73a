"""Stdout: a reader that went away, a full disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kdg.core.ports import Target
from kdg.errors import KdgError, ReaderGone
from kdg.formats.lines import LineEncoder
from kdg.sinks.file import FileSink
from kdg.sinks.stdout import Stdout
from tests.support.machine import needs_dev_full
from tests.support.sinks import Quiet, batch, done


def test_reader_of_stdout_that_went_away() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with pytest.raises(ReaderGone):
        done(Stdout(LineEncoder(), Quiet(), descriptor=writing).write(batch(b"1")))
    os.close(writing)


def refused(sink: Target) -> None:
    with pytest.raises(KdgError, match=r"No space left on device.*not committed") as failed:
        done(sink.write(batch(b"1")))
    assert failed.value.exit_code == 1
    assert "Make room" in failed.value.hint


@needs_dev_full
def test_full_disk_is_an_error_with_a_hint() -> None:
    """Both for a file and for stdout."""
    file = FileSink(Path("/dev/full"), LineEncoder())
    file.open()
    refused(file)
    file.close()
    with Path("/dev/full").open("wb") as full:
        refused(Stdout(LineEncoder(), Quiet(), descriptor=full.fileno()))


def test_failed_write_leaves_no_piece_of_a_batch_in_a_file(tmp_path: Path) -> None:
    """A file of stdout ends with a whole record, so that `>>` of the next run does not append to half a record."""
    code = (
        "import os, resource, signal\n"
        "from kdg.errors import KdgError\n"
        "from kdg.formats.lines import LineEncoder\n"
        "from kdg.sinks.stdout import Stdout\n"
        "from tests.support.sinks import Quiet, batch, done\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "sink = Stdout(LineEncoder(), Quiet())\n"
        "done(sink.write(batch(b'one', b'two')))\n"
        "try:\n"
        "    done(sink.write(batch(b'three', b'four')))\n"
        "except KdgError as error:\n"
        "    assert 'File too large' in str(error)\n"
        "    raise SystemExit(7)\n"
    )
    with (tmp_path / "out").open("ab") as out:
        ended = subprocess.run([sys.executable, "-c", code], stdout=out, check=False)
    assert ended.returncode == 7
    assert (tmp_path / "out").read_bytes() == b"one\ntwo\n"
