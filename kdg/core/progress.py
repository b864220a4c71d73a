"""Owns the numbers of one run: what it has done so far, when it ends by itself, and where it is to crash. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from kdg.core.guarantees import Step
from kdg.errors import Aborted, KdgError, StopNotReached


@dataclass(frozen=True, slots=True)
class CrashAt:
    """Kill this process with SIGKILL after the Nth time of a step (`--crash-at STEP:N`)."""

    step: Step
    times: int = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """When a run ends by itself; None means never.

    count: records to read. idle_timeout: seconds without a new record. timeout: seconds until the run has failed to
    reach its stop condition. whole_within: seconds within which an input that is one transaction has to reach its end.
    """

    count: int | None = None
    idle_timeout: float | None = None
    timeout: float | None = None
    whole_within: float | None = None

    def remaining(self, counts: Counts) -> int | None:
        """How many records are still to be read; None if there is no limit."""
        return None if self.count is None else max(self.count - counts.read - counts.pending_read, 0)

    def silent(self, seconds: float) -> bool:
        """Whether a run without a record for this long has to end."""
        return self.idle_timeout is not None and seconds >= self.idle_timeout

    def overdue(self, elapsed: float) -> KdgError | None:
        """The error with which a run of this many seconds has to end, if it has to."""
        if self.timeout is not None and elapsed >= self.timeout:
            return StopNotReached(
                f"the stop condition was not reached within {self.timeout:g} s (--timeout).",
                "Raise --timeout, or find out why no records come: a transaction that is still open, or no producer.",
            )
        if self.whole_within is not None and elapsed >= self.whole_within:
            return Aborted(
                f"the end of the input was not reached within {self.whole_within:g} s, and one transaction cannot last "
                "longer; nothing of it is visible.",
                "Use --resume NAME for slow input, or -X transaction.timeout.ms=... (at most 15 min, unless the broker "
                "allows more).",
            )
        return None


@dataclass(slots=True)
class Counts:
    """What this run did, in records, except: committed, aborted (transactions) and commits (commits of a position).

    pending_read, pending_written, pending_dropped: handed out, written or dropped since the last settling; settling
    adds them to read, written and dropped. writing: records of the batch that is being written. in_doubt: the outcome
    of one transaction is not known yet.
    """

    read: int = 0
    written: int = 0
    pending_read: int = 0
    pending_written: int = 0
    pending_dropped: int = 0
    writing: int = 0
    committed: int = 0
    aborted: int = 0
    dropped: int = 0
    commits: int = 0
    in_doubt: bool = False

    def settle(self) -> None:
        """The pending records are settled."""
        self.read += self.pending_read
        self.written += self.pending_written
        self.dropped += self.pending_dropped
        self.pending_read = self.pending_written = self.pending_dropped = 0

    def stop_without(self, missing: int) -> None:
        """The run ends before it settles: of the pending records so many are not where they were to go."""
        self.written += max(self.pending_written + self.writing - missing, 0)
        self.pending_written = self.writing = 0
        self.settle()

    def forget(self) -> None:
        """The pending records will be read again."""
        self.pending_read = self.pending_written = self.pending_dropped = 0
