"""Owns what every run has in common: signals and deadline, opening, the loop, closing, and the outcome.

A command adds one function, which opens its source, target and transaction in a Frame and returns a Session. The
simulator calls `opened`, `finish` and `close` for its processes as `perform` does for a real one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from kdg.core.guarantees import Role
from kdg.core.pump import Pump
from kdg.errors import Interrupted, KdgError
from kdg.runs.clients import Surroundings
from kdg.runs.dry_run import show_settings
from kdg.runs.plan import Plan, require_brokers
from kdg.runs.progress import ProgressLine
from kdg.runs.report import Outcome, check_report, conclude
from kdg.runtime.deadline import Deadline
from kdg.runtime.signals import Signals, SignalWaiter

REACH_SECONDS = 30.0
"""Time for the first answer of a broker, unless --timeout is shorter."""
GIVE_UP_SECONDS = 9.0
"""Seconds after a signal at which the process ends even if the client library does not return from a call.

Settling in order takes at most `kdg.runtime.deadline.GRACE` seconds, so a run that works has ended by then.
"""


@dataclass(frozen=True, slots=True)
class Frame:
    """What all parts of a run share: the plan, the signals, the time limits, and what is to be closed at the end.

    surroundings: what the run uses of the world outside of kdg. outcome: what the run reports at its end. closing:
    closes the parts, the last one that was opened first.
    """

    plan: Plan
    signals: SignalWaiter
    surroundings: Surroundings
    deadline: Deadline
    outcome: Outcome
    closing: ExitStack = field(default_factory=ExitStack)

    @classmethod
    def of(cls, plan: Plan, signals: SignalWaiter, surroundings: Surroundings) -> Frame:
        """For a run that begins now: its time limits count from here."""
        deadline = Deadline(
            signals,
            plan.timeout,
            reach=min(plan.timeout or REACH_SECONDS, REACH_SECONDS),
            clock=surroundings.clock,
            background=surroundings.background,
            note=plan.note,
        )
        return cls(plan, signals, surroundings, deadline, Outcome(plan))


@dataclass(frozen=True, slots=True)
class Session:
    """What a command has opened: the loop over its parts. describe: completes the outcome after the loop has ended."""

    pump: Pump
    describe: Callable[[Outcome], None]
    progress: ProgressLine | None = None


OpenSession = Callable[[Frame], Session]
"""Opens the parts of a command. Raises KdgError."""


def dry_run(plan: Plan) -> bool:
    """With `--dry-run`, print the settings and return True.

    Raises UsageError for settings that the client library refuses.
    """
    if not plan.dry_run:
        return False
    from kdg.kafka.client import validate

    for role in plan.clients:
        validate(plan.settings(role), role)
    sys.stdout.write(show_settings(plan))
    return True


def execute(plan: Plan, open_session: OpenSession) -> int:
    """Run a command to its end and return the exit code; 128 + N if signal N ended the run."""
    if dry_run(plan):
        return 0
    require_brokers(plan)
    check_report(plan.report)
    with Signals(within=GIVE_UP_SECONDS) as signals:
        frame = Frame.of(plan, signals, Surroundings())
        perform(frame, open_session)
    conclude(frame.outcome)
    return frame.outcome.exit_code


def perform(frame: Frame, open_session: OpenSession) -> None:
    """Open the parts, run the loop, close the parts. What happened is in the outcome of the frame."""
    try:
        session = opened(frame, open_session)
        if session is not None:
            session.pump.run()
            finish(frame, session)
    finally:
        close(frame)


def opened(frame: Frame, open_session: OpenSession) -> Session | None:
    """The session, or None if opening failed.

    A signal during the opening is the cause of the failure, not the error.
    """
    try:
        session = open_session(frame)
    except KdgError as error:
        if frame.signals.received is None:
            frame.outcome.error = error
        return None
    # From here on the loop looks at --timeout. What it has read by then is settled; produce gives up what is late.
    frame.deadline.settles = Role.CONSUMER in frame.plan.clients
    return session


def finish(frame: Frame, session: Session) -> None:
    """Complete the outcome after the loop has ended."""
    if session.progress is not None:
        session.progress.close()
    outcome, pump = frame.outcome, session.pump
    outcome.counts = pump.counts
    outcome.error = pump.error
    outcome.signum = pump.interrupted
    outcome.positions = pump.source.offsets()
    try:
        session.describe(outcome)
    except KdgError as error:
        outcome.error = outcome.error or error


def close(frame: Frame) -> None:
    """Close the parts, and decide between an error and a signal."""
    outcome = frame.outcome
    try:
        frame.closing.close()
    except KdgError as error:
        outcome.error = outcome.error or error
    if frame.signals.received is not None and not _outweighs_a_signal(outcome.error):
        outcome.signum, outcome.error = frame.signals.received, None
    outcome.seconds = frame.deadline.elapsed


def _outweighs_a_signal(error: KdgError | None) -> bool:
    """Whether the error is reported although a signal came. An error that only says that the signal came is not."""
    return error is not None and not isinstance(error, Interrupted)
