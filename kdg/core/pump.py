"""Owns the loop that every command runs: ask the cycle what to do, do it, report to the cycle what happened.

The loop decides nothing itself. The commands differ in what they hand over: a Source, a Target, and a Transaction that
binds the two (kdg/core/ports.py). kdg/core/actions.py performs the actions.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from kdg.core.actions import PERFORM
from kdg.core.cycle import advance, plan
from kdg.core.guarantees import Step
from kdg.core.interval import Interval
from kdg.core.ports import Dedup, Filter, NoDedup, Signals, Source, Target, Transaction, Work, failure_of
from kdg.core.progress import Counts, CrashAt, Limits
from kdg.core.records import Batch
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
from kdg.errors import Aborted, KdgError


@dataclass(slots=True)
class Pump:
    """One run.

    What it runs on: cycle, the steps; source, target, transaction, dedup, the ports; interval, when a batch is due;
    limits, when the run ends by itself; signals; filter, changes each chunk between READ and WRITE; crash_at, for
    demonstrations; progress, called with the counts whenever they change; look, called while the input or the filter is
    waited for: it looks what became of the records that the target has taken, and says whether a FLUSH is due, or
    raises as FLUSH does; clock, seconds.

    What it leads to: counts; error, what ended the run early, None if it did all that was asked; interrupted, the
    signal that ended it, or None.

    While it runs: state, of the cycle; batch, the records of this chunk; failure, the first failure that is not undone
    yet; last_record, when the latest record came, or work last waited; work, the action that waits, and its Work;
    flush_due, what `look` has said.
    """

    cycle: Cycle
    source: Source
    target: Target
    transaction: Transaction
    interval: Interval
    limits: Limits
    signals: Signals
    filter: Filter | None = None
    dedup: Dedup = field(default_factory=NoDedup)
    crash_at: CrashAt | None = None
    progress: Callable[[Counts], None] | None = None
    look: Callable[[], bool] = lambda: False
    clock: Callable[[], float] = time.monotonic
    counts: Counts = field(default_factory=Counts)
    error: KdgError | None = None
    interrupted: int | None = None
    state: State = field(default_factory=State)
    batch: Batch = field(default_factory=Batch)
    failure: KdgError | None = None
    last_record: float = 0.0
    work: tuple[Action, Work[None]] | None = None
    flush_due: bool = False
    _until: float | None = None
    """When a revoke has to be over; None outside of one."""
    _started: float = 0.0
    _done: Counter[Step] = field(default_factory=Counter)

    def run(self) -> None:
        """Perform the cycle until it ends. A KdgError ends up in `error`; any other exception is a defect."""
        self.start()
        while self.step():
            pass
        self.finish()

    def start(self) -> None:
        """Note the time. To be called before the first step."""
        self._started = self.last_record = self.clock()

    def step(self) -> bool:
        """Perform one action. False if nothing is left to do: then `finish` is to be called."""
        self._notice_stop()
        if not self.state.todo and self.flush_due and self.state.stop_reason is None:
            self.state = replace(self.state, todo=(Step.FLUSH,))
            self.flush_due = False
        if not self.state.todo:
            self.state = plan(self.cycle, self.state, due=self.interval.due(self.clock()))
        if not self.state.todo:
            return True
        if self.state.todo[0] is Control.FINISH:
            return False
        self._perform(self.state.todo[0])
        return True

    def finish(self) -> None:
        """Set `error`. To be called after the last step."""
        self.error = self._cause()
        if self.cycle.kind is not Kind.TRANSACTION and self.error is None:
            self.counts.settle()

    def on_rebalance(self, event: Event) -> None:
        """Settle or undo before partitions are gone.

        A Source calls it with Revoked or Lost, inside `read`, and inside `keep_alive` while work waits.
        """
        self._until = self.clock() + (event.within if isinstance(event, Revoked) else 0.0)
        self._move(event)
        try:
            while self.state.todo[:1] not in ((Step.READ,), (Control.FINISH,), ()):
                if self._left_to_work():
                    return
                self._perform(self.state.todo[0])
        finally:
            self._until = None

    def _move(self, event: Event) -> None:
        """Report that partitions come or go, and end work that is not to be done any more."""
        self.advance(event)
        if self.work is not None and self.work[0] not in self.state.todo[:2]:
            self._end_work()

    def _end_work(self) -> None:
        if self.work is not None:
            work, self.work = self.work[1], None
            work.close()

    def _carry_on(self, action: Action, work: Work[None]) -> bool:
        """Do the work, and keep the membership meanwhile. False if a rebalance has finished it, dropped or left it."""
        self.work = action, work
        for _ in work:
            self.last_record = self.clock()  # nobody looks at the input: it is not silent
            if action is Step.FILTER:
                self.look()
            if self._until is None:
                self.source.keep_alive()
                if self.source.incomplete and not self.source.rejoining:
                    self._move(Gone(self.source.empty_handed))
            elif self.clock() >= self._until:
                self._move(Lost())
            if not self._at(action, work):
                return False
        self.work = None
        if action is Step.FILTER and self.source.incomplete:
            self.advance(Gone(self.source.empty_handed))
        return self.state.todo[:1] == (action,)

    def _at(self, action: Action, work: Work[None]) -> bool:
        """Whether this work is still the next thing to be done."""
        return self.work is not None and self.work[1] is work and self.state.todo[:1] == (action,)

    def _left_to_work(self) -> bool:
        """Whether only work is left that goes on after the partitions are gone: their time is over."""
        head = self.state.todo[:1]
        return self.work is not None and head == (self.work[0],) and Control.RELEASE not in self.state.todo

    def advance(self, event: Event) -> None:
        """Report an event to the cycle."""
        self.state = advance(self.cycle, self.state, event)

    def report_progress(self) -> None:
        """Pass on the counts, if anybody wants them."""
        if self.progress is not None:
            self.progress(self.counts)

    def _notice_stop(self) -> None:
        """Look for a signal and at the deadlines. This is done between two actions, never inside one."""
        if self.state.stop_reason is not None:
            return
        if self.signals.received is not None:
            self.interrupted = self.signals.received
            self.advance(Stop(StopReason.EARLY))
        elif (error := self.limits.overdue(self.clock() - self._started)) is not None:
            self.error = error
            self.advance(Stop(StopReason.EARLY))

    def _perform(self, action: Action) -> None:
        event: Event
        try:
            if self.work is not None and self.work[0] is action:
                outcome: Did | Work[None] | None = self.work[1]
            else:
                outcome = PERFORM[action](self)
            if outcome is not None and not isinstance(outcome, Did):
                if not self._carry_on(action, outcome):
                    return
                outcome = None
            event = outcome or Did(action)
        except KdgError as error:
            self._note_failure(error)
            self._end_work()
            event = Failed(action, failure_of(error))
        if self.state.todo[:1] != (action,):
            return  # a rebalance inside READ has ended the run already
        self.advance(event)
        if isinstance(action, Step) and isinstance(event, Did):
            self._crash_if_asked(action)

    def _note_failure(self, error: KdgError) -> None:
        self.interval.reset()
        # The first failure that cannot simply be tried again is the cause. Failures while it is undone follow from it,
        # and a commit whose outcome is unknown stays unknown.
        if self.failure is None or failure_of(self.failure) is Failure.ABORTABLE:
            self.failure = error

    def _crash_if_asked(self, step: Step) -> None:
        self._done[step] += 1
        if self.crash_at is not None and self.crash_at.step is step and self._done[step] == self.crash_at.times:
            os.kill(os.getpid(), signal.SIGKILL)

    def _cause(self) -> KdgError | None:
        """Why the run ended early: a signal even if the batch was aborted, and a failure rather than a deadline."""
        failure = self.failure
        if failure is None or (self.interrupted is not None and failure_of(failure) is Failure.ABORTABLE):
            return self.error
        if failure_of(failure) is Failure.ABORTABLE and self.cycle.kind is Kind.TRANSACTION:
            return Aborted(str(failure), failure.hint)
        return failure
