"""Owns writing to stdout. Every byte is written, or an error is raised; nothing is buffered; a signal ends a wait."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from kdg.core.ports import WORK_SECONDS, Work
from kdg.core.records import Batch
from kdg.errors import Interrupted, KdgError, ReaderGone
from kdg.formats import Encoder
from kdg.runtime.deadline import Deadline
from kdg.runtime.signals import SignalWaiter

PIPE_PIECE = 4096
"""A pipe that poll() calls writable takes this many bytes without blocking (PIPE_BUF in POSIX)."""
BLOCKED_GRACE = 3.0
"""Seconds after a signal in which the reader of a full pipe may still read from it."""


@dataclass(slots=True)
class Stdout:
    """A Target that writes to a file descriptor.

    durable: if it is a file, `flush` syncs it to the disk. deadline: reports once that nobody reads; None if that
    would appear in the middle of what is shown.
    """

    encoder: Encoder
    signals: SignalWaiter
    durable: bool = False
    deadline: Deadline | None = None
    descriptor: int = 1
    clock: Callable[[], float] = time.monotonic
    _mode: int = field(default=0)

    def __post_init__(self) -> None:
        self._mode = os.fstat(self.descriptor).st_mode

    @property
    def is_pipe(self) -> bool:
        """Whether stdout is a pipe: another process still has to read what is written."""
        return stat.S_ISFIFO(self._mode)

    def write(self, batch: Batch) -> Work[None]:
        """See Target. Raises ReaderGone if the reader of the pipe went away, KdgError for a full disk and the like."""
        if len(batch) == 0:
            return
        data = memoryview(self.encoder.encode(batch))
        try:
            if stat.S_ISREG(self._mode):
                self._write_whole(data)
            else:
                yield from self._write_in_pieces(data)
        except OSError as exc:
            raise self._translate(exc) from exc

    def _write_whole(self, data: memoryview) -> None:
        """Write into a file. If that fails, no piece of the batch stays: the next run would append to half a record.

        Raises OSError.
        """
        before, left = os.fstat(self.descriptor).st_size, data
        try:
            while left:
                left = left[os.write(self.descriptor, left) :]
        except OSError:
            with contextlib.suppress(OSError):  # report the first error
                self._cut(before, len(data) - len(left))
            raise

    def _cut(self, before: int, written: int) -> None:
        """Remove what this batch added to the file, if nobody else wrote to it meanwhile."""
        if written and os.fstat(self.descriptor).st_size == before + written:
            os.ftruncate(self.descriptor, before)
            os.lseek(self.descriptor, before, os.SEEK_SET)

    def _write_in_pieces(self, data: memoryview) -> Work[None]:
        """Write pieces that do not block: a signal is noticed even if the reader of the pipe has stopped reading."""
        blocked_since: float | None = None
        wrote = self.clock()
        yielded = self.clock()
        while data:
            if self.clock() - yielded > WORK_SECONDS:
                yield
                yielded = self.clock()
            if self.signals.wait_for(self.descriptor, WORK_SECONDS, writing=True):
                data = data[os.write(self.descriptor, data[:PIPE_PIECE]) :]
                blocked_since = None
                wrote = self.clock()
                continue
            if self.deadline is not None:
                why = "the program that reads from it reads nothing"
                self.deadline.report_wait("writing to stdout", wrote, why, "it goes on when that program reads")
            if self.signals.received is not None:
                blocked_since = blocked_since or self.clock()
                if self.clock() - blocked_since > BLOCKED_GRACE:
                    raise Interrupted(self.signals.received)  # the batch is not committed

    def flush(self) -> None:
        """See Target. Nothing is buffered here; a file is synced to the disk if `durable` is set."""
        if self.durable and stat.S_ISREG(self._mode):
            try:
                os.fsync(self.descriptor)
            except OSError as exc:
                raise self._translate(exc) from exc

    def _translate(self, exc: OSError) -> KdgError:
        """A pipe may have taken a part of the batch: the batch must not be committed (hazard 18)."""
        if exc.errno == errno.EPIPE:
            return ReaderGone("the reader of stdout went away; the batch that was being written is not committed.")
        return KdgError(
            f"stdout cannot be written: {exc.strerror}; the batch that was being written is not committed.",
            "Make room, or write to another place, and run it again.",
        )

    def close(self) -> None:
        """See Target: nothing to do. Stdout belongs to the process that started kdg."""
