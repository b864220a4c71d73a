"""Owns the records of produce that are not known to be in the topic: they are counted, and kept if wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kdg.core.ports import carry_out
from kdg.errors import KdgError, StopNotReached, Undelivered, Unreachable
from kdg.runs.report import Outcome
from kdg.runs.session import Frame
from kdg.runtime.deadline import Deadline
from kdg.sinks.undelivered import UndeliveredFile
from kdg.sources.descriptor import Input
from kdg.text.words import plural

if TYPE_CHECKING:
    from kdg.kafka.target import KafkaTarget

AFTER_FAILURE_SECONDS = 30.0
"""How long a run that failed waits for the acknowledgement of the records that it has sent."""


def keep_whole_input(frame: Frame, source: Input, undelivered: UndeliveredFile, error: Unreachable) -> None:
    """With `--undelivered FILE`: no broker was reached, so every record of the input goes into the file."""
    if undelivered.path is None:
        return
    try:
        _keep_rest(source, undelivered, frame.deadline, error)
        undelivered.close()
    except KdgError as exc:
        error.hint += f" {exc}"
        return
    frame.outcome.undelivered = undelivered.count
    error.hint += f" The {plural(undelivered.count, 'record')} of the input are in {undelivered.path}; "
    error.hint += f"send them again with `{undelivered.again}`."


def _keep_rest(source: Input, undelivered: UndeliveredFile, deadline: Deadline, error: KdgError) -> None:
    """Keep what is left of the input. It may not end for long: then it is said what became of the run."""
    doing = f"keeping the rest of {source.name} in {undelivered.path}"
    with deadline.watched(doing, str(error).rstrip("."), "the end of the input ends it, or Ctrl-C"):
        for records in source.drain():
            undelivered.keep_unsent(records)


def settle_undelivered(target: KafkaTarget, source: Input, undelivered: UndeliveredFile, outcome: Outcome) -> None:
    """Count and keep the records that are not known to be in the topic."""
    if outcome.error is not None:
        _flush_after(outcome.error, target)
    if outcome.error is not None and undelivered.path is not None:
        _keep_rest(source, undelivered, target.deadline, outcome.error)
    failed = undelivered.count - undelivered.never_sent
    outcome.counts.written = max(outcome.counts.written - failed, 0)
    outcome.undelivered = undelivered.count
    undelivered.close()
    if isinstance(outcome.error, StopNotReached | None):
        outcome.error = undelivered.error() or _late_input(outcome.error)


def _flush_after(error: KdgError, target: KafkaTarget) -> None:
    """An error of the input does not concern the records that were read before it: wait until they are delivered."""
    target.settle_seconds = AFTER_FAILURE_SECONDS
    try:
        carry_out(target.flush())
    except KdgError as exc:
        target.give_up()
        error.hint = error.hint or str(exc)


def _late_input(error: KdgError | None) -> KdgError | None:
    """The error for an input that did not end within --timeout, if every record that was read is delivered."""
    if error is None:
        return None
    return Undelivered(
        "the input was not at its end within --timeout; all that was read is delivered.", "Raise --timeout."
    )
