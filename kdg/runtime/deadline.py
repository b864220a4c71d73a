"""Owns how long a run waits for something outside: the deadline of `--timeout`, and the grace after a signal."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from kdg.core.ports import Signals

GRACE = 6.0
"""Seconds that settling may take after a signal, so that the run has ended within 10 s (issue 4, shutdown)."""


class NoSignals:
    """For waits that no signal cuts short."""

    received: int | None = None


@dataclass(slots=True)
class Deadline:
    """Asked by every wait whether to go on waiting. timeout: seconds for the whole run, None without a limit."""

    signals: Signals
    timeout: float | None = None
    reach: float = 30.0
    _began: float = field(default_factory=time.monotonic)
    _signalled: float | None = None

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._began

    def left(self, limit: float | None = None, since: float | None = None) -> float:
        """Seconds that may still be waited, 0 when it is over. limit: of this one wait, which began at `since` (monotonic)."""
        now = time.monotonic()
        ends = [] if limit is None else [(now if since is None else since) + limit]
        if self.timeout is not None:
            ends.append(self._began + self.timeout)
        if self.signals.received is not None:
            if self._signalled is None:
                self._signalled = now
            ends.append(self._signalled + GRACE)
        return max(min(ends) - now, 0.0) if ends else float("inf")

    def over(self, limit: float | None = None, since: float | None = None) -> bool:
        """Whether there is no time left."""
        return self.left(limit, since) <= 0
