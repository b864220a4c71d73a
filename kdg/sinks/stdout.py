"""Owns writing to stdout: every byte or an error, never a buffer that is lost, never a write that cannot be interrupted."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from kdg.core.records import Batch
from kdg.errors import Interrupted, KdgError, ReaderGone
from kdg.formats import Encoder
from kdg.runtime.signals import Signals

PIPE_PIECE = 4096
"""POSIX: a pipe that polls writable takes this much without blocking (PIPE_BUF)."""
BLOCKED_GRACE = 3.0
"""Seconds that a reader which takes nothing still has after a signal."""


@dataclass(slots=True)
class Stdout:
    """A Target over a descriptor. durable: what was flushed is to survive the machine, where the descriptor is a file."""

    encoder: Encoder
    signals: Signals
    durable: bool = False
    descriptor: int = 1
    clock: Callable[[], float] = time.monotonic
    _mode: int = field(default=0)
    _blocked_since: float | None = None

    def __post_init__(self) -> None:
        self._mode = os.fstat(self.descriptor).st_mode

    @property
    def is_pipe(self) -> bool:
        """Whether somebody else still has to read what is written."""
        return stat.S_ISFIFO(self._mode)

    def write(self, batch: Batch) -> None:
        """See Target. Raises ReaderGone when the reader of a pipe went away, KdgError for a full disk and the like."""
        if len(batch) == 0:
            return
        data = memoryview(self.encoder.encode(batch))
        try:
            if stat.S_ISREG(self._mode):
                while data:
                    data = data[os.write(self.descriptor, data) :]
            else:
                self._write_waiting(data)
        except OSError as exc:
            raise self._translate(exc) from exc

    def _write_waiting(self, data: memoryview) -> None:
        """In pieces that do not block, so that a signal is noticed although the reader of the pipe takes nothing."""
        blocked_since: float | None = None
        while data:
            if self.signals.wait_for(self.descriptor, 0.25, writing=True):
                data = data[os.write(self.descriptor, data[:PIPE_PIECE]) :]
                blocked_since = None
                continue
            if self.signals.received is not None:
                blocked_since = blocked_since or self.clock()
                if self.clock() - blocked_since > BLOCKED_GRACE:
                    raise Interrupted(self.signals.received)  # what was being written is not committed

    def flush(self) -> None:
        """See Target. Nothing is buffered here; a file's data are made durable."""
        if self.durable and stat.S_ISREG(self._mode):
            try:
                os.fsync(self.descriptor)
            except OSError as exc:
                raise self._translate(exc) from exc

    def _translate(self, exc: OSError) -> KdgError:
        if exc.errno == errno.EPIPE:
            return ReaderGone("the reader of stdout went away; the batch that was being written is not committed.")
        return KdgError(f"stdout cannot be written: {exc.strerror}; the batch that was being written is not committed.", "Make room, or write elsewhere, and run it again.")  # fmt: skip

    def close(self) -> None:
        """Stdout stays open for whoever started kdg."""
