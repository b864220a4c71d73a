"""Owns the numbers of one run: what it has done so far, when it ends by itself, and where it is to crash. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from kdg.core.guarantees import Step


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


@dataclass(slots=True)
class Counts:
    """What this run did, in records, except: committed, aborted (transactions) and commits (commits of a position).

    pending_read, pending_written, pending_dropped: handed out, written or dropped since the last settling; settling
    adds them to read, written and dropped. in_doubt: the outcome of one transaction is not known yet.
    """

    read: int = 0
    written: int = 0
    pending_read: int = 0
    pending_written: int = 0
    pending_dropped: int = 0
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

    def forget(self) -> None:
        """The pending records will be read again."""
        self.pending_read = self.pending_written = self.pending_dropped = 0
