"""Owns what a run reports at its end: the error, the summary line, the file of `--report`, and the exit code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from kdg.core.progress import Counts
from kdg.core.records import Offsets
from kdg.errors import KdgError, ReaderGone, UsageError, outcome_of
from kdg.runs.plan import Plan
from kdg.runtime.opening import is_pipe, open_for_last_words
from kdg.text.plain import printable
from kdg.text.words import plural

SHOWN_POSITIONS = 4
PIPE_SECONDS = 2.0
"""How long a report waits for a reader, if its file is a pipe."""


@dataclass(slots=True)
class Outcome:
    """What a run did. what: the middle part of the summary. signum: the signal that ended the run, or None."""

    plan: Plan
    what: str = ""
    counts: Counts = field(default_factory=Counts)
    undelivered: int = 0
    unconfirmed: int = 0
    positions: Offsets = field(default_factory=dict)
    seconds: float = 0.0
    error: KdgError | None = None
    signum: int | None = None

    @property
    def exit_code(self) -> int:
        """The exit code of the run. An error outweighs a signal; a signal outweighs success."""
        if self.error is not None:
            return self.error.exit_code
        return 0 if self.signum is None else 128 + self.signum


def conclude(outcome: Outcome) -> None:
    """Print the error and the summary, and write the report."""
    if outcome.error is not None:
        print_error(outcome.error)
    if not outcome.plan.quiet and outcome.what:
        sys.stderr.write(printable(summary(outcome)) + "\n")
    sys.stderr.flush()
    if outcome.plan.report is not None:
        _write_report(outcome.plan.report, as_report(outcome))


def print_error(error: KdgError) -> None:
    """Print the message of an error, and below it the hint."""
    sys.stderr.write(f"kdg: {printable(str(error))}\n")
    if error.hint:
        sys.stderr.write(f"     {printable(error.hint)}\n")
    sys.stderr.flush()


def summary(outcome: Outcome) -> str:
    """One line: what happened, where the positions are, and how long it took."""
    parts = [outcome.what]
    places = positions_text(outcome.positions)
    if places:
        parts.append(places)
    if outcome.signum is not None and outcome.error is None:
        parts.append("interrupted")
    parts.append(f"{outcome.seconds:.1f} s")
    separator = "; " if ";" in outcome.what or places else ", "
    return f"{outcome.plan.guarantee.name}: {separator.join(parts)}"


def positions_text(positions: Offsets) -> str:
    """`orders[0] at 5, orders[1] at 7 and 6 more`."""
    places = [f"{topic}[{partition}] at {offset}" for (topic, partition), offset in sorted(positions.items())]
    more = f" and {len(places) - SHOWN_POSITIONS} more" if len(places) > SHOWN_POSITIONS else ""
    return ", ".join(places[:SHOWN_POSITIONS]) + more


def transactions_text(outcome_counts: Counts) -> str:
    """`, 3 transactions, 1 aborted` or nothing."""
    aborted = f", {outcome_counts.aborted} aborted" if outcome_counts.aborted else ""
    return f", {plural(outcome_counts.committed, 'transaction')}{aborted}"


def as_report(outcome: Outcome) -> Mapping[str, object]:
    """The fields of `--report`."""
    positions: dict[str, dict[str, int]] = {}
    for (topic, partition), offset in sorted(outcome.positions.items()):
        positions.setdefault(topic, {})[str(partition)] = offset
    counts = outcome.counts
    return {
        "guarantee": outcome.plan.guarantee.name,
        "command": outcome.plan.command,
        "outcome": outcome_of(outcome.exit_code),
        "exit_code": outcome.exit_code,
        "read": counts.read,
        "written": counts.written,
        "undelivered": outcome.undelivered,
        "unconfirmed": outcome.unconfirmed,
        "duplicates_dropped": counts.dropped,
        "transactions": {"committed": counts.committed, "aborted": counts.aborted},
        "positions": positions,
        "seconds": round(outcome.seconds, 3),
    }


def _write_report(path: str, report: Mapping[str, object]) -> None:
    write_file(path, json.dumps(report) + "\n")


def write_file(path: str, text: str, flag: str = "--report") -> None:
    """Write the file of an option such as --report; `-` is stderr.

    An error is printed and changes nothing: the run is over.
    """
    if path == "-":
        sys.stderr.write(text)
        sys.stderr.flush()
        return
    try:
        descriptor = open_for_last_words(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PIPE_SECONDS)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as exc:
        print_error(
            UsageError(
                f"{flag} {path} cannot be written: {exc.strerror}.",
                "The run itself is over; its summary is above.",
            )
        )


def check_report(path: str | None, flag: str = "--report") -> None:
    """Raises UsageError if the report cannot be written; called before anything is sent."""
    if path is None or path == "-":
        return
    try:
        if not is_pipe(path):  # a reader of a pipe would take an open and a close for the whole report
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666))
    except OSError as exc:
        raise UsageError(f"{flag} {path} cannot be written: {exc.strerror}.", "Choose another file.") from exc


def reader_gone_is_fine(error: KdgError | None, *, group: bool) -> KdgError | None:
    """No error if the reader of stdout has read enough (`| head`) and no position outlives the run."""
    return None if isinstance(error, ReaderGone) and not group else error
