"""The decisions of the loop: what is done after a step, at the end, and when partitions are revoked or lost."""

from __future__ import annotations

import pytest

from kdg.core.cycle import advance, plan
from kdg.core.guarantees import AT_LEAST_ONCE, Step
from kdg.core.state import Control, Did, Failed, Failure, Lost, Revoked, State, StopReason
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
    did,
    finish,
    reading,
)

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
    """If the position is committed first, it follows markers at once."""
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
    """A revoke with nothing unsettled performs the steps of the end, such as at-most-once's flush, and releases."""
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
    """Without an open transaction, lost partitions are only released."""
    for cycle in (AMO, ALO):
        assert advance(cycle, reading(cycle), Lost()).todo == (Control.RELEASE, *cycle.chunk)


def test_failed_settling_on_revoke_still_releases() -> None:
    """If settling inside a revoke fails, the partitions are still released, and READ goes on."""
    state = advance(EOS, reading(EOS), Revoked())
    state = advance(EOS, state, Failed(Step.FLUSH, Failure.ABORTABLE))
    assert state.todo == (Control.ABORT, Control.REWIND, Control.RELEASE, *EOS.chunk)


def test_final_failure_on_revoke_releases_and_ends() -> None:
    """If settling inside a revoke fails for good, the partitions are released, and the run ends."""
    state = advance(EOS, reading(EOS), Revoked())
    state = advance(EOS, state, Failed(Step.FLUSH, Failure.FINAL))
    assert state.todo == (Control.ABORT, Control.RELEASE, Control.FINISH)
