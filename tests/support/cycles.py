"""Owns the cycles that the tests of decisions run, and short ways to a certain state of them."""

from __future__ import annotations

from kdg.core.cycle import advance, plan
from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, EXACTLY_ONCE, Step
from kdg.core.state import Action, Control, Cycle, Did, State, Stop, StopReason

AMO, ALO, EOS = (Cycle.of(guarantee) for guarantee in (AT_MOST_ONCE, AT_LEAST_ONCE, EXACTLY_ONCE))
WHOLE = Cycle.of(EXACTLY_ONCE, settles=False, whole=True)
CYCLES = {
    "at-most-once": AMO,
    "at-most-once produce": Cycle.of(AT_MOST_ONCE, settles=False),
    "at-least-once": ALO,
    "at-least-once produce": Cycle.of(AT_LEAST_ONCE, settles=False),
    "exactly-once": EOS,
    "exactly-once whole": WHOLE,
}
EARLY, COMPLETE = Stop(StopReason.EARLY), Stop(StopReason.COMPLETE)
TRANSACTION = (Step.FLUSH, Step.RECORD_POSITION, Step.COMMIT_TRANSACTION)
BOUND = 40
"""More actions than any cycle has after the last event."""


def did(cycle: Cycle, state: State, *actions: Action, records: int = 1) -> State:
    """The state after these actions, each planned and done in turn."""
    for action in actions:
        state = plan(cycle, state, due=False)
        assert state.todo[0] is action
        state = advance(cycle, state, Did(action, records=records))
    return state


def after_write(cycle: Cycle) -> State:
    """One chunk is written and nothing of it is settled, if the cycle settles afterwards."""
    return did(cycle, State(), *cycle.chunk)


def reading(cycle: Cycle) -> State:
    """Inside the READ that follows the first chunk."""
    return plan(cycle, after_write(cycle), due=False)


def finish(cycle: Cycle, state: State) -> list[Action]:
    """What is done from here to the end when all goes well and nothing more is read."""
    actions: list[Action] = []
    while len(actions) < BOUND:
        state = plan(cycle, state, due=False)
        assert state.todo, "nothing to do, and not finished"
        actions.append(state.todo[0])
        if state.todo[0] is Control.FINISH:
            return actions
        state = advance(cycle, state, Did(state.todo[0]))
    raise AssertionError(f"does not finish: {actions}")


def committing(cycle: Cycle) -> State:
    """Just before the transaction is committed."""
    return did(cycle, plan(cycle, after_write(cycle), due=True), Step.FLUSH, Step.RECORD_POSITION)
