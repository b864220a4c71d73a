"""Owns the timing: programs run one after the other, in turns, and each is timed from its start to its end."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

NOTHING = Path(os.devnull)


@dataclass(frozen=True, slots=True)
class Run:
    """A program to be timed.

    check: called afterwards, raises if the program did not do its work. after: called afterwards, removes what it made.
    Neither is timed.
    """

    argv: Sequence[str]
    stdin: Path = NOTHING
    stdout: Path = NOTHING
    check: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None


@dataclass(slots=True)
class Times:
    """The times of one program: the seconds of each run, and the largest resident memory of a run, in bytes."""

    seconds: list[float] = field(default_factory=list)
    memory: int = 0

    @property
    def median(self) -> float:
        """The median time, in seconds."""
        return statistics.median(self.seconds)


def take(run: Run) -> tuple[float, int]:
    """The time of one run in seconds, and its largest resident memory in bytes. Raises RuntimeError if it fails."""
    with run.stdin.open("rb") as source, run.stdout.open("wb") as target, (NOTHING).open("r+b") as nothing:
        began = time.monotonic()
        process = subprocess.Popen(run.argv, stdin=source, stdout=target, stderr=nothing)
        _pid, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(run.argv)} ended with {process.returncode}")
    run.check()
    run.after()
    return seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def race(sides: Sequence[Callable[[], Run]], repeats: int) -> list[Times]:
    """Run every side `repeats` times, in turns, so that a slow moment of the machine affects all sides.

    Each turn begins with another side.
    """
    times = [Times() for _ in sides]
    for turn in range(repeats):
        for index in range(len(sides)):
            which = (turn + index) % len(sides)
            seconds, memory = take(sides[which]())
            times[which].seconds.append(seconds)
            times[which].memory = max(times[which].memory, memory)
    return times
