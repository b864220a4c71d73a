"""Owns what happens with more: records, bytes a record, partitions, instances. Time and memory, and whether both stay in proportion."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException, TopicPartition

from .race import race, take
from .rows import Side, consume, holds, pipe, produce
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
    """A command over some records. memory: bytes; limit: what it is held to, in words; held: whether it was."""

    what: str
    seconds: float
    memory: int
    limit: str = ""
    held: bool = True


def growth(stage: Stage, unit: int, most: int, repeats: int) -> Iterator[Grown]:
    """Time linear, memory flat: 4 units take at most 4.4 times one, `most` units at most 1.25 times its memory."""
    for name, side in COMMANDS.items():
        one, four = race([lambda side=side: side(stage, unit), lambda side=side: side(stage, 4 * unit)], repeats)  # type: ignore[misc]
        yield Grown(f"{name}, {unit:,}", one.median, one.memory, "under 150 MB", one.memory < 150 * MB)
        ratio = four.median / one.median
        yield Grown(f"{name}, {4 * unit:,}", four.median, four.memory, f"{ratio:.2f} times, at most 4.4", ratio <= 4.4)
        if most > 4:
            seconds, memory = take(side(stage, most * unit))
            grown = memory / one.memory
            limit = f"memory {grown:.2f} times, at most 1.25, under 150 MB"
            yield Grown(f"{name}, {most * unit:,}", seconds, memory, limit, grown <= 1.25 and memory < 150 * MB)


def large_records(stage: Stage, records: int) -> Iterator[Grown]:
    """Records of 100 KB: memory is bounded by bytes, not by records."""
    for name, side in LARGE_COMMANDS.items():
        seconds, memory = take(side(stage, records))
        yield Grown(f"{name}, {records:,} of 100 KB", seconds, memory, "under 250 MB", memory < 250 * MB)


def partitions(stage: Stage, records: int, numbers: Sequence[int], repeats: int) -> Iterator[Grown]:
    """One instance over a topic of so many partitions."""
    sides = [pipe(10_000, partitions=number) for number in numbers]
    times = race([lambda side=side: side(stage, records) for side in sides], repeats)  # type: ignore[misc]
    for number, taken in zip(numbers, times, strict=True):
        yield Grown(f"pipe exactly once, {number:,} partitions", taken.median, taken.memory)


# ── several instances ──


@dataclass(frozen=True, slots=True)
class Shared:
    """So many instances of one group: seconds until the last has ended."""

    instances: int
    seconds: float
    records: int


@dataclass(frozen=True, slots=True)
class Standstill:
    """The longest time without a new committed record, in seconds: with one instance, and while a second one joins."""

    alone: float
    joining: float


def instances(stage: Stage, records: int, numbers: Sequence[int]) -> Iterator[Shared]:
    """Instances of an exactly-once pipe over 8 partitions."""
    for number in numbers:
        target, group = stage.fresh(8), stage.name()
        began = time.monotonic()
        members = [_member(stage, records, target, group) for _ in range(number)]
        _await(members)
        seconds = time.monotonic() - began
        holds(stage, target, records)
        stage.drop(target)
        yield Shared(number, seconds, records)


def standstill(stage: Stage, records: int) -> Standstill:
    """A second instance joins when a quarter is copied."""
    target, group = stage.fresh(8), stage.name()
    consumer = Consumer({"bootstrap.servers": stage.bootstrap, "group.id": "none", "isolation.level": "read_committed"})
    members = [_member(stage, records, target, group)]
    longest, seen, changed = [0.0, 0.0], 0, 0.0
    try:
        while any(member.poll() is None for member in members):
            try:
                ends = [consumer.get_watermark_offsets(TopicPartition(target, p), timeout=30)[1] for p in range(8)]
            except KafkaException:  # the topic is new, and not every broker's word of its leaders is
                continue
            now = time.monotonic()
            if sum(ends) == seen:
                continue
            if seen:
                longest[len(members) - 1] = max(longest[len(members) - 1], now - changed)
            seen, changed = sum(ends), now
            if len(members) == 1 and seen > records / 4:
                members.append(_member(stage, records, target, group))
    except BaseException:
        for member in members:
            member.kill()
        raise
    finally:
        consumer.close()
    _await(members)
    holds(stage, target, records)
    stage.drop(target)
    return Standstill(*longest)


def _member(stage: Stage, records: int, target: str, group: str) -> subprocess.Popen[bytes]:
    source = stage.filled(records, 8)
    argv = [KDG, "pipe", source, target, "-G", group, "-g", "exactly-once", "-e", "-q", "-b", stage.bootstrap]
    return subprocess.Popen(argv)


def _await(members: Sequence[subprocess.Popen[bytes]]) -> None:
    codes = [member.wait(timeout=300) for member in members]
    if any(codes):
        raise RuntimeError(f"instances of a pipe ended with {codes}")
