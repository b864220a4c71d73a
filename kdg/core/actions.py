"""Owns how each action of the cycle is performed: what it asks of the ports, and what it counts.

An action is a function of the Pump. It returns nothing; READ returns how many records it brought, and an action that
may wait for long returns its Work. An action that fails raises a KdgError; kdg/core/ports.py says what the class of the
error means.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kdg.core.guarantees import Step
from kdg.core.ports import Filter, Work
from kdg.core.records import Batch
from kdg.core.state import Action, Control, Did, Kind, Stop, StopReason

if TYPE_CHECKING:
    from kdg.core.pump import Pump

LONGEST_READ = 0.5
"""Seconds that one READ may wait. A signal only sets a flag (hazard 2), and a poll that waits does not look at it."""


def _read(pump: Pump) -> Did:
    batch = pump.source.read(_room(pump), _longest_wait(pump))
    if pump.state.todo[:1] != (Step.READ,):
        return Did(Step.READ)  # a rebalance inside the call has ended the run: the records stay unsettled
    now = pump.clock()
    if batch is None:
        pump.advance(Stop(StopReason.COMPLETE))
        return Did(Step.READ, moved=pump.source.moved)
    pump.batch = batch
    if len(batch):
        pump.last_record = now
        pump.counts.pending_read += len(batch)
    else:
        if pump.limits.silent(now - pump.last_record):
            pump.advance(Stop(StopReason.COMPLETE))
        pump.flush_due = pump.look()
    # Markers alone begin an interval, too: the position follows them.
    if pump.cycle.settles and (len(batch) or (pump.source.moved and pump.interval.began is None)):
        pump.interval.add(len(batch), batch.size, now)
    if pump.limits.remaining(pump.counts) == 0:
        pump.advance(Stop(StopReason.COMPLETE))
    return Did(Step.READ, records=len(batch), moved=pump.source.moved)


def _room(pump: Pump) -> int:
    """How many records a READ may bring: what fits into the batch, and no more than `-c` still asks for."""
    room = pump.interval.room if pump.cycle.settles else pump.interval.max_records
    remaining = pump.limits.remaining(pump.counts)
    return room if remaining is None else min(room, remaining)


def _longest_wait(pump: Pump) -> float:
    """How many seconds a READ may wait before there is something else to do."""
    due = pump.interval.wait(pump.clock()) if pump.state.unsettled and pump.cycle.settles else None
    return LONGEST_READ if due is None else max(min(due, LONGEST_READ), 0.0)


def _filter(pump: Pump) -> Work[None] | None:
    return None if pump.filter is None else _filtered(pump, pump.filter)


def _filtered(pump: Pump, change: Filter) -> Work[None]:
    pump.batch = yield from change(pump.batch)


def _dedup(pump: Pump) -> None:
    before = len(pump.batch)
    pump.batch = pump.dedup.filter(pump.batch)
    pump.counts.pending_dropped += before - len(pump.batch)


def _begin(pump: Pump) -> None:
    pump.transaction.begin()


def _write(pump: Pump) -> Work[None]:
    pump.counts.writing = len(pump.batch)
    if (work := pump.target.write(pump.batch)) is not None:
        yield from work
    pump.counts.writing = 0
    pump.counts.pending_written += len(pump.batch)
    pump.batch = Batch()
    settles_later = pump.cycle.settles or pump.cycle.kind is Kind.TRANSACTION
    if pump.cycle.kind is Kind.COMMIT_FIRST or not settles_later:
        pump.counts.settle()
    pump.report_progress()


def _flush(pump: Pump) -> Work[None] | None:
    return pump.target.flush()


def _mark(pump: Pump) -> None:
    pump.dedup.mark()


def _commit(pump: Pump) -> None:
    pump.source.commit()
    pump.source.settled()
    pump.counts.commits += 1
    _begin_interval(pump)


def _record_position(pump: Pump) -> None:
    pump.transaction.record(pump.source.positions())


def _commit_transaction(pump: Pump) -> None:
    pump.transaction.commit()
    pump.source.settled()
    pump.counts.committed += 1
    _begin_interval(pump)


def _begin_interval(pump: Pump) -> None:
    pump.interval.reset()
    pump.failure = None  # an earlier failure was undone, and the same records have now succeeded
    if pump.cycle.kind is not Kind.COMMIT_FIRST:
        pump.counts.settle()
    pump.report_progress()


def _abort(pump: Pump) -> None:
    pump.counts.aborted += 1
    pump.counts.forget()
    pump.transaction.abort()


def _rewind(pump: Pump) -> None:
    pump.interval.reset()
    pump.counts.forget()
    pump.dedup.forget()
    pump.source.rewind()


def _recycle(pump: Pump) -> None:
    pump.counts.in_doubt = pump.state.open
    pump.transaction.recycle()


def _reload(pump: Pump) -> None:
    if pump.source.reload():
        pump.counts.committed += pump.counts.in_doubt
        pump.counts.settle()
    else:
        pump.counts.aborted += pump.counts.in_doubt
        pump.counts.forget()
    pump.failure = None  # the outcome is known now, whichever it is


def _release(pump: Pump) -> None:
    pump.source.release()


PERFORM: dict[Action, Callable[[Pump], Did | Work[None] | None]] = {
    Step.READ: _read,
    Step.FILTER: _filter,
    Step.DEDUP: _dedup,
    Step.BEGIN: _begin,
    Step.WRITE: _write,
    Step.FLUSH: _flush,
    Step.MARK: _mark,
    Step.COMMIT: _commit,
    Step.RECORD_POSITION: _record_position,
    Step.COMMIT_TRANSACTION: _commit_transaction,
    Control.ABORT: _abort,
    Control.REWIND: _rewind,
    Control.RECYCLE: _recycle,
    Control.RELOAD: _reload,
    Control.RELEASE: _release,
}
"""Every action except FINISH, at which the loop is left."""
