"""Owns the question when a batch is due. Pure: the caller passes the time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Interval:
    """When a batch has to be settled: when it is large or old enough, or when no more records come.

    max_records, max_bytes: the size of a full batch. max_seconds: its greatest age. idle_seconds: how long it waits for
    more records. records, size: what is in it now, in records and bytes. began: when the first record came; None if
    there is none. last: when the latest came. All times are seconds of one clock; which clock does not matter.
    """

    max_records: int
    max_seconds: float
    max_bytes: int = 8_000_000
    idle_seconds: float = 0.05
    records: int = 0
    size: int = 0
    began: float | None = None
    last: float = 0.0

    def add(self, records: int, size: int, now: float) -> None:
        """Count the records and bytes that a READ brought at this time."""
        if self.began is None:
            self.began = now
        self.records += records
        self.size += size
        self.last = now

    def reset(self) -> None:
        """Begin the next batch."""
        self.records = self.size = 0
        self.began = None

    @property
    def room(self) -> int:
        """How many records fit in; at least one, because a READ of nothing could not be told from silence."""
        return max(self.max_records - self.records, 1)

    def wait(self, now: float) -> float | None:
        """Seconds until the batch is due, 0 or less if it is due now; None if nothing is in it."""
        if self.began is None:
            return None
        if self.records >= self.max_records or self.size >= self.max_bytes:
            return 0.0
        return min(self.began + self.max_seconds, self.last + self.idle_seconds) - now

    def due(self, now: float) -> bool:
        """Whether the batch has to be settled now."""
        wait = self.wait(now)
        return wait is not None and wait <= 0
