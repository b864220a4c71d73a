"""Owns `pipe -- CMD`: a batch as lines on CMD's stdin, the records on its stdout in its place, settled as that batch.

JSON lines by default, so that keys, headers and timestamps survive `grep`, `head`, `jq -c`. With `--lines`, bare values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kdg.core.records import Batch
from kdg.errors import KdgError, UsageError
from kdg.formats import Decoder, Encoder
from kdg.runtime.child import BatchCommand, Span, spans_of

DELIMITER = b"\n"
READS = frozenset({"topics", "partitions", "offsets"})


@dataclass(frozen=True, slots=True)
class CommandFilter:
    """A Filter of the pump. ok: the exit statuses that are fine (`--ok-exit`). bare: values alone, which cannot hold the delimiter."""

    command: BatchCommand
    encoder: Encoder
    decoder: Decoder
    ok: frozenset[int]
    bare: bool

    def __call__(self, batch: Batch) -> Batch:
        """What CMD makes of the batch. Raises KdgError for a status that is not fine and for output that is no record."""
        if not len(batch):
            return batch
        spans = spans_of([batch])
        data = self.encoder.encode(batch)
        if self.bare and data.count(DELIMITER) != len(batch):
            raise _splits(batch)
        status, output = self.command.run(data, spans)
        if status not in self.ok:
            raise self._failed(status, spans)
        return self._decoded(output, spans)

    def _failed(self, status: int, spans: Sequence[Span]) -> KdgError:
        fine = ",".join(map(str, sorted({*self.ok, status})))
        advice = f" If that is no failure (grep: nothing matched), add --ok-exit {fine}." if status > 0 else ""
        told = self.command.failed(status, spans, "nothing of this batch is settled")
        return KdgError(told, f"Mend the command and run it again.{advice}")

    def _decoded(self, output: bytes, spans: Sequence[Span]) -> Batch:
        records = output.split(DELIMITER)
        if not records[-1]:
            records.pop()
        if not records:
            return Batch()
        try:
            return self.decoder.decode(records, 1)
        except UsageError as exc:
            told = f"{self.command.argv[0]} wrote for {spans[0].topic}[{spans[0].partition}] offset {spans[0].first} and on what is no record: {exc}"
            raise KdgError(told.rstrip(".") + "; nothing of this batch is settled.", "It gets JSON lines and has to write JSON lines; --lines is for commands of bare values.") from exc  # fmt: skip


def _splits(batch: Batch) -> KdgError:
    where = next(number for number, value in enumerate(batch.values) if value is not None and DELIMITER in value)
    topics, partitions, offsets = batch.topics or (), batch.partitions or (), batch.offsets or ()
    return KdgError(
        f"{topics[where]}[{partitions[where]}] offset {offsets[where]}: the value holds a newline and would become two records with --lines; nothing of this batch is settled.",
        "Leave --lines out: as JSON any value is one line.",
    )
