"""Owns the standard descriptors of the process: 0 to 2 are always open, and stdout and stderr fail in one way.

A descriptor that the parent process has closed (`kdg ... >&-`) is a free number. The next file that the process opens
gets it: a pipe, a socket of the Kafka client. So records that are printed would go there. Before anything is opened,
every closed one is therefore pointed at /dev/null:

    stdin     reads as empty
    stdout    for reading only, so that nothing, not even a command that inherits it, takes records there for printed
    stderr    drops what is written

stdout: an error of it (a full disk) is a KdgError with one line. stderr: its errors are dropped, because a message
that cannot be shown must not change the exit code of a run that has done its work.
"""

from __future__ import annotations

import errno
import fcntl
import io
import os
import select
import sys
from typing import Any

from kdg.errors import KdgError, ReaderGone, UsageError

_FLAGS = {0: os.O_RDONLY, 1: os.O_RDONLY, 2: os.O_WRONLY}


def open_standard_streams() -> None:
    """Open the descriptors that are closed, and replace sys.stdout and sys.stderr. To be called before all else."""
    for descriptor, flags in _FLAGS.items():
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, flags)
            if opened != descriptor:
                os.dup2(opened, descriptor)
                os.close(opened)
            os.set_inheritable(descriptor, True)  # noqa: FBT003  # it takes no keyword
    sys.stdout = _text(_Stdout(1, "w", closefd=False), sys.stdout)
    sys.stderr = _text(_Stderr(2, "w", closefd=False), sys.stderr, line_buffering=True)


def require_stdout() -> None:
    """Raises UsageError if stdout was closed. For a run that prints its answer after minutes of work."""
    if fcntl.fcntl(1, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
        raise _closed()


def _closed() -> UsageError:
    return UsageError(
        "stdout is closed, and the answer of this command goes there.", "Redirect stdout: > FILE, or > /dev/null."
    )


def _text(raw: io.FileIO, before: Any, *, line_buffering: bool = False) -> io.TextIOWrapper:
    """A text stream over the descriptor, with the encoding of the stream that Python has made, if it has made one."""
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=getattr(before, "encoding", "utf-8"),
        errors="backslashreplace" if before is None or before.errors == "strict" else before.errors,
        line_buffering=line_buffering or raw.isatty(),
    )


class _Stdout(io.FileIO):
    """Descriptor 1. Raises KdgError if it cannot be written, once: what comes after that is dropped."""

    _failed = False

    def write(self, data: Any, /) -> int:
        """Write some of the bytes, and return how many are done with."""
        while True:
            try:
                written = len(data) if self._failed else super().write(data)
            except OSError as exc:
                self._failed = True
                raise _translated(exc) from exc
            if written is not None:
                return written
            select.select([], [self], [])  # the parent process has made it non-blocking, and it is full


class _Stderr(io.FileIO):
    """Descriptor 2. What cannot be written is dropped."""

    def write(self, data: Any, /) -> int:
        """Write some of the bytes, and return how many are done with."""
        try:
            written = super().write(data)
        except OSError:
            written = None
        return len(data) if written is None else written


def _translated(exc: OSError) -> KdgError:
    if exc.errno == errno.EPIPE:
        return ReaderGone("the reader of stdout went away.")
    if exc.errno == errno.EBADF:
        return _closed()
    return KdgError(f"stdout cannot be written: {exc.strerror}.")
