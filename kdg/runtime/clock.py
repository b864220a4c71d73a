"""Owns what a run uses of time and of threads, so that the simulator can hand in a model of both.

`kdg.runtime.deadline.Deadline` carries a clock and a background to everything that waits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

T = TypeVar("T")


class Clock(Protocol):
    """The parts of the `time` module that a run uses."""

    def monotonic(self) -> float:
        """Seconds since some moment; the number never goes back."""

    def time(self) -> float:
        """Seconds since 1970."""

    def sleep(self, seconds: float, /) -> None:
        """Wait."""


SYSTEM_CLOCK: Clock = time
"""The clock of this machine."""


class Background(Protocol):
    """Starts a call that cannot be interrupted, so that its caller can stop waiting for it."""

    def __call__(self, call: Callable[[], T], /) -> Future[T]:
        """The result of the call, or its exception, is in the future when the call has returned."""


def in_thread(call: Callable[[], T], /) -> Future[T]:
    """Run the call in a daemon thread of its own. The process may end before the call has returned."""
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(call())
        except BaseException as exc:  # noqa: BLE001  # the exception, whatever it is, belongs to the thread that waits
            outcome.set_exception(exc)

    threading.Thread(target=run, daemon=True).start()
    return outcome
