"""Owns the line on stderr that tells how far a run is: bytes of a file, offsets to the ends; rate, lag and commits.

It appears on a terminal alone, unless `--progress` asks for it, and is gone when the run ends; stdout is never touched.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from kdg.core.progress import Counts
from kdg.runs.plan import Plan

ON_A_TERMINAL, IN_A_LOG = 0.1, 1.0
"""Seconds between two of its lines."""


class Way(NamedTuple):
    """How far a run is: done of total, in bytes or offsets; lag: offsets that are left, None where there are none."""

    done: int
    total: int
    lag: int | None = None


class HasLag(Protocol):
    """A source that knows how many offsets lie before its ends."""

    @property
    def lag(self) -> int:
        """Offsets between where it stands and the ends; 0 without ends."""


def of_file(descriptor: int) -> Callable[[], Way | None]:
    """Bytes read of a file; nothing for a pipe, whose end nobody knows."""

    def way() -> Way | None:
        told = os.fstat(descriptor)
        if not stat.S_ISREG(told.st_mode):
            return None
        return Way(os.lseek(descriptor, 0, os.SEEK_CUR), told.st_size)

    return way


def of_source(source: HasLag) -> Callable[[], Way | None]:
    """Offsets read up to the ends."""
    most = 0

    def way() -> Way | None:
        nonlocal most
        lag = source.lag
        most = max(most, lag)  # partitions come one by one
        return Way(most - lag, most, lag) if most else None

    return way


@dataclass(slots=True)
class Progress:
    """Called with the counts of a run as it goes; `close` takes the line away."""

    way: Callable[[], Way | None]
    terminal: bool
    clock: Callable[[], float] = time.monotonic
    _began: float = field(default=0.0)
    _told: float = field(default=0.0)
    _shown: bool = field(default=False)

    def __post_init__(self) -> None:
        self._began = self._told = self.clock()

    def __call__(self, counts: Counts) -> None:
        now = self.clock()
        if now - self._told < (ON_A_TERMINAL if self.terminal else IN_A_LOG):
            return
        self._told, self._shown = now, True
        line = self._line(counts, now - self._began)
        # The cursor stays at the line's beginning: a note that comes next is written over it.
        sys.stderr.write(f"{line[:79]}\x1b[K\r" if self.terminal else f"kdg: {line}\n")
        sys.stderr.flush()

    def _line(self, counts: Counts, seconds: float) -> str:
        way, records = self.way(), counts.read + counts.pending_read
        parts = [] if way is None else [f"{100 * way.done // max(way.total, 1)}%"]
        parts += [f"{records:,} records", f"{records / max(seconds, 0.001):,.0f}/s"]
        parts += [] if way is None or way.lag is None else [f"lag {way.lag:,}"]
        commits = counts.committed or counts.commits
        parts += [f"{commits:,} commits"] if commits else []
        return " · ".join(parts)

    def close(self) -> None:
        """The line is gone."""
        if self._shown and self.terminal:
            sys.stderr.write("\x1b[K")
            sys.stderr.flush()


def progress_of(plan: Plan, way: Callable[[], Way | None], *, ends: bool, prints: bool = False) -> Progress | None:
    """The progress of a run, where it is wanted. ends: its end is known. prints: it writes to stdout, perhaps the same terminal."""
    terminal = sys.stderr.isatty()
    wanted = ends and terminal and not plan.quiet and not (prints and sys.stdout.isatty())
    return Progress(way, terminal) if (wanted if plan.progress is None else plan.progress) else None
