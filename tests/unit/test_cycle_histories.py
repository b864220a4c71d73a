"""The decisions in any history of events: what is never done, and that every run comes to its end."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle as repeated
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdg.core.cycle import MAX_RETRIES, WORK, advance, plan
from kdg.core.guarantees import Step
from kdg.core.state import Action, Control, Cycle, Did, Event, Failed, Failure, Gone, Kind, Lost, Revoked, State
from tests.support.cycles import (
    BOUND,
    COMPLETE,
    CYCLES,
    EARLY,
    finish,
)

HAPPENINGS = ("did", "did", "did", "did", "empty", "moved", "abortable", "unknown", "final", "revoked", "lost", "gone")
ENDINGS = ("early", "complete")
histories = st.lists(st.tuples(st.sampled_from(HAPPENINGS + ENDINGS), st.booleans()), max_size=60)


def event_of(happening: str, head: Action) -> Event:
    """The event for the action that is next. Partitions come and go only inside READ and work."""
    if happening in ("revoked", "lost", "gone") and head not in (Step.READ, *WORK):
        happening = "did"
    events: dict[str, Event] = {
        "did": Did(head, records=1),
        "empty": Did(head),
        "moved": Did(head, moved=True),
        "abortable": Failed(head, Failure.ABORTABLE),
        "unknown": Failed(head, Failure.UNKNOWN),
        "final": Failed(head, Failure.FINAL),
        "revoked": Revoked(),
        "lost": Lost(),
        "gone": Gone(),
        "early": EARLY,
        "complete": COMPLETE,
    }
    return events[happening]


def hold(cycle: Cycle, state: State) -> None:
    """Assert what must never be done."""
    head = state.todo[0]
    if head in (Step.COMMIT_TRANSACTION, Step.RECORD_POSITION):
        assert state.open, f"{head} without an open transaction"
    if head is Step.WRITE and cycle.kind is Kind.TRANSACTION:
        assert state.open, "a write outside the transaction"
    if head is Step.BEGIN:
        assert not state.open, "two transactions"
    if head is Control.RELOAD:
        assert not state.open, "the old producer can still act"


def follow(cycle: Cycle, history: Sequence[tuple[str, bool]]) -> State:
    state = State()
    for happening, due in history:
        state = plan(cycle, state, due=due)
        hold(cycle, state)
        if state.todo[0] is Control.FINISH:
            break
        state = advance(cycle, state, event_of(happening, state.todo[0]))
    return state


@pytest.mark.parametrize("name", CYCLES)
@given(history=histories)
def test_in_any_history_each_write_is_in_one_transaction(name: str, history: list[tuple[str, bool]]) -> None:
    follow(CYCLES[name], history)


@pytest.mark.parametrize("name", CYCLES)
@given(history=histories)
def test_from_anywhere_a_signal_leads_to_the_end(name: str, history: list[tuple[str, bool]]) -> None:
    state = advance(CYCLES[name], follow(CYCLES[name], history), EARLY)
    assert finish(CYCLES[name], state)[-1] is Control.FINISH


@pytest.mark.parametrize("name", CYCLES)
@given(history=histories, failures=st.lists(st.sampled_from(Failure), min_size=1, max_size=6))
def test_signal_always_leads_to_the_end(name: str, history: list[tuple[str, bool]], failures: list[Failure]) -> None:
    """From any state, a signal leads to the end, even if every action fails."""
    cycle = CYCLES[name]
    state = advance(cycle, follow(cycle, history), EARLY)
    for failure in islice(repeated(failures), BOUND):
        state = plan(cycle, state, due=False)
        if state.todo[0] is Control.FINISH:
            return
        head = state.todo[0]
        state = advance(cycle, state, Did(head) if head is Control.RELEASE else Failed(head, failure))
    raise AssertionError("does not finish")


@pytest.mark.parametrize("name", CYCLES)
@given(history=histories)
def test_retries_stay_bounded(name: str, history: list[tuple[str, bool]]) -> None:
    assert follow(CYCLES[name], history).retries <= MAX_RETRIES
