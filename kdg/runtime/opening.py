"""Owns opening a path that may be a named pipe. Opening one blocks until another process opens its other end.

Python repeats a call that a signal interrupts (PEP 475), so a plain open() would notice neither a signal nor the end of
--timeout (compare hazard 16).
"""

from __future__ import annotations

import errno
import os
import select
import stat
import time
from pathlib import Path

from kdg.errors import Interrupted
from kdg.runtime.deadline import Deadline

CHECK_SECONDS = 0.1
"""How often a signal and the deadline are looked at."""
SMALL_BYTES = 1_000_000
"""The most bytes that a file with settings or with a secret may have."""
SMALL_SECONDS = 30.0
"""How long the other end of a pipe with settings has to begin."""


def is_pipe(path: str | Path) -> bool:
    """Whether the path names a pipe."""
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except OSError:
        return False


def open_noticing(path: str | Path, flags: int, deadline: Deadline) -> int:
    """As os.open; the wait for the other end of a pipe ends at a signal and when --timeout is over.

    Raises OSError, TimeoutError, Interrupted.
    """
    flags |= os.O_CLOEXEC
    if not is_pipe(path):
        return os.open(path, flags, 0o666)
    began = deadline.now()
    opened = deadline.in_background(lambda: os.open(path, flags))
    while True:
        try:
            return opened.result(CHECK_SECONDS)
        except TimeoutError:
            if deadline.signals.received is not None:
                raise Interrupted(deadline.signals.received) from None
            why = "it is a pipe, and no program has opened its other end"
            deadline.report_wait(f"opening {path}", began, why, "it goes on when one does")
            if deadline.timeout is not None and deadline.elapsed >= deadline.timeout:
                raise


def open_for_last_words(path: str | Path, flags: int, seconds: float) -> int:
    """As os.open for writing, at the end of a run: a pipe that nobody reads is waited for, but not for long.

    Raises OSError.
    """
    ends = time.monotonic() + seconds
    while is_pipe(path):
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as exc:
            if exc.errno != errno.ENXIO:
                raise
            if time.monotonic() >= ends:
                raise OSError(errno.ENXIO, "it is a pipe that nobody reads") from None
            time.sleep(CHECK_SECONDS)
        else:
            os.set_blocking(descriptor, True)  # it takes no keyword
            return descriptor
    return os.open(path, flags | os.O_CLOEXEC, 0o666)


def read_small(path: str | Path) -> bytes:
    """The bytes of a file with settings or with a secret.

    Raises OSError; also if the file is too large, such as /dev/zero, or a pipe into which nobody writes.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        pipe = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
        if not pipe:
            os.set_blocking(descriptor, True)  # as above
        data = b""
        while len(data) <= SMALL_BYTES:
            if pipe and not select.select([descriptor], [], [], SMALL_SECONDS)[0]:
                raise OSError(errno.ETIMEDOUT, f"it is a pipe, and nothing came for {SMALL_SECONDS:g} s")
            more = os.read(descriptor, 65_536)
            if not more:
                return data
            data += more
        raise OSError(errno.EFBIG, f"it has more than {SMALL_BYTES // 1_000_000} MB")
    finally:
        os.close(descriptor)
