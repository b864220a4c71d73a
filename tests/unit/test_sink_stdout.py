"""Stdout: a reader that went away, a full disk."""

from __future__ import annotations

import os
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
