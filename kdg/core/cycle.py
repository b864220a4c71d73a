"""Owns the decisions of the loop: events in, the next actions out. Pure: no Kafka, no clock.

The steps of a guarantee are data (kdg/core/guarantees.py), and the words are in kdg/core/state.py. `plan` and `advance`
turn events into actions, and kdg/core/pump.py performs them. Because both functions are pure, whole histories can be
run against a model (kdg/core/crash), and thousands of random ones in the tests.

Partitions come and go while READ runs, or while work goes on, because the client library calls back from there.

    Revoked    The group takes partitions away, and waits until the callback returns. The batch is settled first, so
               that the next owner goes on exactly after it. Work is waited for as long as the group waits.
    Lost       The partitions may have another owner already, which reads the same records. Settling them would
               duplicate them, so an open transaction is aborted. An abort covers all partitions of the transaction:
               those that are still owned are read again. Records that were written without one stay where they are.
               Work without a transaction goes on: with what is still owned, or comes back as it was, it is settled.
    Gone       What is worked on is not this instance's any more. At-least-once goes on as long as a part of it is, and
               duplicates the rest; under the other guarantees a filter ends: nothing of it is written yet, and what is
               still owned is read again.

An action that fails is undone to the last settling, and tried again, depending on what it left behind.

    ABORTABLE  It certainly had no effect: abort, and read again.
    UNKNOWN    It may have had an effect, such as a commit without an answer. A delayed request could still commit a
               part of the next transaction (hazard 1), so the producer is replaced (RECYCLE). Then the durable position
               is looked up (RELOAD): it shows whether the transaction was committed.
    FINAL      Trying again does not help: the run ends.

Retries are bounded: an error that does not go away would repeat for ever, and look like a run that works. After
MAX_RETRIES failures without a settling in between the run ends, and its exit code says what is known: 4 (aborted) or 5
(unknown). After a signal nothing is tried again. After a transaction that failed, each chunk is settled by itself,
until one is settled: a chunk that takes longer than a transaction may last cannot spoil the chunks before it again.
A commit without a transaction is tried again after the next records: they show that the group goes on and brokers
answer, and the READ that brings them joins the group again.

    READ ─ nothing new ──────────────► settle if due, else READ again
      │ records
      ▼
    the rest of the chunk ───────────► READ ...
      │ Revoked, inside READ           settle, RELEASE, then READ goes on
      │ Revoked, inside work           the rest of the chunk, settle, RELEASE, then READ
      │ Lost, inside READ              ABORT, RELEASE, REWIND, then READ goes on
      │ Lost, inside work              RELEASE, and the work goes on; in a transaction ABORT, RELEASE, REWIND, then READ
      │ a step failed                  ABORT and REWIND, or RECYCLE and RELOAD, and READ; else FINISH
      └ the end, a signal              settle (a whole input that is not at its end: ABORT), FINISH
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kdg.core.guarantees import Step
from kdg.core.state import (
    Action,
    Control,
    Cycle,
    Did,
    Event,
    Failed,
    Failure,
    Gone,
    Kind,
    Lost,
    Revoked,
    State,
    Stop,
    StopReason,
)

MAX_RETRIES = 5
"""Failures without a settling in between, after which the run ends with exit 4 or 5."""
WORK = frozenset({Step.FILTER, Step.WRITE, Step.FLUSH})
"""The actions that may wait for something outside Kafka for as long as it takes."""


def plan(cycle: Cycle, state: State, *, due: bool) -> State:
    """Decide the next actions if none is left: end, settle, or read on. due: whether the batch is to be settled now."""
    if state.todo:
        return state
    if state.stop_reason is StopReason.EARLY and cycle.whole:
        return replace(state, todo=(*_abort(state), Control.FINISH))
    if state.stop_reason is not None:
        return replace(state, todo=(*_settle(cycle, state), *cycle.end, Control.FINISH))
    due = due or (state.retries > 0 and cycle.kind is Kind.TRANSACTION)
    settles = due and state.unsettled and cycle.settles and not cycle.whole
    return replace(state, todo=_settle(cycle, state) if settles else cycle.chunk)


def advance(cycle: Cycle, state: State, event: Event) -> State:
    """The state after an event. An event that is illegal here raises ValueError and changes nothing."""
    match event:
        case Did():
            after = _did(cycle, state, event)
        case Failed():
            after = _failed(cycle, state, event)
        case Revoked() | Lost() | Gone():
            after = _moved(cycle, state, event)
        case Stop(stop_reason):
            after = state if state.stop_reason is StopReason.EARLY else replace(state, stop_reason=stop_reason)
    if after.open and after.todo[:1] == (Step.BEGIN,):  # BEGIN is a step of every chunk, and needed once an interval
        return replace(after, todo=after.todo[1:])
    return after


# ── partitions come and go ──


def _moved(cycle: Cycle, state: State, event: Revoked | Lost | Gone) -> State:
    head, now, later = state.todo[:1], *_parted(state)
    if head and head[0] not in (Step.READ, Control.FINISH, *WORK):
        raise ValueError(f"partitions come and go inside READ and work, not before {head[0]}")
    if isinstance(event, Revoked) and head == (Control.FINISH,):  # what is not settled now is not to be settled
        return replace(state, todo=(Control.RELEASE, *later))
    if isinstance(event, Revoked):
        settle = () if cycle.interval and cycle.interval[-1] in now else _settle(cycle, state)
        return replace(state, todo=(*now, *settle, *cycle.end, Control.RELEASE, *later))
    if isinstance(event, Lost):
        # Work that began inside a READ cannot go on after it: the READ may still bring records.
        dropped = state.open or (now and later[:1] == (Step.READ,))
        undo = (*_abort(state), Control.RELEASE, *((Control.REWIND,) if dropped else now))
    elif head not in _dropped(cycle, event):
        return state
    else:
        undo = (*_abort(state), Control.REWIND)
    if now and state.stop_reason is StopReason.COMPLETE:  # not any more: some of the records are to be read again
        return replace(state, todo=(*undo, *(action for action in later if action is Step.READ)), stop_reason=None)
    return replace(state, todo=(*undo, *later))


def _dropped(cycle: Cycle, event: Gone) -> tuple[tuple[Action, ...], ...]:
    """The work that ends when its partitions are gone. Not WRITE: it could end within a record."""
    if cycle.kind is not Kind.COMMIT_LAST:
        return ((Step.FILTER,),)
    return ((Step.FILTER,), (Step.FLUSH,)) if event.everything else ()


def _parted(state: State) -> tuple[tuple[Action, ...], tuple[Action, ...]]:
    """What is still to be done with the records in hand, without the release of a revoke, and what comes after it."""
    at = next((n for n, action in enumerate(state.todo) if action in (Step.READ, Control.FINISH)), len(state.todo))
    return tuple(action for action in state.todo[:at] if action is not Control.RELEASE), state.todo[at:]


# ── settling and ending ──


def _settle(cycle: Cycle, state: State) -> tuple[Action, ...]:
    if not state.unsettled:
        return ()
    begin = (Step.BEGIN,) if cycle.kind is Kind.TRANSACTION and not state.open else ()
    return (*begin, *cycle.interval)


def _abort(state: State) -> tuple[Action, ...]:
    return (Control.ABORT,) if state.open else ()


_SETTLED: Mapping[str, Any] = {"open": False, "unsettled": False, "retries": 0}
_AFTER: Mapping[Action, Mapping[str, Any]] = {
    Step.BEGIN: {"open": True},
    Step.COMMIT: _SETTLED,
    Step.COMMIT_TRANSACTION: _SETTLED,
    Control.ABORT: {"open": False},
    Control.RECYCLE: {"open": False},
    Control.REWIND: {"unsettled": False},
    Control.RELOAD: {"unsettled": False},
}
"""The fields of State that an action changes besides `todo`; READ is in `_did`, all others change none."""


def _did(cycle: Cycle, state: State, event: Did) -> State:
    rest = _after_first(state, event.action)
    if event.action is not Step.READ:
        return replace(state, todo=rest, **_AFTER.get(event.action, {}))
    if event.records:
        return replace(state, todo=rest, unsettled=True)
    # The rest of the chunk is skipped. The position may follow markers at once, because no record is at stake.
    commit = (Step.COMMIT,) if event.moved and cycle.kind is Kind.COMMIT_FIRST else ()
    return replace(state, todo=(*commit, *rest[len(cycle.chunk) - 1 :]), unsettled=state.unsettled or event.moved)


def _after_first(state: State, action: Action) -> tuple[Action, ...]:
    if state.todo[:1] != (action,):
        raise ValueError(f"{action} is not what was to be done: {state.todo[:1]}")
    return state.todo[1:]


_WAY_BACK: Mapping[tuple[Kind, Failure], tuple[Action, ...]] = {
    (Kind.TRANSACTION, Failure.ABORTABLE): (Control.ABORT, Control.REWIND),
    (Kind.TRANSACTION, Failure.UNKNOWN): (Control.RECYCLE, Control.RELOAD),
    (Kind.COMMIT_FIRST, Failure.ABORTABLE): (Control.REWIND,),
    (Kind.COMMIT_LAST, Failure.ABORTABLE): (Control.REWIND,),
    (Kind.COMMIT_LAST, Failure.UNKNOWN): (Control.REWIND,),
}
"""How to get back to the last settling; ABORT is left out if no transaction is open. Without an entry the run ends:
at-most-once does not read a record again that may have been written, or whose position may be committed."""


def _undo(cycle: Cycle, state: State, event: Failed) -> tuple[Action, ...] | None:
    """How to get back to the last settling; None if the run has to end."""
    if state.retries >= MAX_RETRIES or cycle.whole or state.stop_reason is StopReason.EARLY:
        return None
    if event.action is Control.ABORT or event.failure is Failure.FINAL:
        return None
    kind = cycle.kind
    if kind is Kind.COMMIT_FIRST and event.action is Step.WRITE:
        return None  # the position of these records is committed: they may not be read again
    if kind is Kind.COMMIT_LAST and event.action is Step.COMMIT:
        # The records stay written, and the next interval commits the position; at the end there is no next interval.
        return () if state.stop_reason is None else None
    if kind is Kind.COMMIT_LAST and not cycle.settles:
        return None  # the action may have dropped the records in hand, and without a position there is no way back
    in_doubt = kind is Kind.TRANSACTION and Control.RELOAD in state.todo
    way_back = _WAY_BACK.get((kind, Failure.UNKNOWN if in_doubt else event.failure))
    return way_back and tuple(action for action in way_back if state.open or action is not Control.ABORT)


def _failed(cycle: Cycle, state: State, event: Failed) -> State:
    _after_first(state, event.action)
    undo = _undo(cycle, state, event)
    if undo is None:
        return replace(state, todo=(*_give_up(state, event), Control.FINISH), stop_reason=StopReason.EARLY)
    # If the settling inside a revoke failed, the release and the READ that it interrupted are still to be done.
    rest = state.todo[state.todo.index(Control.RELEASE) :] if Control.RELEASE in state.todo else ()
    return replace(state, todo=(*undo, *rest), retries=state.retries + 1, stop_reason=None)


def _give_up(state: State, event: Failed) -> tuple[Action, ...]:
    """What is still to be done before the end: abort, unless a commit is in doubt; finish a revoke in progress."""
    in_doubt = event == Failed(Step.COMMIT_TRANSACTION, Failure.UNKNOWN) or Control.RELOAD in state.todo
    abort = () if event.action is Control.ABORT or in_doubt else _abort(state)
    return (*abort, Control.RELEASE) if Control.RELEASE in state.todo[1:] else abort
