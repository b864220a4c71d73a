"""The decisions when partitions come and go while a command, a reader or a broker is waited for."""

from __future__ import annotations

import pytest

from kdg.core.cycle import advance, plan
from kdg.core.guarantees import Step
from kdg.core.state import Control, Cycle, Did, Gone, Lost, Revoked, State
from tests.support.cycles import ALO, AMO, COMPLETE, EARLY, EOS, TRANSACTION, after_write, did, reading

REWOUND = (Control.RELEASE, Control.REWIND)


def filtering(cycle: Cycle) -> State:
    """Inside the FILTER of the first chunk."""
    return did(cycle, State(), Step.READ)


def flushing(cycle: Cycle) -> State:
    """Inside the FLUSH of an interval."""
    return plan(cycle, after_write(cycle), due=True)


def test_a_revoke_inside_a_filter_finishes_the_chunk_and_settles() -> None:
    state = advance(EOS, filtering(EOS), Revoked())
    assert state.todo == (Step.FILTER, Step.BEGIN, Step.WRITE, Step.BEGIN, *TRANSACTION, Control.RELEASE)
    after = did(EOS, state, Step.FILTER, Step.BEGIN, Step.WRITE)
    assert after.todo == (*TRANSACTION, Control.RELEASE)
    assert advance(AMO, filtering(AMO), Revoked()).todo == (
        *AMO.chunk[1:],
        *AMO.end,
        Control.RELEASE,
    )


@pytest.mark.parametrize("cycle", [ALO, EOS])
def test_a_revoke_while_a_batch_is_settled_settles_it_once(cycle: Cycle) -> None:
    assert advance(cycle, flushing(cycle), Revoked()).todo == (*cycle.interval, Control.RELEASE)


@pytest.mark.parametrize("cycle", [AMO, ALO, EOS])
def test_a_filter_goes_on_when_its_partitions_are_lost(cycle: Cycle) -> None:
    """They may come back as they were; nothing is written before that is known."""
    assert advance(cycle, filtering(cycle), Lost()).todo == (Control.RELEASE, *cycle.chunk[1:])


def test_time_that_is_over_releases_and_goes_on() -> None:
    state = advance(ALO, advance(ALO, flushing(ALO), Revoked()), Lost())
    assert state.todo == (Control.RELEASE, *ALO.interval)


def test_a_transaction_is_aborted_when_its_partitions_are_lost() -> None:
    assert advance(EOS, flushing(EOS), Lost()).todo == (Control.ABORT, *REWOUND)
    second = did(EOS, after_write(EOS), Step.READ)
    assert advance(EOS, second, Lost()).todo == (Control.ABORT, *REWOUND)


@pytest.mark.parametrize("cycle", [ALO, EOS])
def test_work_that_began_inside_a_read_does_not_outlive_it(cycle: Cycle) -> None:
    """The READ may still bring records, whose position would be committed with the batch before them."""
    state = advance(cycle, advance(cycle, reading(cycle), Revoked()), Lost())
    assert state.todo[-len(cycle.chunk) - 2 :] == (*REWOUND, *cycle.chunk)


def test_a_filter_whose_partitions_are_gone_is_dropped_unless_duplicates_are_allowed() -> None:
    for cycle in (AMO, EOS):
        assert advance(cycle, filtering(cycle), Gone()).todo == (Control.REWIND,)
    assert advance(ALO, filtering(ALO), Gone()) == filtering(ALO)


def test_work_of_which_everything_is_gone_ends_but_not_within_a_record() -> None:
    assert advance(ALO, filtering(ALO), Gone(everything=True)).todo == (Control.REWIND,)
    assert advance(ALO, flushing(ALO), Gone(everything=True)).todo == (Control.REWIND,)
    writing = did(ALO, filtering(ALO), Step.FILTER, Step.DEDUP)
    assert advance(ALO, writing, Gone(everything=True)) == writing


def test_records_that_were_committed_are_written_although_their_partition_is_gone() -> None:
    writing = did(AMO, filtering(AMO), Step.FILTER, Step.COMMIT)
    assert advance(AMO, writing, Gone()) == writing
    assert advance(AMO, writing, Lost()).todo == (Control.RELEASE, Step.WRITE)


def test_a_run_that_was_complete_reads_on_after_a_loss() -> None:
    ending = plan(EOS, advance(EOS, after_write(EOS), COMPLETE), due=False)
    state = advance(EOS, ending, Lost())
    assert state.todo == (Control.ABORT, *REWOUND)
    assert state.stop_reason is None
    signalled = advance(EOS, plan(EOS, advance(EOS, after_write(EOS), EARLY), due=False), Lost())
    assert signalled.todo[-1] is Control.FINISH


def test_a_revoke_after_the_end_settles_nothing() -> None:
    """A settling that failed for good left records behind, and a second revoke may come before the run is over."""
    ended = State(todo=(Control.FINISH,), unsettled=True, stop_reason=EARLY.stop_reason)
    for cycle in (AMO, ALO, EOS):
        assert advance(cycle, ended, Revoked()).todo == (Control.RELEASE, Control.FINISH)


def test_after_a_failure_each_chunk_is_settled_by_itself() -> None:
    """A filter that takes longer than a transaction may last does not spoil the chunks before it twice."""
    state = State(unsettled=True, open=True, retries=1)
    assert plan(EOS, state, due=False).todo == TRANSACTION
    settled = did(EOS, plan(EOS, state, due=False), *TRANSACTION)
    assert settled.retries == 0
    assert advance(EOS, plan(EOS, settled, due=False), Did(Step.READ)).todo == ()
