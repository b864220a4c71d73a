"""Owns the exit codes, and the errors that carry them. No other module decides how kdg ends.

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

The errors of the client library are translated into these where they are raised (kdg/kafka/errors.py).
"""

from __future__ import annotations

import signal
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExitCode:
    """One line of the table of exit codes, which users and scripts rely on.

    code: the number. outcome: its name in `--report`. meaning: what happened. advice: what to do next.
    """

    code: int
    outcome: str
    meaning: str
    advice: str


_AGAIN = (
    "Run again: with a group or --resume the run continues where it settled. Without, `produce` sends its input from "
    "the beginning, and the records of this run are there twice: use --resume NAME."
)

EXIT_CODES = (
    ExitCode(
        0,
        "held",
        "the guarantee held for everything that was asked (also: the reader of stdout went away, without a group)",
        "Nothing.",
    ),
    ExitCode(
        1,
        "failed",
        "an error that has no code of its own, such as an output that cannot be written; nothing of the failed batch "
        "was committed (at-most-once: the failed batch may be lost)",
        "Fix what the message names, and run again.",
    ),
    ExitCode(
        2,
        "usage",
        "wrong usage, or a configuration that contradicts itself; nothing was sent",
        "Change what the message names.",
    ),
    ExitCode(
        3,
        "undelivered",
        "some records were not delivered, or it is unknown whether they were",
        "Send the records in the file of --undelivered again. At-least-once may duplicate those of unknown outcome.",
    ),
    ExitCode(
        4,
        "aborted",
        "aborted: nothing of the last transaction is visible, and running again is safe",
        "Run again.",
    ),
    ExitCode(
        5,
        "unknown",
        "outcome unknown: the last commit may or may not have taken effect; with an identity (--resume, a group) "
        "the next run finds out and settles it",
        "With --resume or a group: run again. Without: look at the topic before you send again.",
    ),
    ExitCode(
        6,
        "fenced",
        "fenced: another instance with this identity took over",
        "Let the other instance work, or stop it. Give each instance its own identity.",
    ),
    ExitCode(
        7,
        "position-gone",
        "the position is gone: the records there have expired or were replaced after an unclean leader election, or "
        "the topic was deleted and created again",
        "Decide where to go on: another group, or -o beginning with a new one. The records in between were not read.",
    ),
    ExitCode(
        8,
        "unreachable",
        "no broker was reached, the topic does not exist, or access was denied",
        "Check -b, the name of the topic, and the rights that the message names.",
    ),
    ExitCode(
        9,
        "stop-not-reached",
        "the stop condition (-c, -e, --until) was not reached within --timeout",
        "Raise --timeout, or find out why no records come: a transaction that is still open, or no producer.",
    ),
    ExitCode(
        10,
        "not-met",
        "the guarantee is not met (--strict, check, verify)",
        "The message names each condition that is not met, and the setting to change.",
    ),
    ExitCode(
        129,
        "interrupted",
        "interrupted by SIGHUP, because its terminal was closed, after settling",
        _AGAIN,
    ),
    ExitCode(
        130,
        "interrupted",
        "interrupted by SIGINT, after settling",
        _AGAIN,
    ),
    ExitCode(
        141,
        "reader-gone",
        "the reader of stdout went away, with a group: the batch that failed is not committed",
        "Run again: the batch is read again.",
    ),
    ExitCode(
        143,
        "interrupted",
        "interrupted by SIGTERM, after settling",
        _AGAIN,
    ),
)

_OUTCOMES = {row.code: row.outcome for row in EXIT_CODES}


def outcome_of(code: int) -> str:
    """The name of an exit code in `--report`. A code that is not in the table comes from a signal: `interrupted`."""
    return _OUTCOMES.get(code, "interrupted")


class KdgError(Exception):
    """An error that ends a run. The message says what is wrong, with the value; the hint says what to do next.

    hint: printed below the message, on its own lines. exit_code: how the run ends, unless a port's error is undone.
    """

    exit_code: int = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(KdgError):
    """Wrong usage, or a configuration that contradicts itself; nothing was sent."""

    exit_code = 2


class Undelivered(KdgError):
    """Some records were not delivered, or it is unknown whether they were."""

    exit_code = 3


class Aborted(KdgError):
    """Nothing of the last transaction is visible; running again is safe."""

    exit_code = 4


class OutcomeUnknown(KdgError):
    """The last commit may or may not have taken effect."""

    exit_code = 5


class NoAnswer(KdgError):
    """A call of the client library has not returned, and may still act. This process can do nothing more about it."""

    exit_code = 5


class Fenced(KdgError):
    """Another instance with this identity took over."""

    exit_code = 6


class PositionGone(KdgError):
    """The records at the position have expired or were replaced, or the topic was deleted and created again."""

    exit_code = 7


class Unreachable(KdgError):
    """No broker was reached, the topic does not exist, or access was denied."""

    exit_code = 8


class StopNotReached(KdgError):
    """`-c`, `-e` or `--until` was not reached within `--timeout`."""

    exit_code = 9


class NotMet(KdgError):
    """The guarantee is not met: `--strict`, `check`, `verify`."""

    exit_code = 10


class Interrupted(KdgError):
    """A signal ended the run, after the open batch was settled. signum: the signal, such as signal.SIGINT."""

    def __init__(self, signum: int) -> None:
        super().__init__(f"interrupted by {signal.Signals(signum).name}")
        self.signum = signum
        self.exit_code = 128 + signum


class ReaderGone(KdgError):
    """The reader of stdout went away: writing failed with EPIPE."""

    exit_code = 141
