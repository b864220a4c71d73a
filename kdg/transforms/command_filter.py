"""Owns `pipe -- CMD`: CMD gets each batch as lines on its stdin, and the records it prints replace the batch.

JSON lines by default, so that keys, headers and timestamps survive `grep`, `head` and `jq -c`. With `--lines`, CMD gets
values only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kdg.core.ports import Work
from kdg.core.records import Batch
from kdg.errors import KdgError, UsageError
from kdg.formats import Decoder, Encoder
from kdg.runtime.child import BatchCommand, Span, name_spans, spans_of

DELIMITER = b"\n"
READS = frozenset({"topics", "partitions", "offsets"})


@dataclass(frozen=True, slots=True)
class CommandFilter:
    """A Filter of the pump.

    ok: the exit statuses that count as success (`--ok-exit`). bare: values only (`--lines`), one a line.
    """

    command: BatchCommand
    encoder: Encoder
    decoder: Decoder
    ok: frozenset[int]
    bare: bool

    def __call__(self, batch: Batch) -> Work[Batch]:
        """The records that CMD prints. Raises KdgError for a failed CMD and for output that is not a record."""
        if not len(batch):
            return batch
        spans = spans_of([batch])
        data = self.encoder.encode(batch)
        if self.bare and data.count(DELIMITER) != len(batch):
            raise _has_newline(batch)
        status, output = yield from self.command.run(data, spans)
        if status not in self.ok:
            raise self._failed(status, spans)
        return self._decoded(output, spans)

    def _failed(self, status: int, spans: Sequence[Span]) -> KdgError:
        accepted = ",".join(map(str, sorted({*self.ok, status})))
        advice = f" If that is not a failure (grep: nothing matched), add --ok-exit {accepted}." if status > 0 else ""
        failure = self.command.describe_failure(status, spans, "nothing of this batch is settled")
        return KdgError(failure, f"Fix the command and run it again.{advice}")

    def _decoded(self, output: bytes, spans: Sequence[Span]) -> Batch:
        records = output.split(DELIMITER)
        if not records[-1]:
            records.pop()
        if not records:
            return Batch()
        try:
            batch = self.decoder.decode(records, 1)
        except UsageError as exc:
            topic, partition, first, _last = spans[0]
            name = self.command.argv[0]
            raise KdgError(
                f"{name} printed for {topic}[{partition}], offset {first} and on, what is not a record: "
                f"{str(exc).rstrip('.')}; nothing of this batch is settled.",
                "CMD gets JSON lines and has to print JSON lines. "
                + ("jq prints one record a line with -c. " if Path(name).name == "jq" else "")
                + "If it works on plain values, add --lines.",
            ) from exc
        # One record of the batch may have become none or many: which one this was, only the command knows.
        batch.source = partial(_made_of, f"by {self.command.argv[0]} from {name_spans(spans)}")
        return batch


def _made_of(spans: str, index: int) -> str:
    return f"record {index + 1} printed {spans}"


def _has_newline(batch: Batch) -> KdgError:
    where = next(number for number, value in enumerate(batch.values) if value is not None and DELIMITER in value)
    topics, partitions, offsets = batch.topics or (), batch.partitions or (), batch.offsets or ()
    return KdgError(
        f"{topics[where]}[{partitions[where]}] offset {offsets[where]}: the value contains a newline; "
        "with --lines it would become two records. Nothing of this batch is settled.",
        "Leave --lines out: as JSON, every value is one line.",
    )
