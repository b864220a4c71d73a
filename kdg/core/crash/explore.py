"""Owns the runs of the model: where a run can crash, which actions can fail, and how each of these ends. Pure.

A history is one run: the cycle decides, the world does, until the cycle finishes. A crash can strike in an action
(before it took effect, after it, or when a part of a write was done) or after it, and can leave several worlds, because
a buffer may have arrived in part. Each of these worlds is restarted and runs to its end, and then every record has a
fate: settled before the crash, read again, lost, duplicated. A point is one crash with all its outcomes. A fault is
milder than a crash: one action fails, and the cycle has to undo it in the same process.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from enum import Enum
from functools import lru_cache
from typing import Literal, NamedTuple

from kdg.core.crash.world import EFFECT, Restart, Shape, World, write
from kdg.core.cycle import advance, plan
from kdg.core.guarantees import Guarantee, Step
from kdg.core.state import Action, Control, Cycle, Did, Failed, Failure, State, Stop, StopReason

Moment = Literal["in", "after"]
"""Whether a crash strikes while an action is performed, or when it is done."""


class Fate(Enum):
    """What became of a record when everything has ended; the value is a description for the crash table."""

    UNTOUCHED = "nothing happened; read again"
    ABORTED = "aborted; read again"
    SETTLED = "settled"
    LOST = "lost"
    DUPLICATED = "written twice"


class Fault(NamedTuple):
    """An action that fails.

    number: which action of the run, counted from 0. failure: what the process is told. took_effect: whether the action
    was done although it failed, such as a commit whose answer was lost.
    """

    number: int
    failure: Failure
    took_effect: bool = False


class Act(NamedTuple):
    """One action of a run, with the worlds before and after it. times: how often the run had performed it by then."""

    action: Action
    times: int
    before: World
    after: World

    def interrupted(self) -> Iterator[World]:
        """The worlds in which a crash inside the action can happen: before it, after it, or when a part was written."""
        yield self.before
        yield self.after
        if self.action is Step.WRITE:
            for part in range(1, len(self.before.hand)):
                yield write(self.before._replace(hand=self.before.hand[:part]))


_LONGEST = 1000
"""More actions than any run of the model needs; a run that exceeds it would never end."""


class History(NamedTuple):
    """One run. acts: its actions, in order. world: at its end. ended_early: it gave up before the end of its input."""

    acts: tuple[Act, ...]
    world: World
    ended_early: bool


def run(cycle: Cycle, world: World, settle_every: int, faults: Sequence[Fault] = ()) -> History:
    """Run the cycle to its end. settle_every: chunks in a batch. Raises ValueError if the cycle does not end."""
    by_number = {fault.number: fault for fault in faults}
    state, acts, done = State(), list[Act](), Counter[Action]()
    waiting = 0
    while True:
        if not state.todo:
            state = plan(cycle, state, due=waiting >= settle_every)
        if not state.todo or len(acts) > _LONGEST:
            raise ValueError("the cycle does not come to an end")
        action = state.todo[0]
        if action is Control.FINISH:
            return History(tuple(acts), world, state.stop_reason is StopReason.EARLY)
        before, fault = world, by_number.get(len(acts))
        if fault is None:
            world = EFFECT[action](world)
        elif fault.took_effect:  # but the process does not know
            world = EFFECT[action](world)._replace(settled=before.settled)
        done[action] += 1
        acts.append(Act(action, done[action], before, world))
        if fault is not None:
            state, waiting = advance(cycle, state, Failed(action, fault.failure)), 0
            continue
        waiting = 0 if action in (Step.COMMIT, Step.COMMIT_TRANSACTION) else waiting + (action is Step.READ)
        state = _advance(cycle, state, action, world)


def _advance(cycle: Cycle, state: State, action: Action, world: World) -> State:
    records = len(world.hand) if action is Step.READ else 0
    if action is Step.READ and not records:
        state = advance(cycle, state, Stop(StopReason.COMPLETE))
    return advance(cycle, state, Did(action, records=records))


class Outcome(NamedTuple):
    """One way in which a crash and the runs after it can end. fates: of each record of the input."""

    fates: tuple[Fate, ...]

    @property
    def lost(self) -> bool:
        """Whether a record is missing."""
        return Fate.LOST in self.fates

    @property
    def duplicated(self) -> bool:
        """Whether a record arrived more than once."""
        return Fate.DUPLICATED in self.fates


class Point(NamedTuple):
    """A crash, and every way in which it can end.

    action, moment, times: where it strikes. hand: the records of the chunk that it interrupts. earlier: the records
    before them.
    """

    action: Action
    moment: Moment
    times: int
    hand: tuple[int, ...]
    earlier: tuple[int, ...]
    outcomes: frozenset[Outcome]


def crash_points(
    guarantee: Guarantee, shape: Shape, total: int, chunk: int, settle_every: int, crashes: int = 1
) -> Iterator[Point]:
    """Every point at which a run can crash.

    total: records in the input. chunk: records in a chunk. settle_every: chunks in a batch. crashes: with more than 1,
    the runs that follow the crash crash as well, at every point.
    """
    shape = shape.under(guarantee)
    cycle = shape.cycle(guarantee)
    start = World(shape, Restart.of(guarantee, shape), total, chunk)
    known: dict[World, frozenset[Outcome]] = {}
    for act in run(cycle, start, settle_every).acts:
        for moment, worlds in (("in", act.interrupted()), ("after", iter((act.after,)))):
            outcomes = frozenset[Outcome]()
            for world in worlds:
                if world not in known:
                    known[world] = frozenset(_outcomes(cycle, world, settle_every, crashes))
                outcomes |= known[world]
            hand = act.after.hand if act.action is Step.READ else act.after.last
            earlier = tuple(range(min(hand, default=act.after.at)))
            yield Point(act.action, "in" if moment == "in" else "after", act.times, hand, earlier, outcomes)


def _outcomes(cycle: Cycle, world: World, settle_every: int, crashes: int) -> Iterator[Outcome]:
    for left in world.crashed():
        for visible in _ends(cycle, left, settle_every, crashes - 1):
            yield Outcome(tuple(_fate(record, left, visible) for record in range(world.total)))


def _ends(cycle: Cycle, left: World, settle_every: int, crashes: int) -> Iterator[tuple[int, ...]]:
    """What is visible when the next run has ended or, with more crashes to come, the runs after it."""
    start = left.restarted()
    yield left.visible + _undisturbed(cycle, start._replace(visible=()), settle_every)
    if crashes:
        worlds = {world for act in run(cycle, start, settle_every).acts for world in act.after.crashed()}
        for world in worlds:
            yield from _ends(cycle, world, settle_every, crashes - 1)


@lru_cache(maxsize=1024)
def _undisturbed(cycle: Cycle, start: World, settle_every: int) -> tuple[int, ...]:
    """What a run without a crash adds to the target. It is cached because most crashes lead to one of a few starts."""
    return run(cycle, start, settle_every).world.visible


def outcomes_of_faults(
    guarantee: Guarantee, shape: Shape, total: int, chunk: int, settle_every: int, faults: Sequence[Fault]
) -> Iterator[Outcome]:
    """How a run ends in which these actions fail. A run that gives up is started again, as after a crash."""
    shape = shape.under(guarantee)
    cycle = shape.cycle(guarantee)
    history = run(cycle, World(shape, Restart.of(guarantee, shape), total, chunk), settle_every, faults)
    if history.ended_early:
        yield from _outcomes(cycle, history.world, settle_every, 1)
    else:
        yield Outcome(tuple(_fate(record, history.world, history.world.visible) for record in range(total)))


def _fate(record: int, left: World, visible: Sequence[int]) -> Fate:
    """left: the world that the crash left. visible: the records in the target when the last run has ended."""
    count = visible.count(record)
    if count != 1:
        return Fate.DUPLICATED if count else Fate.LOST
    if record in left.visible:
        return Fate.SETTLED
    return Fate.ABORTED if left.open and record in left.staged + left.buffer else Fate.UNTOUCHED
