"""Where records end: one module a sink, each a Target (kdg/core/ports.py); those that exactly-once can end in are Sinks."""

from __future__ import annotations

from dataclasses import dataclass

from kdg.core.ports import Target
from kdg.core.records import Batch


@dataclass(frozen=True, slots=True)
class AtOnce:
    """A Target whose every batch is where it belongs when `write` returns: for a cycle that flushes at its end alone."""

    target: Target

    def write(self, batch: Batch) -> None:
        """See Target."""
        self.target.write(batch)
        self.target.flush()

    def flush(self) -> None:
        """See Target."""
        self.target.flush()

    def close(self) -> None:
        """See Target."""
        self.target.close()
