"""The decisions of the loop: what is done after a step, a failure, a revoke, a loss, a signal; and what never is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle as repeated
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdg.core.cycle import (
    MAX_RETRIES,
    Action,
    Control,
    Cycle,
    Did,
    Event,
    Failed,
    Failure,
    Kind,
    Lost,
    Revoked,
    State,
    Stop,
    StopReason,
    advance,
    plan,
)
from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, EXACTLY_ONCE, Step
from kdg.core.interval import Interval

AMO, ALO, EOS = (Cycle.of(row) for row in (AT_MOST_ONCE, AT_LEAST_ONCE, EXACTLY_ONCE))
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


# ── the plain course ──


@pytest.mark.parametrize("name", CYCLES)
def test_the_chunk_is_done_in_the_order_of_the_row(name: str) -> None:
    cycle = CYCLES[name]
    assert plan(cycle, State(), due=False).todo == cycle.chunk
    assert after_write(cycle).todo == ()


def test_an_interval_is_settled_when_it_is_due() -> None:
    assert plan(EOS, after_write(EOS), due=True).todo == TRANSACTION
    assert plan(ALO, after_write(ALO), due=True).todo == AT_LEAST_ONCE.interval


def test_an_interval_is_not_settled_when_nothing_was_read() -> None:
    assert plan(EOS, State(), due=True).todo == EOS.chunk


def test_a_whole_input_is_not_settled_before_its_end() -> None:
    assert plan(WHOLE, after_write(WHOLE), due=True).todo == WHOLE.chunk


def test_what_is_to_be_done_is_not_planned_anew() -> None:
    state = plan(EOS, State(), due=False)
    assert plan(EOS, state, due=True) is state


def test_a_transaction_is_begun_only_when_none_is_open() -> None:
    state = did(EOS, after_write(EOS), Step.READ, Step.FILTER)
    assert state.open
    assert state.todo == (Step.WRITE,)


def test_nothing_read_ends_the_chunk() -> None:
    state = did(EOS, State(), Step.READ, records=0)
    assert state.todo == ()
    assert not state.unsettled


def test_markers_alone_are_settled_in_a_transaction_of_their_own() -> None:
    state = advance(EOS, plan(EOS, State(), due=False), Did(Step.READ, moved=True))
    assert plan(EOS, state, due=True).todo == (Step.BEGIN, *TRANSACTION)


def test_markers_alone_are_committed_at_once() -> None:
    """Markers alone are committed at once where the commit comes first."""
    state = advance(AMO, plan(AMO, State(), due=False), Did(Step.READ, moved=True))
    assert state.todo == (Step.COMMIT,)


def test_a_commit_settles() -> None:
    state = did(EOS, plan(EOS, after_write(EOS), due=True), *TRANSACTION)
    assert (state.unsettled, state.open, state.retries) == (False, False, 0)


# ── the end ──


def test_the_end_of_input_settles_and_finishes() -> None:
    assert finish(EOS, advance(EOS, after_write(EOS), COMPLETE)) == [*TRANSACTION, Control.FINISH]
    assert finish(ALO, advance(ALO, after_write(ALO), COMPLETE)) == [*AT_LEAST_ONCE.interval, Control.FINISH]
    assert finish(AMO, advance(AMO, after_write(AMO), COMPLETE)) == [Step.FLUSH, Control.FINISH]


def test_a_signal_settles_what_is_open() -> None:
    assert finish(EOS, advance(EOS, after_write(EOS), EARLY)) == [*TRANSACTION, Control.FINISH]


def test_a_signal_aborts_an_input_that_was_to_be_one_transaction() -> None:
    assert finish(WHOLE, advance(WHOLE, after_write(WHOLE), EARLY)) == [Control.ABORT, Control.FINISH]


def test_the_end_commits_an_input_that_was_to_be_one_transaction() -> None:
    assert finish(WHOLE, advance(WHOLE, after_write(WHOLE), COMPLETE)) == [*TRANSACTION, Control.FINISH]


def test_a_signal_before_anything_was_read_finishes_at_once() -> None:
    for cycle in (ALO, EOS, WHOLE):
        assert finish(cycle, advance(cycle, State(), EARLY)) == [Control.FINISH]


def test_a_signal_in_the_middle_of_a_chunk_lets_the_chunk_end() -> None:
    state = advance(ALO, did(ALO, State(), Step.READ), EARLY)
    assert finish(ALO, state)[:3] == [Step.FILTER, Step.DEDUP, Step.WRITE]


def test_a_signal_outweighs_the_end_of_input_and_not_the_reverse() -> None:
    assert advance(EOS, advance(EOS, State(), COMPLETE), EARLY).stop_reason is StopReason.EARLY
    assert advance(EOS, advance(EOS, State(), EARLY), COMPLETE).stop_reason is StopReason.EARLY


# ── partitions come and go, inside READ ──


def test_a_revoke_settles_and_releases_before_it_reads_on() -> None:
    state = advance(EOS, reading(EOS), Revoked())
    assert state.todo == (*TRANSACTION, Control.RELEASE, *EOS.chunk)


def test_revoke_with_nothing_unsettled_flushes() -> None:
    """A revoke with nothing unsettled flushes where the row flushes at its end and releases."""
    for cycle in (AMO, ALO, EOS):
        state = advance(cycle, plan(cycle, State(), due=False), Revoked())
        assert state.todo == (*cycle.end, Control.RELEASE, *cycle.chunk)


def test_a_revoke_of_markers_alone_begins_a_transaction_for_them() -> None:
    moved = advance(EOS, plan(EOS, State(), due=False), Did(Step.READ, moved=True))
    state = advance(EOS, plan(EOS, moved, due=False), Revoked())
    assert state.todo[:2] == (Step.BEGIN, Step.FLUSH)


def test_lost_partitions_are_not_settled() -> None:
    state = advance(EOS, reading(EOS), Lost())
    assert state.todo == (Control.ABORT, Control.RELEASE, Control.REWIND, *EOS.chunk)


def test_lost_partitions_without_a_transaction() -> None:
    """Lost partitions are released where no transaction is open."""
    for cycle in (AMO, ALO):
        assert advance(cycle, reading(cycle), Lost()).todo == (Control.RELEASE, *cycle.chunk)


def test_failed_settling_on_revoke_still_releases() -> None:
    """A revoke whose settling fails still releases and reads on."""
    state = advance(EOS, reading(EOS), Revoked())
    state = advance(EOS, state, Failed(Step.FLUSH, Failure.ABORTABLE))
    assert state.todo == (Control.ABORT, Control.REWIND, Control.RELEASE, *EOS.chunk)


def test_final_failure_on_revoke_releases_and_ends() -> None:
    """A revoke whose settling fails for good releases and ends."""
    state = advance(EOS, reading(EOS), Revoked())
    state = advance(EOS, state, Failed(Step.FLUSH, Failure.FINAL))
    assert state.todo == (Control.ABORT, Control.RELEASE, Control.FINISH)


# ── failures ──


def committing(cycle: Cycle) -> State:
    """Just before the transaction is committed."""
    return did(cycle, plan(cycle, after_write(cycle), due=True), Step.FLUSH, Step.RECORD_POSITION)


def test_abortable_failure_is_read_again() -> None:
    """A transaction that failed without effect is aborted and read again."""
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
def test_partitions_come_and_go_only_inside_read(event: Event) -> None:
    state = did(ALO, State(), Step.READ, Step.FILTER, Step.DEDUP)
    with pytest.raises(ValueError, match="READ"):
        advance(ALO, state, event)


# ── any history ──

HAPPENINGS = ("did", "did", "did", "did", "empty", "moved", "abortable", "unknown", "final", "revoked", "lost")
ENDINGS = ("early", "complete")
histories = st.lists(st.tuples(st.sampled_from(HAPPENINGS + ENDINGS), st.booleans()), max_size=60)


def event_of(happening: str, head: Action) -> Event:
    """What happens at the action that is due; partitions come and go inside READ alone."""
    if happening in ("revoked", "lost") and head is not Step.READ:
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
        "early": EARLY,
        "complete": COMPLETE,
    }
    return events[happening]


def hold(cycle: Cycle, state: State) -> None:
    """What is never to be done."""
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
def test_in_any_history_no_transaction_is_missing_or_doubled(name: str, history: list[tuple[str, bool]]) -> None:
    follow(CYCLES[name], history)


@pytest.mark.parametrize("name", CYCLES)
@given(history=histories)
def test_from_anywhere_a_signal_leads_to_the_end(name: str, history: list[tuple[str, bool]]) -> None:
    state = advance(CYCLES[name], follow(CYCLES[name], history), EARLY)
    assert finish(CYCLES[name], state)[-1] is Control.FINISH


@pytest.mark.parametrize("name", CYCLES)
@given(history=histories, failures=st.lists(st.sampled_from(Failure), min_size=1, max_size=6))
def test_signal_always_leads_to_the_end(name: str, history: list[tuple[str, bool]], failures: list[Failure]) -> None:
    """From anywhere a signal leads to the end though everything fails."""
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


# ── the interval ──


def test_interval_is_due_by_any_limit() -> None:
    """An interval is due by its records its bytes its age or silence."""
    full, heavy, old, quiet = (Interval(10, 1.0, max_bytes=100) for _ in range(4))
    full.add(10, 1, now=0.0)
    heavy.add(1, 100, now=0.0)
    quiet.add(1, 1, now=0.0)
    for tenth in range(10):
        old.add(1 if tenth == 0 else 0, 1, now=tenth / 10)
    old.last = 0.99
    assert full.due(0.0)
    assert heavy.due(0.0)
    assert not quiet.due(0.04)
    assert quiet.due(0.05)
    assert not old.due(0.999)
    assert old.due(1.0)


def test_an_empty_interval_is_never_due() -> None:
    interval = Interval(10, 1.0)
    assert interval.wait(100.0) is None
    interval.add(1, 1, now=0.0)
    interval.reset()
    assert not interval.due(100.0)


def test_a_full_interval_still_lets_a_record_be_read() -> None:
    interval = Interval(10, 1.0)
    interval.add(4, 1, now=0.0)
    assert interval.room == 6
    interval.add(6, 1, now=0.0)
    assert interval.room == 1
