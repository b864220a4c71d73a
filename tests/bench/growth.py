"""Owns the growth: time and memory with more records, larger records, more partitions, more instances."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from .race import race, take
from .sides import Side, consume, holds, pipe, produce
from .stage import KDG, Stage

MB = 1_000_000
COMMANDS: dict[str, Side] = {"produce": produce(), "consume": consume("-e"), "pipe exactly once": pipe(10_000)}
LARGE = 100_000
LARGE_COMMANDS: dict[str, Side] = {
    "produce": produce(size=LARGE),
    "consume": consume("-e", bytes_each=LARGE + 1),
    "pipe exactly once": pipe(10_000, size=LARGE),
}


@dataclass(frozen=True, slots=True)
class Grown:
    """A command over some records. memory: in bytes. limit: the limit, in words. held: whether it was kept."""

    what: str
    seconds: float
    memory: int
    limit: str = ""
    held: bool = True


def growth(stage: Stage, unit: int, most: int, repeats: int) -> Iterator[Grown]:
    """Whether time grows linearly and memory does not: 4 units take at most 4.4 times the time of one unit, and `most`
    units at most 1.25 times its memory.
    """
    for name, side in COMMANDS.items():
        one, four = race([partial(side, stage, unit), partial(side, stage, 4 * unit)], repeats)
        yield Grown(f"{name}, {unit:,}", one.median, one.memory, "under 150 MB", one.memory < 150 * MB)
        ratio = four.median / one.median
        yield Grown(f"{name}, {4 * unit:,}", four.median, four.memory, f"{ratio:.2f} times, at most 4.4", ratio <= 4.4)
        seconds, memory = take(side(stage, most * unit))
        grown = memory / one.memory
        limit = f"memory {grown:.2f} times, at most 1.25, under 150 MB"
        yield Grown(f"{name}, {most * unit:,}", seconds, memory, limit, grown <= 1.25 and memory < 150 * MB)


def large_records(stage: Stage, records: int) -> Iterator[Grown]:
    """Records of 100 KB: the limit of memory is in bytes, not in records."""
    for name, side in LARGE_COMMANDS.items():
        seconds, memory = take(side(stage, records))
        yield Grown(f"{name}, {records:,} of 100 KB", seconds, memory, "under 250 MB", memory < 250 * MB)


def partitions(stage: Stage, records: int, numbers: Sequence[int], repeats: int) -> Iterator[Grown]:
    """One instance of a pipe over topics with so many partitions each."""
    sides = [pipe(10_000, partitions=number) for number in numbers]
    times = race([partial(side, stage, records) for side in sides], repeats)
    for number, taken in zip(numbers, times, strict=True):
        yield Grown(f"pipe exactly once, {number:,} partitions", taken.median, taken.memory)


# ── several instances ──


@dataclass(frozen=True, slots=True)
class Shared:
    """So many instances of one group. seconds: until the last one has ended."""

    instances: int
    seconds: float
    records: int


@dataclass(frozen=True, slots=True)
class Standstill:
    """The longest time without a new committed record, in seconds: with one instance, and while a second one joins."""

    alone: float
    joining: float


def instances(stage: Stage, records: int, numbers: Sequence[int]) -> Iterator[Shared]:
    """The times of several instances of an exactly-once pipe over 8 partitions."""
    for number in numbers:
        with _copying(stage, records) as copying:
            began = time.monotonic()
            for _ in range(number):
                copying.join()
            copying.end()
            seconds = time.monotonic() - began
        yield Shared(number, seconds, records)


def standstill(stage: Stage, records: int) -> Standstill:
    """The standstill when a second instance joins after a quarter of the records is copied."""
    longest, seen, changed = [0.0, 0.0], 0, 0.0
    with _copying(stage, records) as copying:
        copying.join()
        while copying.running:
            found, now = stage.count(copying.target), time.monotonic()
            if found == seen:
                continue
            members = len(copying.members)
            if seen:
                longest[members - 1] = max(longest[members - 1], now - changed)
            seen, changed = found, now
            if members == 1 and seen > records / 4:
                copying.join()
        copying.end()
    return Standstill(*longest)


@dataclass(slots=True)
class _Copying:
    """The instances of one pipe."""

    argv: Sequence[str]
    target: str
    members: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def join(self) -> None:
        """Start one more instance."""
        self.members.append(subprocess.Popen(self.argv))

    @property
    def running(self) -> bool:
        """Whether an instance still runs."""
        return any(member.poll() is None for member in self.members)

    def end(self) -> None:
        """Wait for all instances. Raises RuntimeError if one failed."""
        codes = [member.wait(timeout=300) for member in self.members]
        if any(codes):
            raise RuntimeError(f"instances of a pipe ended with {codes}")


@contextmanager
def _copying(stage: Stage, records: int) -> Iterator[_Copying]:
    """The pipe between a filled and an empty topic of 8 partitions, both made before the timing begins.

    At the end every process is gone; then it is checked that all records were copied.
    """
    source, target = stage.filled(records, 8), stage.fresh(8)
    argv = [KDG, "pipe", source, target, "-G", stage.name(), "-g", "exactly-once", "-e", "-q", "-b", stage.bootstrap]
    copying = _Copying(argv, target)
    try:
        yield copying
    finally:
        for member in copying.members:
            member.kill()
    holds(stage, target, records)
    stage.drop(target)
