"""Owns the decisions of the loop: events in, the next actions out. Pure: no Kafka, no clock.

The steps of a guarantee are data (kdg/core/guarantees.py). `plan` and `advance` turn events into actions, and
kdg/core/pump.py performs them. Because both functions are pure, whole histories can be run against a model
(kdg/core/crash), and thousands of random ones in the tests.

    chunk      The records of one READ, and the steps they go through: filter, write.
    interval   The time from one settling to the next. The records of all its chunks are one batch.
    settling   The steps that make a batch and the position after it durable. Nobody reads settled records again.
    unsettled  There is something to settle: records, or a position that moved over the markers of transactions alone.
    open       A transaction is open, from BEGIN to its commit or abort. It covers one interval: BEGIN is a step of
               every chunk, and is skipped while a transaction is open.
    whole      The input is one transaction, visible as a whole or not at all. It has no position to go back to: it is
               settled only at its end, nothing of it is tried again, and a signal aborts it.

Partitions come and go while READ runs, because the client library calls back from there.

    Revoked    The group takes partitions away, and waits until the callback returns. The batch is settled first, so
               that the next owner goes on exactly after it.
    Lost       The partitions may have another owner already, which reads the same records. Settling them would
               duplicate them, so an open transaction is aborted. An abort covers all partitions of the transaction:
               those that are still owned are read again. Records that were written without one stay where they are.

An action that fails is undone to the last settling, and tried again, depending on what it left behind.

    ABORTABLE  It certainly had no effect: abort, and read again.
    UNKNOWN    It may have had an effect, such as a commit without an answer. A delayed request could still commit a
               part of the next transaction (hazard 1), so the producer is replaced (RECYCLE). Then the durable position
               is looked up (RELOAD): it shows whether the transaction was committed.
    FINAL      Trying again does not help: the run ends.

Retries are bounded: an error that does not go away would repeat for ever, and look like a run that works. After
MAX_RETRIES failures without a settling in between the run ends, and its exit code says what is known: 4 (aborted) or 5
(unknown). After a signal nothing is tried again.

    READ ─ nothing new ──────────────► settle if due, else READ again
      │ records
      ▼
    the rest of the chunk ───────────► READ ...
      │ Revoked, inside READ           settle, RELEASE, then READ goes on
      │ Lost, inside READ              ABORT, RELEASE, REWIND, then READ goes on
      │ a step failed                  ABORT and REWIND, or RECYCLE and RELOAD, and READ; else FINISH
      └ the end, a signal              settle (a whole input that is not at its end: ABORT), FINISH
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from typing import Any

from kdg.core.guarantees import Guarantee, Step

MAX_RETRIES = 5
"""Failures without a settling in between, after which the run ends with exit 4 or 5."""


class Control(StrEnum):
    """The actions of the loop that are not steps of the table."""

    ABORT = "abort"
    """End the open transaction without effect."""
    REWIND = "rewind"
    """Go back to the last settled position, in every partition that is still owned; drop the records in hand."""
    RECYCLE = "recycle"
    """Replace the producer, so that no request of the old one can take effect any more (hazard 1)."""
    RELOAD = "reload"
    """Go back to the position that is durably stored; it shows whether a commit in doubt took effect."""
    RELEASE = "release"
    """Let go of the partitions that were revoked or lost."""
    FINISH = "finish"
    """Leave the loop."""


Action = Step | Control


class Failure(Enum):
    """What a failed action leaves behind."""

    ABORTABLE = "certainly without effect: it can be tried again from the last settling"
    UNKNOWN = "it may have taken effect"
    FINAL = "trying again does not help"


class StopReason(Enum):
    """Why the loop is going to end."""

    COMPLETE = "everything that was asked for is read"
    EARLY = "a signal, a deadline or an error"


class Kind(Enum):
    """How a cycle settles. It decides how a failure is undone."""

    TRANSACTION = "records and position become durable together"
    COMMIT_FIRST = "the position is committed before the records are written"
    COMMIT_LAST = "the position is committed after the records are written"


@dataclass(frozen=True, slots=True)
class Cycle:
    """The steps of a guarantee, for one run.

    chunk, interval, end: as in the table. settles: the source has a position to settle, or the target a transaction to
    end; otherwise an interval has nothing to do. whole: the input is one transaction.
    """

    chunk: tuple[Step, ...]
    interval: tuple[Step, ...]
    end: tuple[Step, ...]
    settles: bool = True
    whole: bool = False

    @classmethod
    def of(cls, guarantee: Guarantee, *, settles: bool = True, whole: bool = False) -> Cycle:
        """The cycle of a guarantee."""
        return cls(guarantee.chunk, guarantee.interval, guarantee.end, settles=settles, whole=whole)

    @property
    def kind(self) -> Kind:
        """How it settles."""
        if Step.BEGIN in self.chunk:
            return Kind.TRANSACTION
        return Kind.COMMIT_FIRST if Step.COMMIT in self.chunk else Kind.COMMIT_LAST


@dataclass(frozen=True, slots=True)
class State:
    """Where a run is.

    todo: the actions that are already decided, the next one first. unsettled, open: see the words above. retries:
    failures since the last settling. stop_reason: why the run is going to end; None if it goes on.
    """

    todo: tuple[Action, ...] = ()
    unsettled: bool = False
    open: bool = False
    retries: int = 0
    stop_reason: StopReason | None = None


@dataclass(frozen=True, slots=True)
class Did:
    """The first action of `todo` was performed. records: how many a READ brought. moved: READ moved the position."""

    action: Action
    records: int = 0
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """The first action of `todo` failed. failure: what it left behind."""

    action: Action
    failure: Failure


@dataclass(frozen=True, slots=True)
class Revoked:
    """The group takes partitions away and waits: there is time to settle."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Partitions are gone, and may have another owner: nothing of them may be settled."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The run has to end. stop_reason: why."""

    stop_reason: StopReason


Event = Did | Failed | Revoked | Lost | Stop


def plan(cycle: Cycle, state: State, *, due: bool) -> State:
    """Decide the next actions if none is left: end, settle, or read on. due: whether the batch is to be settled now."""
    if state.todo:
        return state
    if state.stop_reason is StopReason.EARLY and cycle.whole:
        return replace(state, todo=(*_abort(state), Control.FINISH))
    if state.stop_reason is not None:
        return replace(state, todo=(*_settle(cycle, state), *cycle.end, Control.FINISH))
    settles = due and state.unsettled and cycle.settles and not cycle.whole
    return replace(state, todo=_settle(cycle, state) if settles else cycle.chunk)


def advance(cycle: Cycle, state: State, event: Event) -> State:
    """The state after an event. An event that is illegal here raises ValueError and changes nothing."""
    match event:
        case Did():
            after = _did(cycle, state, event)
        case Failed():
            after = _failed(cycle, state, event)
        case Revoked() | Lost() if state.todo[:1] not in ((Step.READ,), (Control.FINISH,), ()):
            raise ValueError(f"partitions come and go inside READ, not before {state.todo[0]}")
        case Revoked():
            after = replace(state, todo=(*_settle(cycle, state), *cycle.end, Control.RELEASE, *state.todo))
        case Lost():
            undo = (Control.ABORT, Control.RELEASE, Control.REWIND) if state.open else (Control.RELEASE,)
            after = replace(state, todo=(*undo, *state.todo))
        case Stop(stop_reason):
            after = state if state.stop_reason is StopReason.EARLY else replace(state, stop_reason=stop_reason)
    if after.open and after.todo[:1] == (Step.BEGIN,):  # BEGIN is a step of every chunk, and needed once an interval
        return replace(after, todo=after.todo[1:])
    return after


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
