"""Owns `--output FILE` without a journal: records are appended, and on the disk before a position that follows them is committed.

One writer at a time. A last record that a crash tore is moved to FILE.torn: what comes next would be glued to it, and in a file that
somebody else began it is not kdg's to throw away.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from kdg.core.records import Batch
from kdg.errors import Fenced, KdgError, UsageError
from kdg.formats import Encoder

JOURNAL = ".kdg"
"""What the journal's name adds to the file's (kdg/sinks/journal.py)."""
TORN = ".torn"
"""The same for what was found behind the last whole record."""
BLOCK = 65_536


def open_locked(path: Path) -> int:
    """A descriptor of a file that nobody else writes: to append, and to cut back. Raises UsageError, Fenced."""
    try:
        if path.exists() and stat.S_ISFIFO(path.stat().st_mode):
            raise UsageError(f"--output {path} is a pipe, and not a file.", "Leave --output out, and redirect stdout.")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
    except OSError as exc:
        raise UsageError(f"--output {path} cannot be written: {exc.strerror}.", "Choose another file.") from exc
    if is_regular(descriptor):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            os.close(descriptor)
            raise Fenced(
                f"--output {path} is being written by another process.",
                "Let it end, or give each process a file of its own.",
            ) from exc
    return descriptor


def is_regular(descriptor: int) -> bool:
    """Whether it is a file with a length, and not a device."""
    return stat.S_ISREG(os.fstat(descriptor).st_mode)


def write_all(descriptor: int, data: bytes) -> None:
    """Every byte, or an OSError."""
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def unwritable(path: Path, exc: OSError) -> KdgError:
    """How a run ends that cannot write its file."""
    full = exc.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return KdgError(
        f"--output {path} cannot be written: {exc.strerror}; the batch that was being written is not committed.",
        "Make room and run it again." if full else "Mend it and run it again.",
    )


@dataclass(slots=True)
class FileSink:
    """A Target that appends. note: tells what was found and mended."""

    path: Path
    encoder: Encoder
    note: Callable[[str], None] = lambda _line: None
    _descriptor: int = field(default=-1)

    def open(self) -> None:
        """Lock the file, and move a torn last record out of the way. Raises UsageError for one that a journal belongs to."""
        journal = self.path.with_name(self.path.name + JOURNAL)
        if journal.exists():
            raise UsageError(
                f"--output {self.path} belongs to exactly-once: {journal} says how long it is, and more would be cut off.",
                "Choose another file, or -g exactly-once; without its journal the file is like any other.",
            )
        self._descriptor = open_locked(self.path)
        if is_regular(self._descriptor) and self.encoder.terminator:
            self._mend()

    def _mend(self) -> None:
        size = os.fstat(self._descriptor).st_size
        whole = _end_of_records(self._descriptor, size, self.encoder.terminator)
        if whole == size:
            return
        torn = self.path.with_name(self.path.name + TORN)
        try:
            with torn.open("ab") as file:
                for at in range(whole, size, BLOCK):
                    file.write(os.pread(self._descriptor, min(BLOCK, size - at), at))
                file.flush()
                os.fsync(file.fileno())
            os.ftruncate(self._descriptor, whole)
        except OSError as exc:
            raise unwritable(self.path, exc) from exc
        self.note(
            f"{self.path} ended within a record, as after a crash: its last {size - whole} bytes are in {torn} now"
        )

    def write(self, batch: Batch) -> None:
        """See Target. Raises KdgError for a full disk and the like; then nothing of the batch stays."""
        before = os.fstat(self._descriptor).st_size
        try:
            write_all(self._descriptor, self.encoder.encode(batch))
        except OSError as exc:
            if is_regular(self._descriptor):
                with contextlib.suppress(OSError):  # the first error is the one to tell
                    os.ftruncate(self._descriptor, before)
            raise unwritable(self.path, exc) from exc

    def flush(self) -> None:
        """See Target: on the disk."""
        try:
            if is_regular(self._descriptor):
                os.fsync(self._descriptor)
        except OSError as exc:
            raise unwritable(self.path, exc) from exc

    def close(self) -> None:
        """The lock goes with it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _end_of_records(descriptor: int, size: int, terminator: bytes) -> int:
    """Where the last record that is whole ends."""
    end = size
    while end > 0:
        begin = max(end - BLOCK, 0)
        # A little more than the block, for a terminator that lies across its end.
        found = os.pread(descriptor, end - begin + len(terminator) - 1, begin).rfind(terminator)
        if found >= 0:
            return begin + found + len(terminator)
        end = begin
    return 0
