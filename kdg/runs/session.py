"""Owns the frame around every run: signals, deadline, opening, pumping, closing, concluding. The commands fill it in."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from kdg.cli.progress_line import Progress
from kdg.core.pump import Pump
from kdg.errors import Interrupted, KdgError
from kdg.runs.clients import Surroundings
from kdg.runs.plan import Plan, require_brokers, show_settings
from kdg.runs.report import Outcome, check_report, conclude
from kdg.runtime.deadline import Deadline
from kdg.runtime.signals import Signals

REACH_SECONDS = 30.0
GIVE_UP_SECONDS = 9.0
"""After a signal; what settles in order is done before (kdg/runtime/deadline.py), so that every run has ended within 10 s."""


@dataclass(frozen=True, slots=True)
class Session:
    """What a command opened: its pump, and how it tells what happened."""

    pump: Pump
    tell: Callable[[Outcome], None]
    progress: Progress | None = None


@dataclass(slots=True)
class Frame:
    """What a command gets to open its parts with; `closing` closes them in reverse order."""

    plan: Plan
    signals: Signals
    deadline: Deadline
    surroundings: Surroundings = field(default_factory=Surroundings)
    closing: ExitStack = field(default_factory=ExitStack)


def dry_run(plan: Plan) -> bool:
    """Print the settings when that is all that was asked for. Raises UsageError for what librdkafka would refuse."""
    if not plan.dry_run:
        return False
    from kdg.kafka.client import validate

    for role in plan.clients:
        validate(plan.settings(role), role)
    sys.stdout.write(show_settings(plan))
    return True


def execute(
    plan: Plan, open_session: Callable[[Frame], Session], unopened: Callable[[Outcome], None] = lambda _o: None
) -> int:
    """Run a command to its end and return the exit code; 128 + N when a signal ended it. unopened: told when opening failed."""
    if dry_run(plan):
        return 0
    require_brokers(plan)
    check_report(plan.report)
    began = time.monotonic()
    outcome = Outcome(plan)
    with Signals(within=GIVE_UP_SECONDS) as signals:
        deadline = Deadline(signals, plan.timeout, reach=min(plan.timeout or REACH_SECONDS, REACH_SECONDS))
        frame = Frame(plan, signals, deadline)
        try:
            with frame.closing:
                _pump(frame, open_session, unopened, outcome)
        except KdgError as error:
            outcome.error = outcome.error or error
        if signals.received is not None and not _weighs_more(outcome.error):
            outcome.signum, outcome.error = signals.received, None
    outcome.seconds = time.monotonic() - began
    conclude(outcome)
    return outcome.exit_code


def _weighs_more(error: KdgError | None) -> bool:
    """Whether an error outweighs the signal that came while waiting: all but what the signal itself cut short."""
    return error is not None and not isinstance(error, Interrupted)


def _pump(
    frame: Frame, open_session: Callable[[Frame], Session], unopened: Callable[[Outcome], None], outcome: Outcome
) -> None:
    try:
        session = open_session(frame)
    except KdgError as error:
        if frame.signals.received is not None:
            outcome.signum = frame.signals.received
            return
        outcome.error = error
        unopened(outcome)
        return
    session.pump.run()
    if session.progress is not None:
        session.progress.close()
    outcome.counts = session.pump.counts
    outcome.error = session.pump.error
    outcome.signum = session.pump.interrupted
    outcome.positions = session.pump.source.offsets()
    session.tell(outcome)
