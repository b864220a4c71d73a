"""Destinations outside Kafka, one module each. Each is a Target (kdg/core/ports.py).

Modules:

    stdout            no option: records are printed
    file              `--output FILE`; a last record that a crash tore is cut off here, and moved to FILE.torn
    journal           `--output FILE` under exactly-once; what its journal FILE.kdg does not count is cut off
    locked_file       what file and journal share: one process at a time appends to the file, and may cut it back
    sqlite            `--sqlite FILE`; sqlite_table: the columns, and how a record becomes a row
    command           `-- CMD`: a command that gets each batch
    kept_positions    the positions that journal and sqlite store together with the records, for exactly-once
    undelivered       `--undelivered FILE` of produce
"""

from __future__ import annotations

from dataclasses import dataclass

from kdg.core.ports import Target, Work
from kdg.core.records import Batch


@dataclass(frozen=True, slots=True)
class AtOnce:
    """Flushes a Target after each batch. For at-most-once, whose cycle flushes only at the end of the run."""

    target: Target

    def write(self, batch: Batch) -> Work[None]:
        """See Target."""
        for work in (self.target.write(batch), self.target.flush()):
            if work is not None:
                yield from work

    def flush(self) -> Work[None] | None:
        """See Target."""
        return self.target.flush()

    def close(self) -> None:
        """See Target."""
        self.target.close()
