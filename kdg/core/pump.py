"""Owns the only loop that performs the cycle's decisions on real ports. It decides nothing itself.

Every command runs this loop: produce, consume and pipe differ in the Source, the Target and the Transaction they hand over.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from kdg.core.cycle import (
    Action,
    Control,
    Cycle,
    Did,
    Event,
    Failed,
    Failure,
    Kind,
    State,
    Stop,
    StopReason,
    advance,
    plan,
)
from kdg.core.guarantees import Step
from kdg.core.interval import Interval
from kdg.core.ports import Dedup, NoDedup, Signals, Source, Target, Transaction, failure_of
from kdg.core.progress import Counts, CrashAt, Limits
from kdg.core.records import Batch
from kdg.errors import Aborted, KdgError, StopNotReached

LONGEST_READ = 0.5
"""Seconds one READ may wait: a client library's poll does not notice a signal (HAZARDS.md)."""


Filter = Callable[[Batch], Batch]


@dataclass(slots=True)
class Pump:
    """One run. `run` returns when the loop has finished; `error` is what ended it early, None when all went as asked."""

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
    clock: Callable[[], float] = time.monotonic
    counts: Counts = field(default_factory=Counts)
    error: KdgError | None = None
    interrupted: int | None = None
    _failure: KdgError | None = None
    state: State = field(default_factory=State)
    batch: Batch = field(default_factory=Batch)
    _done: Counter[Step] = field(default_factory=Counter)
    _started: float = 0.0
    _last_record: float = 0.0

    def run(self) -> None:
        """Perform the cycle until it finishes. KdgErrors end up in `error`; anything else is a defect and is raised."""
        self.start()
        while self.step():
            pass
        self.finish()

    def start(self) -> None:
        """Note the time; before the first step."""
        self._started = self._last_record = self.clock()

    def finish(self) -> None:
        """Set `error`; after the last step."""
        self.error = self._conclusion()
        if self.cycle.kind is not Kind.TRANSACTION and self.error is None:
            self.counts.settle()

    def step(self) -> bool:
        """Perform one action. False when there is nothing left to do; then `finish` comes."""
        self._look_around()
        if not self.state.todo:
            self.state = plan(self.cycle, self.state, due=self.interval.due(self.clock()))
        if not self.state.todo:
            return True
        if self.state.todo[0] is Control.FINISH:
            return False
        self._perform(self.state.todo[0])
        return True

    def _conclusion(self) -> KdgError | None:
        """Why the run ended early. A signal that meant an abort is still a signal; a failure weighs more than a deadline."""
        failure = self._failure
        if failure is None or (self.interrupted is not None and failure_of(failure) is Failure.ABORTABLE):
            return self.error
        if failure_of(failure) is Failure.ABORTABLE and self.cycle.kind is Kind.TRANSACTION:
            return Aborted(str(failure), failure.hint)
        return failure

    def _look_around(self) -> None:
        """Signals and deadlines are noticed between two actions."""
        if self.state.stop_reason is not None:
            return
        if self.signals.received is not None:
            self.interrupted = self.signals.received
            self._advance(Stop(StopReason.EARLY))
        elif (error := self._overdue()) is not None:
            self.error = error
            self._advance(Stop(StopReason.EARLY))

    def _overdue(self) -> KdgError | None:
        elapsed = self.clock() - self._started
        if self.limits.timeout is not None and elapsed >= self.limits.timeout:
            return StopNotReached(
                f"the stop condition was not reached within {self.limits.timeout:g} s (--timeout).",
                "Raise --timeout, or look for why records do not come: an open transaction, no producer.",
            )
        if self.limits.whole_within is not None and elapsed >= self.limits.whole_within:
            return Aborted(
                f"the input was not at its end within {self.limits.whole_within:g} s, and one transaction cannot last longer; "
                "nothing of it is visible.",
                "Use --resume NAME for input that takes its time, or -X transaction.timeout.ms=... (at most the broker's 15 min).",
            )
        return None

    def _perform(self, action: Action) -> None:
        try:
            event = _PERFORM[action](self)
        except KdgError as error:
            self._note_failure(error)
            event = Failed(action, failure_of(error)) if self.state.todo[:1] == (action,) else None
        if event is None:  # a rebalance inside a READ has ended it already
            return
        self._advance(event)
        if isinstance(action, Step) and isinstance(event, Did):
            self._count_step(action)

    def _note_failure(self, error: KdgError) -> None:
        self.interval.reset()
        # The first that could not simply be tried again is the cause; what fails while undoing it is a consequence, and a
        # commit in doubt stays in doubt.
        if self._failure is None or failure_of(self._failure) is Failure.ABORTABLE:
            self._failure = error

    def _advance(self, event: Event) -> None:
        self.state = advance(self.cycle, self.state, event)

    def _count_step(self, step: Step) -> None:
        self._done[step] += 1
        if self.crash_at is not None and self.crash_at.step is step and self._done[step] == self.crash_at.times:
            os.kill(os.getpid(), signal.SIGKILL)

    # ── the actions, in the order of the table ──

    def _read(self) -> Event | None:
        batch = self.source.read(self._room(), self._longest_wait())
        if self.state.todo[:1] != (Step.READ,):
            return None
        now = self.clock()
        if batch is None:
            self._advance(Stop(StopReason.COMPLETE))
            return Did(Step.READ, moved=self.source.moved)
        self.batch = batch
        if len(batch):
            self._last_record = now
            self.counts.pending_read += len(batch)
        elif self._stopped_by_silence(now):
            self._advance(Stop(StopReason.COMPLETE))
        # Markers alone begin one, too: the position follows them.
        if self.cycle.settles and (len(batch) or (self.source.moved and self.interval.began is None)):
            self.interval.add(len(batch), batch.size, now)
        if self._remaining() == 0:
            self._advance(Stop(StopReason.COMPLETE))
        return Did(Step.READ, records=len(batch), moved=self.source.moved)

    def _remaining(self) -> int | None:
        if self.limits.count is None:
            return None
        return max(self.limits.count - self.counts.read - self.counts.pending_read, 0)

    def _room(self) -> int:
        room = self.interval.room if self.cycle.settles else self.interval.max_records
        remaining = self._remaining()
        return room if remaining is None else min(room, remaining)

    def _longest_wait(self) -> float:
        """How long a READ may wait before there is something else to do."""
        due = self.interval.wait(self.clock()) if self.state.unsettled and self.cycle.settles else None
        return LONGEST_READ if due is None else max(min(due, LONGEST_READ), 0.0)

    def _stopped_by_silence(self, now: float) -> bool:
        return self.limits.idle_timeout is not None and now - self._last_record >= self.limits.idle_timeout

    def on_rebalance(self, event: Event) -> None:
        """The Source's callback for Revoked and Lost: settle or undo before it returns. Runs inside READ."""
        self._advance(event)
        while self.state.todo[:1] not in ((Step.READ,), (Control.FINISH,), ()):
            self._perform(self.state.todo[0])

    def _filter(self) -> Event:
        if self.filter is not None:
            self.batch = self.filter(self.batch)
        return Did(Step.FILTER)

    def _dedup(self) -> Event:
        before = len(self.batch)
        self.batch = self.dedup.filter(self.batch)
        self.counts.pending_dropped += before - len(self.batch)
        return Did(Step.DEDUP)

    def _begin(self) -> Event:
        self.transaction.begin()
        return Did(Step.BEGIN)

    def _write(self) -> Event:
        self.target.write(self.batch)
        self.counts.pending_written += len(self.batch)
        self.batch = Batch()
        if self.cycle.kind is Kind.COMMIT_FIRST or not (self.cycle.settles or self.cycle.kind is Kind.TRANSACTION):
            self.counts.settle()
        self._tell_progress()
        return Did(Step.WRITE)

    def _flush(self) -> Event:
        self.target.flush()
        return Did(Step.FLUSH)

    def _mark(self) -> Event:
        self.dedup.mark()
        return Did(Step.MARK)

    def _commit(self) -> Event:
        self.source.commit()
        self.source.settled()
        self.counts.commits += 1
        self._begin_interval()
        return Did(Step.COMMIT)

    def _record_position(self) -> Event:
        self.transaction.record(self.source.positions())
        return Did(Step.RECORD_POSITION)

    def _commit_transaction(self) -> Event:
        self.transaction.commit()
        self.source.settled()
        self.counts.committed += 1
        self._begin_interval()
        return Did(Step.COMMIT_TRANSACTION)

    def _begin_interval(self) -> None:
        self.interval.reset()
        self._failure = None  # what failed before was undone, and has now succeeded
        if self.cycle.kind is not Kind.COMMIT_FIRST:
            self.counts.settle()
        self._tell_progress()

    def _tell_progress(self) -> None:
        if self.progress is not None:
            self.progress(self.counts)

    def _abort(self) -> Event:
        self.counts.aborted += 1
        self.counts.forget()
        self.transaction.abort()
        return Did(Control.ABORT)

    def _rewind(self) -> Event:
        self.counts.forget()
        self.dedup.forget()
        self.source.rewind()
        return Did(Control.REWIND)

    def _recycle(self) -> Event:
        self.counts.in_doubt = self.state.open
        self.transaction.recycle()
        return Did(Control.RECYCLE)

    def _reload(self) -> Event:
        if self.source.reload():
            self.counts.committed += self.counts.in_doubt
            self.counts.settle()
        else:
            self.counts.aborted += self.counts.in_doubt
            self.counts.forget()
        self._failure = None  # there is no doubt any more, whatever the answer was
        return Did(Control.RELOAD)

    def _release(self) -> Event:
        self.source.release()
        return Did(Control.RELEASE)


_PERFORM: dict[Action, Callable[[Pump], Event | None]] = {
    Step.READ: Pump._read,
    Step.FILTER: Pump._filter,
    Step.DEDUP: Pump._dedup,
    Step.BEGIN: Pump._begin,
    Step.WRITE: Pump._write,
    Step.FLUSH: Pump._flush,
    Step.MARK: Pump._mark,
    Step.COMMIT: Pump._commit,
    Step.RECORD_POSITION: Pump._record_position,
    Step.COMMIT_TRANSACTION: Pump._commit_transaction,
    Control.ABORT: Pump._abort,
    Control.REWIND: Pump._rewind,
    Control.RECYCLE: Pump._recycle,
    Control.RELOAD: Pump._reload,
    Control.RELEASE: Pump._release,
}
