"""Owns fakes of the ports, for tests of the loop: they log what is called, and fail when they are asked to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, EXACTLY_ONCE, GUARANTEES, Guarantee
from kdg.core.interval import Interval
from kdg.core.progress import Limits
from kdg.core.pump import Pump
from kdg.core.records import Batch, Offsets, Position
from kdg.core.state import Cycle
from kdg.errors import KdgError

each_guarantee = pytest.mark.parametrize("guarantee", GUARANTEES, ids=[guarantee.name for guarantee in GUARANTEES])


@dataclass
class World:
    """A Source over a few values, the signals, and the clock; it logs every call to a port.

    errors: what a call raises, by its name and number, counted from 1. during_read: what happens inside a read, by its
    number. at: the position reached. stored: the settled one. visible, staged: what was written, outside and inside a
    transaction. endless: whether reads at the end of the values bring nothing, instead of the end. took_effect: the
    answer of `reload`. kept_alive: what happens inside `keep_alive`. incomplete, empty_handed, rejoining: see Source.
    gone_for_good: a release makes it incomplete.
    """

    values: list[bytes]
    log: list[str] = field(default_factory=list)
    errors: dict[tuple[str, int], KdgError] = field(default_factory=dict)
    during_read: dict[int, Callable[[], None]] = field(default_factory=dict)
    at: int = 0
    stored: int = 0
    visible: list[bytes | None] = field(default_factory=list)
    staged: list[bytes | None] = field(default_factory=list)
    received: int | None = None
    now: float = 0.0
    endless: bool = False
    took_effect: bool = False
    incomplete: bool = False
    empty_handed: bool = False
    gone_for_good: bool = False
    rejoining: bool = False
    kept_alive: Callable[[], None] = lambda: None
    moved = False

    def did(self, name: str) -> None:
        self.log.append(name)
        if error := self.errors.get((name, self.log.count(name))):
            raise error

    def read(self, limit: int, timeout: float) -> Batch | None:
        self.did("read")
        self.now += 0.01 if self.at < len(self.values) else timeout
        self.during_read.get(self.log.count("read"), lambda: None)()
        values = self.values[self.at : self.at + limit]
        self.at += len(values)
        return None if not values and not self.endless else Batch(values)

    def keep_alive(self) -> None:
        self.did("keep-alive")
        self.kept_alive()

    def positions(self) -> Sequence[Position]:
        return [Position("t", 0, self.at)]

    def offsets(self) -> Offsets:
        return {("t", 0): self.stored}

    def commit(self) -> None:
        self.did("commit")

    def release(self) -> None:
        self.did("release")
        self.incomplete = self.gone_for_good

    def close(self) -> None:
        self.did("close")

    def settled(self) -> None:
        self.stored = self.at

    def rewind(self) -> None:
        self.did("rewind")
        self.at, self.staged, self.incomplete = self.stored, [], False

    def reload(self) -> bool:
        self.did("reload")
        if not self.took_effect:
            self.at, self.staged = self.stored, []
        return self.took_effect


class Target:
    """Writes into the world: at once, or into its open transaction."""

    def __init__(self, world: World) -> None:
        self.world = world

    def write(self, batch: Batch) -> None:
        self.world.did("write")
        self.world.staged += batch.values

    def flush(self) -> None:
        self.world.did("flush")

    def close(self) -> None: ...


class Transaction:
    """Makes what is staged visible, or drops it."""

    def __init__(self, world: World) -> None:
        self.world = world

    def begin(self) -> None:
        self.world.did("begin")

    def record(self, positions: Sequence[Position]) -> None:
        self.world.did("record-position")

    def commit(self) -> None:
        self.world.did("commit-transaction")
        self.world.visible += self.world.staged
        self.world.staged = []

    def abort(self) -> None:
        self.world.did("abort")
        self.world.staged = []

    def recycle(self) -> None:
        self.world.did("recycle")


def pump_over(world: World, guarantee: Guarantee, batch: int = 2, **options: object) -> Pump:
    """A pump over the world. batch: its records. settles, whole: of the cycle; other options: fields of the Pump."""
    cycle = Cycle.of(guarantee, settles=bool(options.pop("settles", True)), whole=bool(options.pop("whole", False)))
    interval = Interval(max_records=batch, max_seconds=1.0)
    arguments: dict[str, object] = {"limits": Limits(), "signals": world, "clock": lambda: world.now, **options}
    return Pump(cycle, world, Target(world), Transaction(world), interval, **arguments)  # type: ignore[arg-type]


FIVE = [b"1", b"2", b"3", b"4", b"5"]
CYCLES = {
    AT_MOST_ONCE: ["read", "commit", "write"],
    AT_LEAST_ONCE: ["read", "write", "flush", "commit"],
    EXACTLY_ONCE: ["read", "begin", "write", "flush", "record-position", "commit-transaction"],
}
