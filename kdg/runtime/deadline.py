"""Owns how long a run may wait for a broker, a command or a lock: until --timeout is over, or shortly after a signal.

Every loop that waits has a limit of its own and asks the Deadline of the run as well. Example: a call may take 60 s.

    began = time.monotonic()
    while not done():
        if deadline.over(60, began):
            raise ...

The loop ends after 60 s; or earlier, when `--timeout` is over; or GRACE seconds after SIGINT or SIGTERM.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from kdg.core.ports import Signals

GRACE = 6.0
"""Seconds after a signal in which the run may still settle and close. The whole run ends within 10 s of the signal."""


class NoSignals:
    """The signals of a wait that no signal ends."""

    received: int | None = None


@dataclass(slots=True)
class Deadline:
    """Until when a run may wait. Every wait of the run asks it.

    signals: says whether SIGINT or SIGTERM came. timeout: seconds for the whole run (`--timeout`); None for no limit.
    reach: seconds within which a broker has to answer for the first time.
    """

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
        """Seconds that are left: 0 when the time is over, infinity without any limit.

        limit: seconds for this one wait. since: when this wait began (time.monotonic()); now, if it is left out.
        """
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
