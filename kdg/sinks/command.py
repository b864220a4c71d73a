"""Owns `consume ... -- CMD`: the batch goes to CMD's stdin, and counts as written when CMD exits with 0."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from kdg.core.records import Batch
from kdg.errors import Interrupted, KdgError
from kdg.formats import Encoder
from kdg.runtime.child import BatchCommand, spans_of

READS = frozenset({"topics", "partitions", "offsets"})
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0


@dataclass(slots=True)
class CommandSink:
    """A Target. outcome: what a message says of a batch that failed; retries: how often it is tried again."""

    command: BatchCommand
    encoder: Encoder
    outcome: str
    retries: int = 0
    note: Callable[[str], None] = lambda _line: None
    _batches: list[Batch] = field(default_factory=list)

    def write(self, batch: Batch) -> None:
        """See Target: kept for the command, at most 8 MB and one READ (DESIGN.md section 2)."""
        if len(batch):
            self._batches.append(batch)

    def flush(self) -> None:
        """See Target. Raises KdgError with the command's status when it does not exit with 0."""
        if not self._batches:
            return
        data = b"".join([self.encoder.encode(batch) for batch in self._batches])
        spans = spans_of(self._batches)
        self._batches = []
        pause = FIRST_PAUSE
        for left in range(self.retries, -1, -1):
            status, _ = self.command.run(data, spans)
            if status == 0:
                return
            if left:
                self.note(self.command.failed(status, spans, f"tried again in {pause:g} s"))
                self._wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
        hint = "Mend the command and run it again; --retry N tries a batch again, and KDG_BATCH tells the command which it is."
        raise KdgError(self.command.failed(status, spans, self.outcome), hint)

    def _wait(self, seconds: float) -> None:
        """The pause before the next try, cut short by a signal."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self.command.deadline.signals.received is not None:
                raise Interrupted(self.command.deadline.signals.received)
            time.sleep(min(left, 0.1))

    def close(self) -> None:
        """Nothing is held: the command of a batch has ended with it."""
