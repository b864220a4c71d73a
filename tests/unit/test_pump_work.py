"""The loop while work takes long: it keeps the membership, and partitions come and go."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kdg.core.guarantees import AT_LEAST_ONCE, EXACTLY_ONCE, Guarantee
from kdg.core.ports import TryAgain, Work
from kdg.core.pump import Pump
from kdg.core.records import Batch
from kdg.core.state import Event, Lost, Revoked
from tests.support.pump import FIVE, World, each_guarantee, pump_over

SLICES = 4


class Working:
    """A filter that takes SLICES seconds a batch. ended: how often it was done, or given up."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.done = self.given_up = 0

    def __call__(self, batch: Batch) -> Work[Batch]:
        try:
            for _ in range(SLICES):
                self.world.now += 1
                yield
        except GeneratorExit:
            self.given_up += 1
            raise
        self.done += 1
        return batch


def pump_with(guarantee: Guarantee, event: Callable[[], Event] | None = None) -> tuple[World, Working, Pump]:
    """A pump over one batch, whose filter works. event: what the group reports the first time that it is polled."""
    world = World(FIVE[:2])
    working = Working(world)
    pump = pump_over(world, guarantee, filter=working)
    if event is not None:
        world.kept_alive = lambda: pump.on_rebalance(event()) if world.log.count("keep-alive") == 1 else None
    return world, working, pump


@each_guarantee
def test_the_membership_is_kept_between_the_waits_of_work(guarantee: Guarantee) -> None:
    world, working, pump = pump_with(guarantee)
    pump.run()
    assert pump.error is None
    assert world.log.count("keep-alive") == SLICES
    assert (working.done, working.given_up, world.stored) == (1, 0, 2)


@each_guarantee
def test_a_revoke_waits_for_work_and_settles_it(guarantee: Guarantee) -> None:
    world, working, pump = pump_with(guarantee, lambda: Revoked(within=10))
    pump.run()
    assert (working.done, working.given_up, world.stored) == (1, 0, 2)
    settled = "commit-transaction" if guarantee is EXACTLY_ONCE else "commit"
    assert world.log.index(settled) < world.log.index("release")
    assert world.log.count("write") == 1


def test_work_that_is_not_done_in_time_goes_on_after_the_release() -> None:
    world, working, pump = pump_with(AT_LEAST_ONCE, lambda: Revoked(within=1))
    pump.run()
    assert (working.done, working.given_up) == (1, 0)
    assert world.log.index("release") < world.log.index("write")


@pytest.mark.parametrize("event", [Revoked(within=1), Lost()])
def test_work_whose_partitions_do_not_come_back_is_given_up(event: Event) -> None:
    world, working, pump = pump_with(EXACTLY_ONCE, lambda: event)
    world.gone_for_good = True
    pump.run()
    assert pump.error is None
    assert (working.done, working.given_up) == (1, 1)
    assert world.visible == FIVE[:2]
    assert world.log.index("release") < world.log.index("rewind") < world.log.index("write")


def test_a_failure_between_two_waits_ends_the_work() -> None:
    world, working, pump = pump_with(AT_LEAST_ONCE)
    world.errors[("keep-alive", 2)] = TryAgain("the group went on")
    pump.run()
    assert (working.done, working.given_up) == (1, 1)
    assert world.stored == 2
