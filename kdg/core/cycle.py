"""Owns the decisions of the loop: events in, the next actions out. No Kafka, no clock, no I/O.

A guarantee's cycle is data (`kdg/core/guarantees.py`); `advance` turns what happened into what is to be done next, and
`kdg/core/pump.py` does it. Because it is pure, whole histories can be run against a model (`kdg/core/crash`, tests/unit).

    READ ─ nothing new ──────────────► settle when due, else READ again
      │ records
      ▼
    the rest of the chunk ───────────► READ ...
      │ revoked, inside READ           settle, RELEASE, then READ goes on
      │ lost, inside READ              ABORT, RELEASE, REWIND, then READ goes on
      │ a step failed                  ABORT and REWIND, or RECYCLE and RELOAD, a bounded number of times; else FINISH
      └ the end, a signal              settle (or ABORT, when the input was to be one transaction), FINISH
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, StrEnum

from kdg.core.guarantees import Guarantee, Step

MAX_RETRIES = 5
"""How often in a row a transaction is tried again before the run ends with exit 4 or 5."""


class Control(StrEnum):
    """What the loop does besides the steps of the table."""

    ABORT = "abort"
    """End the open transaction without effect."""
    REWIND = "rewind"
    """Everything still owned goes back to where it was last settled; what is in hand is dropped."""
    RECYCLE = "recycle"
    """A new producer, so that no request of the old one can still take effect (HAZARDS.md 1)."""
    RELOAD = "reload"
    """Like REWIND, but to the position that is durably stored: the commit in doubt shows there."""
    RELEASE = "release"
    """Let go of the partitions that were revoked or lost."""
    FINISH = "finish"
    """Leave the loop."""


Action = Step | Control


class Failure(Enum):
    """What a failed action leaves behind."""

    ABORTABLE = "certainly without effect; it can be tried again from where it was last settled"
    UNKNOWN = "it may have taken effect"
    FINAL = "trying again does not help"


class StopReason(Enum):
    """Why the loop is to end."""

    COMPLETE = "all that was asked for was read"
    EARLY = "a signal, a deadline or an error"


@dataclass(frozen=True, slots=True)
class Cycle:
    """A guarantee's steps for one run.

    settles: the source has a position to settle or the target a transaction to end; otherwise there is nothing to do each
    interval. whole: the input is to be one transaction, visible completely or not at all.
    """

    chunk: tuple[Step, ...]
    interval: tuple[Step, ...]
    end: tuple[Step, ...]
    settles: bool = True
    whole: bool = False

    @classmethod
    def of(cls, row: Guarantee, *, settles: bool = True, whole: bool = False) -> Cycle:
        """The cycle that a row of the table describes."""
        return cls(row.chunk, row.interval, row.end, settles=settles, whole=whole)

    @property
    def transactional(self) -> bool:
        """Whether outputs and positions are settled in a transaction."""
        return Step.BEGIN in self.chunk

    @property
    def commits_first(self) -> bool:
        """Whether the position moves before the record is written."""
        return Step.COMMIT in self.chunk


@dataclass(frozen=True, slots=True)
class State:
    """Where a run stands. unsettled: something was handed out that is not settled; open: a transaction is open."""

    todo: tuple[Action, ...] = ()
    unsettled: bool = False
    open: bool = False
    retries: int = 0
    stop_reason: StopReason | None = None


@dataclass(frozen=True, slots=True)
class Did:
    """The action at the head of `todo` was performed. records, moved: what a READ brought; moved: only the position did."""

    action: Action
    records: int = 0
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """The action at the head of `todo` failed."""

    action: Action
    failure: Failure


@dataclass(frozen=True, slots=True)
class Revoked:
    """The group takes partitions away, in order: there is time to settle."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Partitions are gone, perhaps already somebody else's: nothing of them may be settled."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The run is to end."""

    stop_reason: StopReason


Event = Did | Failed | Revoked | Lost | Stop


def plan(cycle: Cycle, state: State, *, due: bool) -> State:
    """What to do when nothing is left to do: end, settle when it is due, or read on."""
    if state.todo:
        return state
    if state.stop_reason is StopReason.EARLY and cycle.whole:
        return replace(state, todo=(*_abort(state), Control.FINISH))
    if state.stop_reason is not None:
        return replace(state, todo=(*_settle(cycle, state), *cycle.end, Control.FINISH))
    if due and state.unsettled and cycle.settles and not cycle.whole:
        return replace(state, todo=_settle(cycle, state))
    return replace(state, todo=cycle.chunk)


def advance(cycle: Cycle, state: State, event: Event) -> State:
    """The state after an event; an illegal event raises ValueError and changes nothing."""
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
    return _skip_begin(after)


def _skip_begin(state: State) -> State:
    """BEGIN stands in every chunk; it is done only when no transaction is open."""
    if state.open and state.todo[:1] == (Step.BEGIN,):
        return replace(state, todo=state.todo[1:])
    return state


def _settle(cycle: Cycle, state: State) -> tuple[Action, ...]:
    if not state.unsettled:
        return ()
    begin = (Step.BEGIN,) if cycle.transactional and not state.open else ()
    return (*begin, *cycle.interval)


def _abort(state: State) -> tuple[Action, ...]:
    return (Control.ABORT,) if state.open else ()


def _did(cycle: Cycle, state: State, event: Did) -> State:
    if state.todo[:1] != (event.action,):
        raise ValueError(f"{event.action} is not what was to be done: {state.todo[:1]}")
    rest = state.todo[1:]
    match event.action:
        case Step.READ if event.records == 0:
            # Only markers were passed: no record is at stake, and the position may follow them.
            commit = (Step.COMMIT,) if event.moved and cycle.commits_first else ()
            todo = (*commit, *rest[len(cycle.chunk) - 1 :])
            return replace(state, todo=todo, unsettled=state.unsettled or event.moved)
        case Step.READ:
            return replace(state, todo=rest, unsettled=True)
        case Step.BEGIN:
            return replace(state, todo=rest, open=True)
        case Step.COMMIT | Step.COMMIT_TRANSACTION:
            return replace(state, todo=rest, open=False, unsettled=False, retries=0)
        case Control.ABORT | Control.RECYCLE:
            return replace(state, todo=rest, open=False)
        case Control.REWIND | Control.RELOAD:
            return replace(state, todo=rest, unsettled=False)
        case _:
            return replace(state, todo=rest)


def _failed(cycle: Cycle, state: State, event: Failed) -> State:
    if state.todo[:1] != (event.action,):
        raise ValueError(f"{event.action} is not what was to be done: {state.todo[:1]}")
    undo = _undo(cycle, state, event)
    if undo is None:
        # A revoke in progress still has to let go of its partitions.
        release = (Control.RELEASE,) if Control.RELEASE in state.todo[1:] else ()
        in_doubt = Control.RELOAD in state.todo or (
            event.action is Step.COMMIT_TRANSACTION and event.failure is Failure.UNKNOWN
        )
        abort = () if event.action is Control.ABORT or in_doubt else _abort(state)
        return replace(state, todo=(*abort, *release, Control.FINISH), stop_reason=StopReason.EARLY)
    return replace(state, todo=(*undo, *_after_release(state)), retries=state.retries + 1, stop_reason=None)


def _after_release(state: State) -> tuple[Action, ...]:
    """What stays to be done when the settling inside a revoke was undone: the release, and the read it interrupted."""
    return state.todo[state.todo.index(Control.RELEASE) :] if Control.RELEASE in state.todo else ()


def _undo(cycle: Cycle, state: State, event: Failed) -> tuple[Action, ...] | None:
    """How to get back to where it was last settled; None when the run has to end."""
    if event.failure is Failure.FINAL or event.action is Control.ABORT:
        return None
    if state.retries >= MAX_RETRIES or cycle.whole or state.stop_reason is StopReason.EARLY:
        return None
    if cycle.transactional:
        in_doubt = Control.RELOAD in state.todo
        return _undo_transaction(state, Failure.UNKNOWN if in_doubt else event.failure)
    if cycle.commits_first:
        again = event.failure is Failure.ABORTABLE and event.action is not Step.WRITE
        return (Control.REWIND,) if again else None
    # At least once: what was written stays; the position is committed with the next interval, if it is still ours.
    if event.action is Step.COMMIT:
        return () if state.stop_reason is None else None
    # Anything else may have dropped what is in hand; without a position there is no way back to it.
    return (Control.REWIND,) if cycle.settles else None


def _undo_transaction(state: State, failure: Failure) -> tuple[Action, ...]:
    if failure is Failure.UNKNOWN:
        return (Control.RECYCLE, Control.RELOAD)
    return (*_abort(state), Control.REWIND)


@dataclass(slots=True)
class Interval:
    """When a batch is due: by its size, its age, or because nothing new comes. Times are seconds of any one clock."""

    max_records: int
    max_seconds: float
    max_bytes: int = 8_000_000
    idle_seconds: float = 0.05
    records: int = 0
    size: int = 0
    began: float | None = None
    last: float = 0.0

    def add(self, records: int, size: int, now: float) -> None:
        """Count what a read brought."""
        if self.began is None:
            self.began = now
        self.records += records
        self.size += size
        self.last = now

    def reset(self) -> None:
        """Begin the next one."""
        self.records = self.size = 0
        self.began = None

    @property
    def room(self) -> int:
        """How many records may still come in; never less than one, so that a full interval can be noticed as due."""
        return max(self.max_records - self.records, 1)

    def wait(self, now: float) -> float | None:
        """Seconds until it is due, 0 or less when it is; None when nothing is in it."""
        if self.began is None:
            return None
        if self.records >= self.max_records or self.size >= self.max_bytes:
            return 0.0
        return min(self.began + self.max_seconds, self.last + self.idle_seconds) - now

    def due(self, now: float) -> bool:
        """Whether to settle now."""
        wait = self.wait(now)
        return wait is not None and wait <= 0
