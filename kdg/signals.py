"""Owns SIGINT and SIGTERM: the handlers only set a flag and wake whoever waits on a descriptor.

A handler that raised would lose records inside the client library's poll (HAZARDS.md 2). The second signal gives up at once.
"""

from __future__ import annotations

import os
import select
import signal
from types import FrameType
from typing import Self

CAUGHT = (signal.SIGINT, signal.SIGTERM)


class Signals:
    """Context manager: while it is open, signals are noted in `received`, and `wakeup` becomes readable."""

    def __init__(self) -> None:
        self.received: int | None = None
        self.wakeup, self._write_end = os.pipe()
        for end in (self.wakeup, self._write_end):
            os.set_blocking(end, False)
        self._before: dict[int, object] = {}
        self._wakeup_before = -1

    def __enter__(self) -> Self:
        self._wakeup_before = signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
        for signum in CAUGHT:
            # A shell without job control starts background jobs with SIGINT ignored; that stays so.
            if signal.getsignal(signum) != signal.SIG_IGN:
                self._before[signum] = signal.signal(signum, self._handle)
        return self

    def __exit__(self, *_exc: object) -> None:
        for signum, handler in self._before.items():
            signal.signal(signum, handler)  # type: ignore[arg-type]  # what signal() returned, it takes back
        signal.set_wakeup_fd(self._wakeup_before)
        os.close(self.wakeup)
        os.close(self._write_end)

    def _handle(self, signum: int, _frame: FrameType | None) -> None:
        if self.received is not None:
            die_by(signum)
        self.received = signum

    def wait_for(self, descriptor: int, timeout: float, *, writing: bool = False) -> bool:
        """Whether the descriptor is ready within `timeout` seconds; False at once when a signal comes in."""
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT if writing else select.POLLIN)
        if self.received is None:
            poll.register(self.wakeup, select.POLLIN)
        return any(fd == descriptor for fd, _event in poll.poll(max(timeout, 0) * 1000))


def die_by(signum: int) -> None:
    """End this process by the signal itself, so that a shell sees 130 or 143."""
    signal.signal(signum, signal.SIG_DFL)
    os.kill(os.getpid(), signum)
