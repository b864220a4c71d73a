"""The loop over small fakes when a port fails: what is undone, tried again, and counted."""

from __future__ import annotations

import pytest

from kdg.core.cycle import MAX_RETRIES
from kdg.core.guarantees import AT_MOST_ONCE, EXACTLY_ONCE, Guarantee
from kdg.core.ports import TryAgain
from kdg.errors import Aborted, KdgError, OutcomeUnknown
from tests.support.pump import FIVE, Transaction, World, each_guarantee, pump_over


def test_abortable_transaction_is_done_again() -> None:
    """A transaction that certainly had no effect is aborted, and its records are read again."""
    world = World(list(FIVE), errors={("commit-transaction", 2): TryAgain("not yet")})
    pump = pump_over(world, EXACTLY_ONCE)
    pump.run()
    assert pump.error is None
    assert world.visible == FIVE
    assert (pump.counts.committed, pump.counts.aborted, pump.counts.written) == (3, 1, 5)


@pytest.mark.parametrize("took_effect", [True, False])
def test_commit_in_doubt_is_looked_up(took_effect: bool) -> None:
    """After a commit in doubt, the producer is replaced and the outcome looked up: nothing is lost or duplicated."""
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
def test_a_write_that_fails_for_good_commits_nothing_after_it(guarantee: Guarantee) -> None:
    world = World(list(FIVE), errors={("write", 2): KdgError("disk full")})
    pump = pump_over(world, guarantee)
    pump.run()
    assert str(pump.error) == "disk full"
    second_write = world.log.index("write", world.log.index("write") + 1)
    assert not {"commit", "commit-transaction"} & set(world.log[second_write:])
    assert world.stored == (4 if guarantee is AT_MOST_ONCE else 2)
    assert pump.counts.written == 2


def test_at_most_once_needs_a_certain_commit() -> None:
    """At-most-once does not write records whose position may not be committed."""
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
