"""The loop over small fakes: what it does in which order, what it counts, and how it ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from kdg.core.cycle import MAX_RETRIES, Cycle, Event, Lost, Revoked
from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, EXACTLY_ONCE, GUARANTEES, Guarantee, Step
from kdg.core.interval import Interval
from kdg.core.ports import TryAgain
from kdg.core.progress import CrashAt, Limits
from kdg.core.pump import Pump
from kdg.core.records import Batch, Offsets, Position
from kdg.errors import Aborted, KdgError, OutcomeUnknown, StopNotReached

each_guarantee = pytest.mark.parametrize("row", GUARANTEES, ids=[row.name for row in GUARANTEES])


@dataclass
class World:
    """Source, target, transaction, signals and clock in one. errors: what a call raises, by its name and number from 1."""

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
    moved = False

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_args: self.did(name)

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

    def positions(self) -> Sequence[Position]:
        return [Position("t", 0, self.at)]

    def offsets(self) -> Offsets:
        return {("t", 0): self.stored}

    def settled(self) -> None:
        self.stored = self.at

    def rewind(self) -> None:
        self.did("rewind")
        self.at, self.staged = self.stored, []

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


def pump_over(world: World, row: Guarantee, batch: int = 2, **options: object) -> Pump:
    """A pump with batches of two. settles, whole: of the cycle."""
    cycle = Cycle.of(row, settles=bool(options.pop("settles", True)), whole=bool(options.pop("whole", False)))
    interval = Interval(max_records=batch, max_seconds=1.0)
    arguments: dict[str, object] = {"limits": Limits(), "signals": world, "clock": lambda: world.now, **options}
    return Pump(cycle, world, Target(world), Transaction(world), interval, **arguments)  # type: ignore[arg-type]


FIVE = [b"1", b"2", b"3", b"4", b"5"]
CYCLES = {
    AT_MOST_ONCE: ["read", "commit", "write"],
    AT_LEAST_ONCE: ["read", "write", "flush", "commit"],
    EXACTLY_ONCE: ["read", "begin", "write", "flush", "record-position", "commit-transaction"],
}


@each_guarantee
def test_it_performs_the_steps_of_the_row_in_their_order(row: Guarantee) -> None:
    world = World([*FIVE, b"6"])
    pump = pump_over(world, row)
    pump.run()
    assert pump.error is None
    assert world.log == CYCLES[row] * 3 + ["read"] + (["flush"] if row is AT_MOST_ONCE else [])
    assert (pump.counts.read, pump.counts.written) == (6, 6)
    assert pump.counts.committed == (3 if row.transactional else 0)


@each_guarantee
def test_a_count_is_read_exactly_and_settled(row: Guarantee) -> None:
    world = World(list(FIVE))
    pump = pump_over(world, row, limits=Limits(count=3))
    pump.run()
    assert (world.at, world.stored, pump.counts.read, pump.counts.written) == (3, 3, 3, 3)


@each_guarantee
def test_an_empty_input_settles_nothing(row: Guarantee) -> None:
    world = World([])
    pump_over(world, row).run()
    assert not {"write", "commit", "begin", "commit-transaction"} & set(world.log)


def test_one_transaction_input_commits_at_its_end() -> None:
    """An input that is one transaction is committed once at its end."""
    world = World(list(FIVE))
    pump = pump_over(world, EXACTLY_ONCE, whole=True, settles=False)
    pump.run()
    assert world.log == ["read", "begin", "write", "read", "write", "read", "write", "read", *CYCLES[EXACTLY_ONCE][3:]]
    assert pump.counts.committed == 1


# ── rebalances, inside READ ──


def rebalanced(row: Guarantee, event: Event) -> tuple[World, Pump]:
    """A run in which the event comes in the second read, with two records not yet settled."""
    world = World(list(FIVE))
    pump = pump_over(world, row, batch=4)
    world.during_read[1] = lambda: world.values.__delitem__(slice(2, None))
    world.during_read[2] = lambda: (world.values.extend(FIVE[2:]), pump.on_rebalance(event))  # type: ignore[assignment, func-returns-value]
    pump.run()
    return world, pump


@pytest.mark.parametrize("row", [AT_LEAST_ONCE, EXACTLY_ONCE], ids=lambda row: row.name)
def test_revoked_inside_a_read_settles_first(
    row: Guarantee,
) -> None:
    """Partitions revoked inside a read are settled before they are released and the read goes on."""
    world, pump = rebalanced(row, Revoked())
    steps = CYCLES[row]
    assert world.log[: 2 + len(steps)] == [
        *steps[: steps.index("write") + 1],
        "read",
        *steps[steps.index("flush") :],
        "release",
    ]
    assert pump.error is None
    assert pump.counts.read == pump.counts.written == 5


def test_lost_inside_a_read_aborts_and_rewinds() -> None:
    """Partitions lost inside a read abort what is open release and go back."""
    world, pump = rebalanced(EXACTLY_ONCE, Lost())
    assert world.log[:7] == ["read", "begin", "write", "read", "abort", "release", "rewind"]
    assert "commit-transaction" not in world.log[: world.log.index("rewind")]
    assert pump.counts.aborted == 1
    assert world.visible[-3:] == FIVE[2:]


@pytest.mark.parametrize("row", [AT_MOST_ONCE, AT_LEAST_ONCE], ids=lambda row: row.name)
def test_lost_inside_a_read_is_never_committed(row: Guarantee) -> None:
    """Partitions lost inside a read are released and never committed before."""
    world, _pump = rebalanced(row, Lost())
    before = world.log[: world.log.index("release")]
    assert before[-1] == "read"


def test_a_failure_while_settling_inside_a_revoke_still_releases() -> None:
    world = World(list(FIVE))
    pump = pump_over(world, EXACTLY_ONCE, batch=4)
    world.errors["commit-transaction", 1] = TryAgain("the group went on")
    world.during_read[1] = lambda: world.values.__delitem__(slice(2, None))
    world.during_read[2] = lambda: (world.values.extend(FIVE[2:]), pump.on_rebalance(Revoked()))  # type: ignore[assignment, func-returns-value]
    pump.run()
    assert world.log[world.log.index("commit-transaction") :][:4] == [
        "commit-transaction",
        "abort",
        "rewind",
        "release",
    ]
    assert pump.error is None
    assert world.visible == FIVE


# ── failures ──


def test_abortable_transaction_is_done_again() -> None:
    """A transaction that was certainly without effect is aborted gone back and done again."""
    world = World(list(FIVE), errors={("commit-transaction", 2): TryAgain("not yet")})
    pump = pump_over(world, EXACTLY_ONCE)
    pump.run()
    assert pump.error is None
    assert world.visible == FIVE
    assert (pump.counts.committed, pump.counts.aborted, pump.counts.written) == (3, 1, 5)


@pytest.mark.parametrize("took_effect", [True, False])
def test_commit_in_doubt_is_looked_up(took_effect: bool) -> None:
    """A commit in doubt is recycled and looked up and nothing is lost or duplicated."""
    world = World(list(FIVE), errors={("commit-transaction", 2): OutcomeUnknown("no answer")}, took_effect=took_effect)
    pump = pump_over(world, EXACTLY_ONCE)
    before = Transaction.commit

    def commit(self: Transaction) -> None:
        staged = list(world.staged)
        try:
            before(self)
        except OutcomeUnknown:
            world.visible += staged if took_effect else []
            world.staged = []
            world.stored = world.at if took_effect else world.stored
            raise

    pump.transaction.commit = commit.__get__(pump.transaction)  # type: ignore[method-assign]
    pump.run()
    assert pump.error is None
    assert "recycle" in world.log
    assert world.visible == FIVE
    assert (pump.counts.read, pump.counts.written) == (5, 5)


def test_trying_again_is_bounded_and_ends_as_aborted() -> None:
    errors: dict[tuple[str, int], KdgError] = {("flush", n): TryAgain("again") for n in range(1, 99)}
    world = World(list(FIVE), errors=errors)
    pump = pump_over(world, EXACTLY_ONCE)
    pump.run()
    assert isinstance(pump.error, Aborted)
    assert world.log.count("flush") == MAX_RETRIES + 1
    assert world.visible == []


@each_guarantee
def test_a_write_that_fails_for_good_commits_nothing_after_it(row: Guarantee) -> None:
    world = World(list(FIVE), errors={("write", 2): KdgError("disk full")})
    pump = pump_over(world, row)
    pump.run()
    assert str(pump.error) == "disk full"
    assert "commit" not in world.log[world.log.index("write") + 3 :] or row is AT_MOST_ONCE
    assert world.stored == (4 if row is AT_MOST_ONCE else 2)
    assert pump.counts.written == 2


def test_at_most_once_needs_a_certain_commit() -> None:
    """At most once does not write what it does not know to be committed."""
    world = World(list(FIVE), errors={("commit", 2): OutcomeUnknown("no answer")})
    pump = pump_over(world, AT_MOST_ONCE)
    pump.run()
    assert isinstance(pump.error, OutcomeUnknown)
    assert world.staged == FIVE[:2]


def test_an_abort_that_fails_ends_the_run_with_the_first_cause() -> None:
    errors = {("flush", 1): KdgError("cause"), ("abort", 1): KdgError("consequence")}
    pump = pump_over(World(list(FIVE), errors=errors), EXACTLY_ONCE)
    pump.run()
    assert str(pump.error) == "cause"


# ── how it ends ──


@each_guarantee
def test_a_signal_settles_what_is_open_and_ends(row: Guarantee) -> None:
    world = World(list(FIVE))
    world.during_read[2] = lambda: setattr(world, "received", signal.SIGTERM)
    pump = pump_over(world, row)
    pump.run()
    assert pump.interrupted == signal.SIGTERM
    assert pump.error is None
    assert world.stored == pump.counts.read == pump.counts.written
    assert world.stored in (2, 4)


def test_a_signal_aborts_an_input_that_was_to_be_one_transaction() -> None:
    world = World(list(FIVE))
    world.during_read[2] = lambda: setattr(world, "received", signal.SIGTERM)
    pump = pump_over(world, EXACTLY_ONCE, whole=True, settles=False)
    pump.run()
    assert pump.interrupted == signal.SIGTERM
    assert "abort" in world.log
    assert world.visible == []
    assert pump.counts.written == 0


@each_guarantee
def test_timeout_settles_and_reports(row: Guarantee) -> None:
    """A timeout settles and says that the stop was not reached."""
    world = World(list(FIVE), endless=True)
    pump = pump_over(world, row, limits=Limits(count=9, timeout=3.0))
    pump.run()
    assert isinstance(pump.error, StopNotReached)
    assert world.stored == 5
    assert 3.0 <= world.now < 4.0


def test_slow_one_transaction_input_is_aborted() -> None:
    """Input that is one transaction and too slow is aborted and resume named."""
    world = World(list(FIVE), endless=True)
    pump = pump_over(world, EXACTLY_ONCE, whole=True, settles=False, limits=Limits(whole_within=2.0))
    pump.run()
    assert isinstance(pump.error, Aborted)
    assert "--resume" in pump.error.hint
    assert world.visible == []


@each_guarantee
def test_silence_ends_it_after_the_idle_timeout(row: Guarantee) -> None:
    world = World(list(FIVE), endless=True)
    pump = pump_over(world, row, limits=Limits(idle_timeout=2.0))
    pump.run()
    assert pump.error is None
    assert world.stored == 5
    assert 2.0 <= world.now < 3.0


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(
    ("row", "step"), [(row, step) for row in GUARANTEES for step in row.steps if step not in row.end]
)
def test_crash_at_the_step_asked_for(monkeypatch: pytest.MonkeyPatch, row: Guarantee, step: Step, times: int) -> None:
    """A crash comes after the step and time that were asked for."""

    class Killed(BaseException): ...

    def kill(pid: int, signum: int) -> None:
        assert (pid, signum) == (os.getpid(), signal.SIGKILL)
        raise Killed

    monkeypatch.setattr(os, "kill", kill)
    world = World(list(FIVE))
    with pytest.raises(Killed):
        pump_over(world, row, crash_at=CrashAt(step, times)).run()
    silent = {Step.FILTER, Step.DEDUP, Step.MARK}
    assert step in silent or (world.log[-1], world.log.count(step.value)) == (step.value, times)


def test_a_filter_sees_each_batch_between_read_and_write() -> None:
    world = World(list(FIVE))
    pump = pump_over(world, EXACTLY_ONCE, filter=lambda batch: Batch(batch.values[:1]))
    pump.run()
    assert world.visible == [b"1", b"3", b"5"]
    assert (pump.counts.read, pump.counts.written) == (5, 3)
