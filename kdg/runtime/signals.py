"""Owns SIGINT, SIGTERM and SIGHUP. A signal sets a flag; the run looks at it, settles, and ends by the same signal.

    first signal     `received` is set, and a wait on a file descriptor returns at once
    second signal    the process ends at once, without settling; SIGHUP does not count as a second signal, because a
                     terminal that is closed sends it, and its shell sends it again
    no second one    the process ends `within` seconds after the first signal, if it is still running

Example: `kdg consume` waits for records when Ctrl-C comes. The handler sets `received` to 2 (SIGINT). The loop notices
that, commits the positions of the records it printed, closes the clients and calls `die_by(2)`; a shell sees 130.

The handler does not raise: an exception inside the client library's poll() would lose records (hazard 2). Python runs
handlers only between two steps of the main thread, so never while a call of the client library hangs (hazard 9). So a
second thread reads the arriving signals from a socket (signal.set_wakeup_fd) and ends the process if it has to.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
import time
from types import FrameType
from typing import NoReturn, Protocol, Self

CAUGHT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class SignalWaiter(Protocol):
    """What a source and a sink need of Signals."""

    @property
    def received(self) -> int | None:
        """The number of the first signal, or None."""

    def wait_for(self, descriptor: int, timeout: float, *, writing: bool = False) -> bool:
        """See Signals.wait_for."""


class Signals:
    """Context manager: while it is open, the signals of CAUGHT are caught.

    received: the number of the first signal, None before. wakeup: a file descriptor that is readable after a signal.
    within: seconds after the first signal at which the process ends in any case; None for no limit.
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
            # A shell without job control starts background jobs with SIGINT ignored, and nohup a command with SIGHUP
            # ignored; kdg leaves them ignored.
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
        if self.received is None:
            self.received = signum
        elif signum != signal.SIGHUP:
            die_by(signum)

    def _watch(self) -> None:
        """The second thread. First signal: make `wakeup` readable. Second signal, or `within` over: end the process."""
        first = self._next_caught()
        if first is None:
            return
        os.write(self._wake, b"!")
        try:
            second = self._second()
        except TimeoutError:
            sys.stderr.write(_GIVEN_UP.format(name=signal.Signals(first).name, seconds=self._within))
            second = first
        if second is not None:
            _die_from_a_thread(second)

    def _second(self) -> int | None:
        """Wait for the second signal. Raises TimeoutError when `within` is over."""
        ends = None if self._within is None else time.monotonic() + self._within
        while True:
            self._arrivals.settimeout(None if ends is None else max(ends - time.monotonic(), 0.001))
            second = self._next_caught()
            if second != signal.SIGHUP:
                return second

    def _next_caught(self) -> int | None:
        """Wait for the next signal of CAUGHT and return its number; None when the context manager is closed."""
        while arrived := self._arrivals.recv(1):
            if arrived[0] in self._before:
                return arrived[0]
        return None

    def wait_for(self, descriptor: int, timeout: float, *, writing: bool = False) -> bool:
        """Wait up to `timeout` seconds for the descriptor. True if it is ready; False when a signal comes (hazard 16).

        writing: wait until it can be written, not read. After the first signal, only the descriptor counts.
        """
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT if writing else select.POLLIN)
        if self.received is None:
            poll.register(self.wakeup, select.POLLIN)
        return any(fd == descriptor for fd, _event in poll.poll(max(timeout, 0) * 1000))


_GIVEN_UP = """\
kdg: {name} came {seconds:g} s ago and the Kafka client does not answer: kdg ends now, without settling, as if killed.
     Run it again: with a group or --resume it continues after the stored position. Otherwise look at the topic first.
"""


def die_by(signum: int) -> NoReturn:
    """End this process by the signal itself, so that a shell sees 129, 130 or 143."""
    signal.signal(signum, signal.SIG_DFL)
    _kill_this_process(signum)


def _die_from_a_thread(signum: int) -> NoReturn:
    """The same from the second thread. Python changes handlers only in the main thread, which hangs; libc can."""
    import ctypes

    ctypes.CDLL(None).signal(signum, 0)  # SIG_DFL
    _kill_this_process(signum)


def _kill_this_process(signum: int) -> NoReturn:
    """Process 1 of a container does not die by a signal without a handler; it exits with the status of a shell."""
    os.kill(os.getpid(), signum)
    time.sleep(0.1)  # in another thread than the main thread, the signal may need a moment
    os._exit(128 + signum)
