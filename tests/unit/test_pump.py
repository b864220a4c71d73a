"""The loop over small fakes: what it does in which order, what it counts, and how it ends."""

from __future__ import annotations

import os
import signal
from functools import partial

import pytest

from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, EXACTLY_ONCE, GUARANTEES, Guarantee, Step
from kdg.core.ports import TryAgain, Work
from kdg.core.progress import CrashAt, Limits
from kdg.core.pump import Pump
from kdg.core.records import Batch
from kdg.core.state import Event, Lost, Revoked
from kdg.errors import Aborted, StopNotReached
from tests.support.pump import CYCLES, FIVE, World, each_guarantee, pump_over


@each_guarantee
def test_it_performs_the_steps_of_the_row_in_their_order(guarantee: Guarantee) -> None:
    world = World([*FIVE, b"6"])
    pump = pump_over(world, guarantee)
    pump.run()
    assert pump.error is None
    assert world.log == CYCLES[guarantee] * 3 + ["read"] + (["flush"] if guarantee is AT_MOST_ONCE else [])
    assert (pump.counts.read, pump.counts.written) == (6, 6)
    assert pump.counts.committed == (3 if guarantee.transactional else 0)


@each_guarantee
def test_a_count_is_read_exactly_and_settled(guarantee: Guarantee) -> None:
    world = World(list(FIVE))
    pump = pump_over(world, guarantee, limits=Limits(count=3))
    pump.run()
    assert (world.at, world.stored, pump.counts.read, pump.counts.written) == (3, 3, 3, 3)


@each_guarantee
def test_an_empty_input_settles_nothing(guarantee: Guarantee) -> None:
    world = World([])
    pump_over(world, guarantee).run()
    assert not {"write", "commit", "begin", "commit-transaction"} & set(world.log)


def test_one_transaction_input_commits_at_its_end() -> None:
    """An input that is one transaction is committed once, at its end."""
    world = World(list(FIVE))
    pump = pump_over(world, EXACTLY_ONCE, whole=True, settles=False)
    pump.run()
    assert world.log == ["read", "begin", "write", "read", "write", "read", "write", "read", *CYCLES[EXACTLY_ONCE][3:]]
    assert pump.counts.committed == 1


# ── rebalances, inside READ ──


def _more_and(world: World, pump: Pump, event: Event) -> None:
    world.values.extend(FIVE[2:])
    pump.on_rebalance(event)


def rebalanced(guarantee: Guarantee, event: Event) -> tuple[World, Pump]:
    """A run in which the event comes inside the second read, when two records are not settled yet."""
    world = World(list(FIVE))
    pump = pump_over(world, guarantee, batch=4)
    world.during_read[1] = lambda: world.values.__delitem__(slice(2, None))
    world.during_read[2] = partial(_more_and, world, pump, event)
    pump.run()
    return world, pump


@pytest.mark.parametrize("guarantee", [AT_LEAST_ONCE, EXACTLY_ONCE], ids=lambda guarantee: guarantee.name)
def test_revoked_inside_a_read_settles_first(
    guarantee: Guarantee,
) -> None:
    """If partitions are revoked inside a read, the batch is settled, then they are released, then the read goes on."""
    world, pump = rebalanced(guarantee, Revoked())
    steps = CYCLES[guarantee]
    assert world.log[: 2 + len(steps)] == [
        *steps[: steps.index("write") + 1],
        "read",
        *steps[steps.index("flush") :],
        "release",
    ]
    assert pump.error is None
    assert pump.counts.read == pump.counts.written == 5


def test_lost_inside_a_read_aborts_and_rewinds() -> None:
    """If partitions are lost inside a read, the transaction is aborted, they are released, and the source goes back."""
    world, pump = rebalanced(EXACTLY_ONCE, Lost())
    assert world.log[:7] == ["read", "begin", "write", "read", "abort", "release", "rewind"]
    assert "commit-transaction" not in world.log[: world.log.index("rewind")]
    assert pump.counts.aborted == 1
    assert world.visible[-3:] == FIVE[2:]


@pytest.mark.parametrize("guarantee", [AT_MOST_ONCE, AT_LEAST_ONCE], ids=lambda guarantee: guarantee.name)
def test_lost_inside_a_read_is_never_committed(guarantee: Guarantee) -> None:
    """If partitions are lost inside a read, nothing is committed before they are released."""
    world, _pump = rebalanced(guarantee, Lost())
    before = world.log[: world.log.index("release")]
    assert before[-1] == "read"


def test_a_failure_while_settling_inside_a_revoke_still_releases() -> None:
    world = World(list(FIVE))
    pump = pump_over(world, EXACTLY_ONCE, batch=4)
    world.errors["commit-transaction", 1] = TryAgain("the group went on")
    world.during_read[1] = lambda: world.values.__delitem__(slice(2, None))
    world.during_read[2] = partial(_more_and, world, pump, Revoked())
    pump.run()
    assert world.log[world.log.index("commit-transaction") :][:4] == [
        "commit-transaction",
        "abort",
        "rewind",
        "release",
    ]
    assert pump.error is None
    assert world.visible == FIVE


# ── how it ends ──


@each_guarantee
def test_a_signal_settles_what_is_open_and_ends(guarantee: Guarantee) -> None:
    world = World(list(FIVE))
    world.during_read[2] = lambda: setattr(world, "received", signal.SIGTERM)
    pump = pump_over(world, guarantee)
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
def test_timeout_settles_and_reports(guarantee: Guarantee) -> None:
    """A timeout settles the batch, and says that the stop condition was not reached."""
    world = World(list(FIVE), endless=True)
    pump = pump_over(world, guarantee, limits=Limits(count=9, timeout=3.0))
    pump.run()
    assert isinstance(pump.error, StopNotReached)
    assert world.stored == 5
    assert 3.0 <= world.now < 4.0


def test_slow_one_transaction_input_is_aborted() -> None:
    """An input that is one transaction is aborted if it is too slow, and the hint names --resume."""
    world = World(list(FIVE), endless=True)
    pump = pump_over(world, EXACTLY_ONCE, whole=True, settles=False, limits=Limits(whole_within=2.0))
    pump.run()
    assert isinstance(pump.error, Aborted)
    assert "--resume" in pump.error.hint
    assert world.visible == []


@each_guarantee
def test_silence_ends_it_after_the_idle_timeout(guarantee: Guarantee) -> None:
    world = World(list(FIVE), endless=True)
    pump = pump_over(world, guarantee, limits=Limits(idle_timeout=2.0))
    pump.run()
    assert pump.error is None
    assert world.stored == 5
    assert 2.0 <= world.now < 3.0


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(
    ("guarantee", "step"),
    [(guarantee, step) for guarantee in GUARANTEES for step in guarantee.steps if step not in guarantee.end],
)
def test_crash_at_the_step_asked_for(
    monkeypatch: pytest.MonkeyPatch, guarantee: Guarantee, step: Step, times: int
) -> None:
    """--crash-at kills the process after the step, at the time that was asked for."""

    class Killed(BaseException): ...

    def kill(pid: int, signum: int) -> None:
        assert (pid, signum) == (os.getpid(), signal.SIGKILL)
        raise Killed

    monkeypatch.setattr(os, "kill", kill)
    world = World(list(FIVE))
    with pytest.raises(Killed):
        pump_over(world, guarantee, crash_at=CrashAt(step, times)).run()
    silent = {Step.FILTER, Step.DEDUP, Step.MARK}
    assert step in silent or (world.log[-1], world.log.count(step.value)) == (step.value, times)


def test_a_filter_sees_each_batch_between_read_and_write() -> None:
    def first(batch: Batch) -> Work[Batch]:
        yield
        return Batch(batch.values[:1])

    world = World(list(FIVE))
    pump = pump_over(world, EXACTLY_ONCE, filter=first)
    pump.run()
    assert world.visible == [b"1", b"3", b"5"]
    assert (pump.counts.read, pump.counts.written) == (5, 3)
