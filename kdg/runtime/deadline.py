"""Owns how long a run may wait for a broker, a command or a lock: until --timeout is over, or shortly after a signal.

Every loop that waits has a limit of its own and asks the Deadline of the run as well. Example: a call may take 60 s.

    began = deadline.now()
    while not done():
        if deadline.over(60, began):
            raise ...

The loop ends after 60 s; or earlier, when `--timeout` is over; or GRACE seconds after a signal.

A wait that lasts for longer than SILENT_SECONDS is said in one line: a loop calls `report_wait`, a call that cannot be
interrupted is made through `bounded` or inside `watched`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from kdg.core.ports import Signals
from kdg.runtime.clock import SYSTEM_CLOCK, Background, Clock, in_thread

T = TypeVar("T")

GRACE = 6.0
"""Seconds after a signal in which the run may still settle and close. The whole run ends within 10 s of the signal.

The same after --timeout, for a run that then stops reading.
"""
SILENT_SECONDS = 5.0
"""The longest that a run waits for others without saying so."""
NO_ANSWER = "no answer"
AN_ANSWER = "an answer ends it"


class NoSignals:
    """The signals of a wait that no signal ends."""

    received: int | None = None


@dataclass(slots=True)
class Deadline:
    """Until when a run may wait. Every wait of the run asks it.

    signals: says whether a signal came that ends the run.
    timeout: seconds for the whole run (`--timeout`); None for no limit.
    reach: seconds within which a broker has to answer for the first time.
    settles: at the end of `timeout` the run stops reading, and has GRACE seconds to settle what it has read.
    clock, background: what the run uses of time and of threads; a test replaces them.
    note: prints a line for the user, see `report_wait`.
    """

    signals: Signals
    timeout: float | None = None
    reach: float = 30.0
    settles: bool = False
    clock: Clock = SYSTEM_CLOCK
    background: Background = in_thread
    note: Callable[[str], None] = lambda _line: None
    _reported: set[str] = field(default_factory=set, init=False)
    _began: float = field(init=False)
    _signalled: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._began = self.clock.monotonic()

    def now(self) -> float:
        """Seconds by the run's monotonic clock."""
        return self.clock.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return self.now() - self._began

    def left(self, limit: float | None = None, since: float | None = None) -> float:
        """Seconds that are left: 0 when the time is over, infinity without any limit.

        limit: seconds for this one wait. since: when this wait began (`now`); now, if it is left out.
        """
        now = self.now()
        ends = [] if limit is None else [(now if since is None else since) + limit]
        if self.timeout is not None:
            ends.append(self._began + self.timeout + (GRACE if self.settles else 0.0))
        if self.signals.received is not None:
            if self._signalled is None:
                self._signalled = now
            ends.append(self._signalled + GRACE)
        return max(min(ends) - now, 0.0) if ends else float("inf")

    def over(self, limit: float | None = None, since: float | None = None) -> bool:
        """Whether there is no time left."""
        return self.left(limit, since) <= 0

    def report_wait(self, doing: str, since: float, why: str, end: str) -> None:
        """Say in one line that the run has waited for longer than SILENT_SECONDS; once for each `doing`.

        since: when the wait began (`now`). why: what does not come. end: what would end the wait.
        """
        waited = self.now() - since
        if waited >= SILENT_SECONDS and doing not in self._reported:
            self._reported.add(doing)
            self.note(f"{doing}: waiting for {waited:.0f} s: {why}; {end}")

    def wait_ended(self, doing: str) -> None:
        """The next wait of this name is reported as well."""
        self._reported.discard(doing)

    @contextmanager
    def watched(self, doing: str, why: str = NO_ANSWER, end: str = AN_ANSWER) -> Iterator[None]:
        """Report, as `report_wait` does, a call that blocks and has to be made in this thread."""
        began = self.now()
        timer = threading.Timer(SILENT_SECONDS, lambda: self.report_wait(doing, began, why, end))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self.wait_ended(doing)

    def in_background(self, call: Callable[[], T]) -> Future[T]:
        """Start a call that cannot be interrupted; its caller may stop waiting for it."""
        return self.background(call)

    def bounded(self, call: Callable[[], T], seconds: float, doing: str = "") -> T:
        """The result of a call that takes no timeout. doing: how the wait is reported, if it may be long.

        Raises TimeoutError when the call has not returned after `seconds`; it goes on, and its result is dropped.
        """
        outcome = self.background(call)
        began = self.now()
        if doing and seconds > SILENT_SECONDS:
            try:
                return outcome.result(SILENT_SECONDS)
            except TimeoutError:
                self.report_wait(doing, began, NO_ANSWER, f"{AN_ANSWER}, or {seconds:.0f} s without one")
                seconds -= SILENT_SECONDS
        try:
            return outcome.result(seconds)
        finally:
            self.wait_ended(doing)
