"""Owns the exit codes and the tree of errors that carry them. Nothing else decides how kdg ends.

KdgError                     1  failed
├── UsageError               2  usage
├── Undelivered              3  undelivered
├── Aborted                  4  aborted
├── OutcomeUnknown           5  unknown
├── NoAnswer                 5  unknown
├── Fenced                   6  fenced
├── PositionGone             7  position-gone
├── Unreachable              8  unreachable
├── StopNotReached           9  stop-not-reached
├── NotMet                  10  not-met
├── Interrupted            128  + the signal's number
└── ReaderGone             141  reader-gone

The library's own errors are translated into these at the boundary (kdg/kafka/errors.py), never further in.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExitCode:
    """One row of the contract: the number, the name `--report` gives as `outcome`, and what it means."""

    code: int
    outcome: str
    meaning: str
    advice: str


EXIT_CODES = (
    ExitCode(0, "held", "the guarantee held for everything asked (also: the reader of stdout went away and no group was involved)", "Nothing to do."),
    ExitCode(1, "failed", "an error that no other code names, such as a sink that cannot be written; nothing of the failed batch was committed (at-most-once: the failed batch may be lost)", "Mend what the message names and run again."),
    ExitCode(2, "usage", "wrong usage or contradictory configuration; nothing was sent", "Change what the message names."),
    ExitCode(3, "undelivered", "some records were not delivered, or it is unknown whether they were", "Send the records in the file of --undelivered again; at-least-once may double those of unknown outcome."),
    ExitCode(4, "aborted", "aborted: nothing of the last transaction is visible; running it again is safe", "Run it again."),
    ExitCode(5, "unknown", "outcome unknown: the last commit may or may not have taken effect; with an identity (--resume, a group) running again settles it", "With --resume or a group: run it again. Without: look at the topic before sending again."),
    ExitCode(6, "fenced", "fenced: another instance with this identity took over", "Let the other instance work, or stop it; give each instance an identity of its own."),
    ExitCode(7, "position-gone", "the position is gone: retention, or the topic was made again", "Decide where to go on: another group, or -o beginning with a new one; what is gone was not read."),
    ExitCode(8, "unreachable", "no broker reached, no such topic, or not authorised", "Check -b, the topic's name and the rights the message names."),
    ExitCode(9, "stop-not-reached", "the stop condition (-c, -e, --until) was not reached within --timeout", "Raise --timeout, or look for why records do not come: an open transaction, no producer."),
    ExitCode(10, "not-met", "the guarantee is not met (--strict, check, verify)", "The message names each condition that is missing and the setting to change."),
    ExitCode(130, "interrupted", "interrupted by SIGINT, settled first", "Run it again; it goes on where it settled."),
    ExitCode(141, "reader-gone", "the reader of stdout went away with a group involved: the batch that failed is not committed", "Run it again; the batch is read again."),
    ExitCode(143, "interrupted", "interrupted by SIGTERM, settled first", "Run it again; it goes on where it settled."),
)  # fmt: skip

_OUTCOMES = {row.code: row.outcome for row in EXIT_CODES}


def outcome_of(code: int) -> str:
    """The name that `--report` gives an exit code; any other signal's code is `interrupted`, too."""
    return _OUTCOMES.get(code, "interrupted")


class KdgError(Exception):
    """What went wrong, with the value, and what to do next. `exit_code` is how the run ends if nothing settles it.

    `hint` is printed on lines of its own below the message.
    """

    exit_code: int = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(KdgError):
    """Wrong usage or contradictory configuration; nothing was sent."""

    exit_code = 2


class Undelivered(KdgError):
    """Some records were not delivered, or it is unknown whether they were."""

    exit_code = 3


class Aborted(KdgError):
    """Nothing of the last transaction is visible; running it again is safe."""

    exit_code = 4


class OutcomeUnknown(KdgError):
    """The last commit may or may not have taken effect."""

    exit_code = 5


class NoAnswer(KdgError):
    """A call of the client library has not returned and may still act: nothing more can be done in this process."""

    exit_code = 5


class Fenced(KdgError):
    """Another instance with this identity took over."""

    exit_code = 6


class PositionGone(KdgError):
    """Retention took the position, or the topic was made again."""

    exit_code = 7


class Unreachable(KdgError):
    """No broker reached, no such topic, or not authorised."""

    exit_code = 8


class StopNotReached(KdgError):
    """`-c`, `-e` or `--until` was not reached within `--timeout`."""

    exit_code = 9


class NotMet(KdgError):
    """The guarantee is not met: `--strict`, `check`, `verify`."""

    exit_code = 10


class Interrupted(KdgError):
    """A signal ended the run; what was open is settled."""

    def __init__(self, signum: int) -> None:
        super().__init__(f"interrupted by {signal.Signals(signum).name}")
        self.signum = signum
        self.exit_code = 128 + signum


class ReaderGone(KdgError):
    """The reader of stdout went away (EPIPE)."""

    exit_code = 141
