"""Owns a file that only this process appends to and cuts back: `--output FILE`, with a journal or without."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kdg.errors import Fenced, KdgError, UsageError
from kdg.runtime.identity import identity, of_status
from kdg.runtime.opening import is_pipe

JOURNAL = ".kdg"
"""Added to the file's name: the journal of kdg/sinks/journal.py."""


def journal_of(path: Path) -> Path:
    """`out.txt.kdg` for `out.txt`."""
    return Path(f"{path}{JOURNAL}")


@dataclass(slots=True)
class LockedFile:
    """A file of `--output`, locked against other processes. A device such as /dev/null has no lock and no length."""

    path: Path
    descriptor: int = -1
    _expected: int = 0
    """Bytes that the file has if nobody else changes it."""

    def open(self) -> None:
        """Create or open the file and lock it. Raises UsageError, or Fenced if another process has the lock."""
        try:
            if is_pipe(self.path):
                raise UsageError(
                    f"--output {self.path} is a pipe, and not a file.", "Leave --output out, and redirect stdout."
                )
            self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        except OSError as exc:
            raise UsageError(
                f"--output {self.path} cannot be written: {exc.strerror}.", "Choose another file."
            ) from exc
        if self.is_regular:
            try:
                fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as exc:
                self.close()
                raise Fenced(
                    f"--output {self.path} is being written by another process.",
                    "Wait until that process has ended, or give each process a file of its own.",
                ) from exc
            self._expected = self.size

    @property
    def is_regular(self) -> bool:
        """Whether it is a file with a length, and not a device."""
        return stat.S_ISREG(os.fstat(self.descriptor).st_mode)

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return os.fstat(self.descriptor).st_size

    @property
    def in_place(self) -> bool:
        """Whether the path still names this file. A device is always in its place."""
        return not self.is_regular or identity(self.path) == of_status(os.fstat(self.descriptor))

    @property
    def has_name(self) -> bool:
        """Whether it still has a name, be it another one. What is written into a file without a name is gone."""
        return os.fstat(self.descriptor).st_nlink > 0

    @property
    def changed_by(self) -> int:
        """How many bytes others have added since this run opened, appended or cut it; negative if they cut it back."""
        return self.size - self._expected if self.is_regular else 0

    def accept_size(self) -> None:
        """Take the size that the file has now as the one that it should have."""
        self._expected = self.size

    def append(self, data: bytes) -> None:
        """Write all bytes at the end of the file. Raises KdgError for a full disk and the like."""
        self.attempt(lambda: write_all(self.descriptor, data))
        self._expected += len(data)

    def sync(self) -> None:
        """Return when the file's data are on the disk. Raises KdgError."""
        if self.is_regular:
            self.attempt(lambda: os.fsync(self.descriptor))

    def cut(self, size: int) -> None:
        """Remove everything after the first `size` bytes. Raises KdgError."""
        if self.is_regular:
            self.attempt(lambda: os.ftruncate(self.descriptor, size))
            self._expected = size

    def attempt(self, change: Callable[[], None]) -> None:
        """Change the file. Its OSError becomes a KdgError that says what to do."""
        try:
            change()
        except OSError as exc:
            full = exc.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            raise KdgError(
                f"--output {self.path} cannot be written: {exc.strerror}; "
                "the batch that was being written is not committed.",
                "Make room and run it again." if full else "Fix the cause and run it again.",
            ) from exc

    def close(self) -> None:
        """Close the file and give up the lock."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write every byte. Raises OSError."""
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]
