"""The decisions after a failure, and the events that are illegal."""

from __future__ import annotations

import pytest

from kdg.core.cycle import MAX_RETRIES, advance, plan
from kdg.core.guarantees import AT_LEAST_ONCE, Step
from kdg.core.state import Control, Did, Event, Failed, Failure, Lost, Revoked, State
from tests.support.cycles import (
    ALO,
    AMO,
    COMPLETE,
    CYCLES,
    EARLY,
    EOS,
    TRANSACTION,
    WHOLE,
    after_write,
    committing,
    did,
    reading,
)


def test_abortable_failure_is_read_again() -> None:
    """If a transaction fails without effect, it is aborted, and its records are read again."""
    state = advance(EOS, committing(EOS), Failed(Step.COMMIT_TRANSACTION, Failure.ABORTABLE))
    assert state.todo == (Control.ABORT, Control.REWIND)
    state = did(EOS, state, Control.ABORT, Control.REWIND)
    assert (state.open, state.unsettled, state.retries) == (False, False, 1)


def test_an_unknown_outcome_is_asked_for() -> None:
    state = advance(EOS, committing(EOS), Failed(Step.COMMIT_TRANSACTION, Failure.UNKNOWN))
    assert state.todo == (Control.RECYCLE, Control.RELOAD)
    assert not did(EOS, state, Control.RECYCLE, Control.RELOAD).unsettled


def test_a_transaction_is_tried_again_a_bounded_number_of_times() -> None:
    state = State()
    for _ in range(MAX_RETRIES):
        state = did(EOS, state, Step.READ, Step.FILTER, Step.BEGIN)
        state = advance(EOS, state, Failed(Step.WRITE, Failure.ABORTABLE))
        state = did(EOS, state, Control.ABORT, Control.REWIND)
    state = did(EOS, state, Step.READ, Step.FILTER, Step.BEGIN)
    state = advance(EOS, state, Failed(Step.WRITE, Failure.ABORTABLE))
    assert state.todo == (Control.ABORT, Control.FINISH)


def test_a_success_forgives_earlier_failures() -> None:
    state = advance(EOS, committing(EOS), Failed(Step.COMMIT_TRANSACTION, Failure.ABORTABLE))
    state = did(EOS, state, Control.ABORT, Control.REWIND, *EOS.chunk)
    assert did(EOS, plan(EOS, state, due=True), *TRANSACTION).retries == 0


def test_a_whole_input_is_not_tried_again() -> None:
    state = advance(WHOLE, after_write(WHOLE), COMPLETE)
    state = advance(WHOLE, plan(WHOLE, state, due=False), Failed(Step.FLUSH, Failure.ABORTABLE))
    assert state.todo == (Control.ABORT, Control.FINISH)


def test_after_a_signal_nothing_is_tried_again() -> None:
    state = advance(EOS, committing(EOS), EARLY)
    state = advance(EOS, state, Failed(Step.COMMIT_TRANSACTION, Failure.ABORTABLE))
    assert state.todo == (Control.ABORT, Control.FINISH)


def test_an_abort_that_fails_ends_the_run() -> None:
    state = advance(EOS, committing(EOS), Failed(Step.COMMIT_TRANSACTION, Failure.ABORTABLE))
    assert advance(EOS, state, Failed(Control.ABORT, Failure.ABORTABLE)).todo == (Control.FINISH,)


def test_at_most_once_does_not_write_what_it_may_have_committed() -> None:
    state = advance(AMO, did(AMO, State(), Step.READ, Step.FILTER), Failed(Step.COMMIT, Failure.UNKNOWN))
    assert state.todo == (Control.FINISH,)


def test_at_least_once_commits_later_what_it_could_not_commit() -> None:
    state = did(ALO, plan(ALO, after_write(ALO), due=True), Step.FLUSH, Step.MARK)
    state = advance(ALO, state, Failed(Step.COMMIT, Failure.ABORTABLE))
    assert state.unsettled
    assert plan(ALO, state, due=True).todo == AT_LEAST_ONCE.interval


def test_commit_that_failed_is_tried_again_after_a_read() -> None:
    """Only a READ joins the group again; commits without one between them would all fail."""
    state = did(ALO, plan(ALO, after_write(ALO), due=True), Step.FLUSH, Step.MARK)
    state = advance(ALO, state, Failed(Step.COMMIT, Failure.ABORTABLE))
    assert plan(ALO, state, due=False).todo[0] is Step.READ


def test_after_a_failed_transaction_each_chunk_is_settled() -> None:
    """A chunk that takes longer than a transaction may last does not spoil the chunks before it again."""
    state = advance(EOS, committing(EOS), Failed(Step.COMMIT_TRANSACTION, Failure.ABORTABLE))
    state = did(EOS, state, Control.ABORT, Control.REWIND, *EOS.chunk)
    assert plan(EOS, state, due=False).todo == EOS.interval


@pytest.mark.parametrize("action", [Control.RECYCLE, Control.RELOAD])
def test_what_is_in_doubt_is_asked_for_until_there_is_an_answer(action: Control) -> None:
    state = advance(EOS, committing(EOS), Failed(Step.COMMIT_TRANSACTION, Failure.UNKNOWN))
    if action is Control.RELOAD:
        state = did(EOS, state, Control.RECYCLE)
    state = advance(EOS, state, Failed(action, Failure.ABORTABLE))
    assert state.todo == (Control.RECYCLE, Control.RELOAD)


@pytest.mark.parametrize("step", [Step.FILTER, Step.DEDUP, Step.WRITE])
def test_at_least_once_reads_again_what_it_could_not_write(step: Step) -> None:
    state = did(ALO, State(), *ALO.chunk[: ALO.chunk.index(step)])
    state = advance(ALO, state, Failed(step, Failure.ABORTABLE))
    assert state.todo == (Control.REWIND,)


def test_a_release_that_fails_for_good_is_not_done_again() -> None:
    state = advance(ALO, plan(ALO, State(), due=False), Revoked())
    state = advance(ALO, state, Failed(Control.RELEASE, Failure.FINAL))
    assert state.todo == (Control.FINISH,)


def test_a_commit_that_may_have_taken_effect_is_not_aborted() -> None:
    state = did(WHOLE, advance(WHOLE, after_write(WHOLE), COMPLETE), Step.FLUSH, Step.RECORD_POSITION)
    state = advance(WHOLE, state, Failed(Step.COMMIT_TRANSACTION, Failure.UNKNOWN))
    assert state.todo == (Control.FINISH,)


@pytest.mark.parametrize("step", [Step.READ, Step.BEGIN])
def test_nothing_is_aborted_where_no_transaction_is_open(step: Step) -> None:
    state = plan(EOS, did(EOS, State(), *EOS.chunk[: EOS.chunk.index(step)]), due=False)
    assert Control.ABORT not in advance(EOS, state, Failed(step, Failure.ABORTABLE)).todo


@pytest.mark.parametrize(
    ("name", "step"),
    [(name, step) for name, cycle in CYCLES.items() for step in (*cycle.chunk, *cycle.interval)],
)
def test_a_step_that_always_fails_ends_the_run(name: str, step: Step) -> None:
    cycle, state, failed = CYCLES[name], State(), False
    for _ in range(200):
        state = plan(cycle, state, due=not failed)
        action = state.todo[0]
        if action is Control.FINISH:
            return
        failed = action is step
        state = advance(cycle, state, Failed(step, Failure.ABORTABLE) if failed else Did(action, records=1))
    assert step in cycle.interval  # that of a cycle that settles at its end only
    assert not cycle.settles


# ── illegal events ──


@pytest.mark.parametrize("event", [Did(Step.COMMIT), Did(Control.ABORT), Failed(Step.WRITE, Failure.FINAL)])
def test_an_event_for_another_action_raises_and_changes_nothing(event: Event) -> None:
    state = reading(EOS)
    before = State(state.todo, state.unsettled, state.open, state.retries, state.stop_reason)
    with pytest.raises(ValueError, match="is not what was to be done"):
        advance(EOS, state, event)
    assert state == before


@pytest.mark.parametrize("event", [Did(Step.READ, records=1), Failed(Step.READ, Failure.FINAL)])
def test_nothing_can_be_done_when_nothing_is_to_be_done(event: Event) -> None:
    with pytest.raises(ValueError, match="is not what was to be done"):
        advance(EOS, State(), event)


@pytest.mark.parametrize("event", [Revoked(), Lost()])
def test_partitions_come_and_go_only_inside_read_and_work(event: Event) -> None:
    state = did(ALO, State(), Step.READ, Step.FILTER)
    with pytest.raises(ValueError, match="READ"):
        advance(ALO, state, event)
