"""Owns `consume ... -- CMD`: CMD gets each batch on its stdin; the batch counts as written if CMD exits with 0."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from kdg.core.ports import WORK_SECONDS, Work
from kdg.core.records import Batch
from kdg.errors import Interrupted, KdgError
from kdg.formats import Encoder
from kdg.runtime.child import BatchCommand, spans_of

READS = frozenset({"topics", "partitions", "offsets"})
FIRST_PAUSE = 0.5
"""Seconds before the second try of a batch; doubled before each further try."""
LONGEST_PAUSE = 30.0


@dataclass(slots=True)
class CommandSink:
    """A Target.

    outcome: what a message says about a batch that failed. retries: how many more times a failed batch is tried
    (`--retry`). note: prints a line on stderr.
    """

    command: BatchCommand
    encoder: Encoder
    outcome: str
    retries: int = 0
    note: Callable[[str], None] = lambda _line: None
    _batches: list[Batch] = field(default_factory=list)

    def write(self, batch: Batch) -> None:
        """See Target: held until `flush`. A batch has at most 8 MB, plus one READ."""
        if len(batch):
            self._batches.append(batch)

    def flush(self) -> Work[None]:
        """See Target: run the command on the records. Raises KdgError if its exit status is not 0."""
        if not self._batches:
            return
        data = b"".join([self.encoder.encode(batch) for batch in self._batches])
        spans = spans_of(self._batches)
        self._batches = []
        pause = FIRST_PAUSE
        for left in range(self.retries, -1, -1):
            status, _ = yield from self.command.run(data, spans)
            if status == 0:
                return
            if left:
                self.note(self.command.describe_failure(status, spans, f"kdg tries again in {pause:g} s"))
                yield from self._wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
        hint = "Fix the command and run it again. --retry N tries a failed batch again; its offsets are in $KDG_BATCH."
        raise KdgError(self.command.describe_failure(status, spans, self.outcome), hint)

    def _wait(self, seconds: float) -> Work[None]:
        """The pause before the next try. Raises Interrupted when a signal comes."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self.command.deadline.signals.received is not None:
                raise Interrupted(self.command.deadline.signals.received)
            time.sleep(min(left, WORK_SECONDS))
            yield

    def close(self) -> None:
        """Nothing to give back: the command of the last batch has ended."""
