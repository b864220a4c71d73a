"""Owns the line on stderr that shows how far a run is: per cent, records, rate, lag and commits.

Without `--progress` or `--no-progress` the line appears only if stderr is a terminal. It is erased when the run ends.
Nothing is written to stdout.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from kdg.core.progress import Counts
from kdg.runs.plan import Plan
from kdg.runtime.clock import SYSTEM_CLOCK, Clock

ON_A_TERMINAL, IN_A_LOG = 0.1, 1.0
"""Seconds between two lines."""


class HowFar(NamedTuple):
    """How much of its input a run has read: `done` of `total`, in bytes or offsets.

    lag: the offsets that are left, or None.
    """

    done: int
    total: int
    lag: int | None = None


class HasLag(Protocol):
    """A source that knows how many offsets it still has to read."""

    @property
    def lag(self) -> int:
        """Offsets from the position to where reading stops; 0 if it is not known where reading stops."""


def of_file(descriptor: int) -> Callable[[], HowFar | None]:
    """Bytes read of a file. None for a pipe, because its length is not known."""

    def how_far() -> HowFar | None:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return None
        return HowFar(os.lseek(descriptor, 0, os.SEEK_CUR), status.st_size)

    return how_far


def of_source(source: HasLag) -> Callable[[], HowFar | None]:
    """Offsets read of a topic.

    The total is the largest lag that was seen, because partitions are assigned one by one.
    """
    most = 0

    def how_far() -> HowFar | None:
        nonlocal most
        lag = source.lag
        most = max(most, lag)
        return HowFar(most - lag, most, lag) if most else None

    return how_far


@dataclass(slots=True)
class ProgressLine:
    """Shows the counts of a run each time it is called, but not too often. `close` erases the line."""

    how_far: Callable[[], HowFar | None]
    terminal: bool
    clock: Clock = SYSTEM_CLOCK
    _began: float = field(init=False)
    _shown_at: float = field(init=False)
    _shown: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._began = self._shown_at = self.clock.monotonic()

    def __call__(self, counts: Counts) -> None:
        now = self.clock.monotonic()
        if now - self._shown_at < (ON_A_TERMINAL if self.terminal else IN_A_LOG):
            return
        self._shown_at, self._shown = now, True
        line = self._line(counts, now - self._began)
        # The cursor stays at the beginning of the line, so that a note that comes next is written over it.
        sys.stderr.write(f"{line[:79]}\x1b[K\r" if self.terminal else f"kdg: {line}\n")
        sys.stderr.flush()

    def _line(self, counts: Counts, seconds: float) -> str:
        how_far, records = self.how_far(), counts.read + counts.pending_read
        parts = [] if how_far is None else [f"{100 * how_far.done // max(how_far.total, 1)}%"]
        parts += [f"{records:,} records", f"{records / max(seconds, 0.001):,.0f}/s"]
        parts += [] if how_far is None or how_far.lag is None else [f"lag {how_far.lag:,}"]
        commits = counts.committed or counts.commits
        parts += [f"{commits:,} commits"] if commits else []
        return " · ".join(parts)

    def close(self) -> None:
        """Erase the line on a terminal."""
        if self._shown and self.terminal:
            sys.stderr.write("\x1b[K")
            sys.stderr.flush()


def progress_line(
    plan: Plan, how_far: Callable[[], HowFar | None], *, ends: Callable[[], bool], prints: bool = False
) -> ProgressLine | None:
    """The progress line of a run, or None if there is to be none.

    ends: whether it is known where the input ends. prints: whether records go to stdout, which may be the same
    terminal.
    """
    terminal = sys.stderr.isatty()
    wanted = plan.progress
    if wanted is None:
        wanted = terminal and not plan.quiet and not (prints and sys.stdout.isatty()) and ends()
    return ProgressLine(how_far, terminal) if wanted else None
