"""Owns the taking of times: programs one after the other, in turns, from the start of the process to its end."""

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
    """A program to be timed. check: raises when it did not do what it was to do; after: what is cleared away. Neither is timed."""

    argv: Sequence[str]
    stdin: Path = NOTHING
    stdout: Path = NOTHING
    check: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None


@dataclass(slots=True)
class Times:
    """What the runs of one program took: seconds each, and the most memory in bytes that one had resident."""

    seconds: list[float] = field(default_factory=list)
    memory: int = 0

    @property
    def median(self) -> float:
        """Seconds."""
        return statistics.median(self.seconds)


def take(run: Run) -> tuple[float, int]:
    """Seconds and bytes of one run. Raises RuntimeError when it did not end with 0."""
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
    """Every side `repeats` times, interleaved, so that a slow moment of the machine meets them all; each turn begins with another."""
    times = [Times() for _ in sides]
    for turn in range(repeats):
        for index in range(len(sides)):
            which = (turn + index) % len(sides)
            seconds, memory = take(sides[which]())
            times[which].seconds.append(seconds)
            times[which].memory = max(times[which].memory, memory)
    return times
