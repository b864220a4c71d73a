"""Owns SIGINT and SIGTERM: the handlers only set a flag, and a thread of its own wakes whoever waits on a descriptor.

A handler that raised would lose records inside the client library's poll (HAZARDS.md 2). The second signal gives up at once, and
so does the first after `within` seconds: Python's handlers do not run while a call of the library has not returned, the thread does.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
from types import FrameType
from typing import Self

CAUGHT = (signal.SIGINT, signal.SIGTERM)


class Signals:
    """Context manager: while it is open, signals are noted in `received`, and `wakeup` becomes readable.

    within: seconds after the first signal by which the run is over, whatever the client library is doing; None for no limit.
    """

    def __init__(self, within: float | None = None) -> None:
        self.received: int | None = None
        self.wakeup, self._wake = os.pipe()
        self._within = within
        self._arrivals, self._written = socket.socketpair()
        os.set_blocking(self._written.fileno(), False)
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._before: dict[int, object] = {}
        self._wakeup_before = -1

    def __enter__(self) -> Self:
        self._watcher.start()
        self._wakeup_before = signal.set_wakeup_fd(self._written.fileno(), warn_on_full_buffer=False)
        for signum in CAUGHT:
            # A shell without job control starts background jobs with SIGINT ignored; that stays so.
            if signal.getsignal(signum) != signal.SIG_IGN:
                self._before[signum] = signal.signal(signum, self._handle)
        return self

    def __exit__(self, *_exc: object) -> None:
        for signum, handler in self._before.items():
            signal.signal(signum, handler)  # type: ignore[arg-type]  # what signal() returned, it takes back
        signal.set_wakeup_fd(self._wakeup_before)
        self._written.close()
        self._watcher.join()
        self._arrivals.close()
        os.close(self.wakeup)
        os.close(self._wake)

    def _handle(self, signum: int, _frame: FrameType | None) -> None:
        if self.received is not None:
            die_by(signum)
        self.received = signum

    def _watch(self) -> None:
        """Wakes who waits at the first signal, and ends the process at the second, or when the first has had no effect for long."""
        first = self._next_caught()
        if first is None:
            return
        os.write(self._wake, b"!")
        self._arrivals.settimeout(self._within)
        try:
            second = self._next_caught()
        except TimeoutError:
            sys.stderr.write(_GIVEN_UP.format(name=signal.Signals(first).name, seconds=self._within))
            second = first
        if second is not None:
            _die_from_a_thread(second)

    def _next_caught(self) -> int | None:
        """The number of the next signal that is caught here; None when no more come."""
        while arrived := self._arrivals.recv(1):
            if arrived[0] in self._before:
                return arrived[0]
        return None

    def wait_for(self, descriptor: int, timeout: float, *, writing: bool = False) -> bool:
        """Whether the descriptor is ready within `timeout` seconds; False at once when a signal comes in."""
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT if writing else select.POLLIN)
        if self.received is None:
            poll.register(self.wakeup, select.POLLIN)
        return any(fd == descriptor for fd, _event in poll.poll(max(timeout, 0) * 1000))


_GIVEN_UP = """\
kdg: {name} came {seconds:g} s ago and the Kafka client does not answer: given up, as if it had been killed.
     Run it again: with a group or --resume it goes on from what is stored. Otherwise look at the topic first.
"""


def die_by(signum: int) -> None:
    """End this process by the signal itself, so that a shell sees 130 or 143."""
    signal.signal(signum, signal.SIG_DFL)
    os.kill(os.getpid(), signum)


def _die_from_a_thread(signum: int) -> None:
    """The same where Python does not let the handler be changed: that is for the main thread, which does not come back."""
    import ctypes

    ctypes.CDLL(None).signal(signum, 0)  # SIG_DFL
    os.kill(os.getpid(), signum)
