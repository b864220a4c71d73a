"""Owns the destination of consume: stdout, a file, a table or a command, as asked for and as the guarantee allows."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kdg.core.destinations import DestinationKind
from kdg.core.guarantees import Guarantee
from kdg.core.ports import Sink, Target
from kdg.errors import UsageError
from kdg.formats import Encoder
from kdg.runs.plan import Plan, ReadingPlan
from kdg.runs.session import Frame
from kdg.settings.options.reading import Output

if TYPE_CHECKING:
    from kdg.sinks.sqlite import SqliteSink

TABLE = "records"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where records go, as it was asked for. table: only for SQLite. cmd, retries: only for a command."""

    kind: DestinationKind
    output: str | None = None
    sqlite: str | None = None
    table: str = TABLE
    cmd: Sequence[str] = ()
    retries: int = 0

    @property
    def where(self) -> str:
        """What the summary adds to the number of records."""
        place = self.output or self.sqlite or (f"`{self.cmd[0]}`" if self.cmd else "")
        return f" to {place}" if place else ""


@dataclass(frozen=True, slots=True)
class OpenDestination:
    """A destination that is open.

    position_store: the target itself if it keeps the positions of the source, else None. columns: the columns of a
    Batch that the target reads. database: the target if it is a table.
    """

    target: Target
    columns: frozenset[str]
    position_store: Sink | None = None
    database: SqliteSink | None = None


def destination_of(typed: Output, cmd: Sequence[str]) -> Destination:
    """What was asked for. Raises UsageError for two destinations, and for an option that belongs to another one."""
    by_kind = {
        DestinationKind.FILE: typed.output,
        DestinationKind.SQLITE: typed.sqlite,
        DestinationKind.COMMAND: cmd,
    }
    asked = [kind for kind, value in by_kind.items() if value]
    if len(asked) > 1:
        raise UsageError(
            f"{' and '.join(kind.flag for kind in asked)} both say where records go.", "Choose one destination."
        )
    kind = asked[0] if asked else DestinationKind.STDOUT
    table = typed.table
    if table is not None and kind is not DestinationKind.SQLITE:
        raise UsageError("--table names a table, and there is no --sqlite FILE.", "Add --sqlite FILE, or drop --table.")
    if typed.retry is not None and kind is not DestinationKind.COMMAND:
        raise UsageError("--retry tries a command again, and there is none.", "Add -- CMD, or drop --retry.")
    if table is not None and (not table or table.lower().startswith(("sqlite_", "kdg_"))):
        raise UsageError(f"--table {table!r} is not a name for a table of records.", "Choose another name.")
    check_command(cmd)
    return Destination(kind, typed.output, typed.sqlite, table or TABLE, tuple(cmd), typed.retry or 0)


def check_command(cmd: Sequence[str]) -> None:
    """Raises UsageError for a command that cannot be found, before anything is read."""
    if cmd and shutil.which(cmd[0]) is None:
        raise UsageError(f"-- {cmd[0]}: no such command.", "Check its name and path.")


def refuse_destination(guarantee: Guarantee, kind: DestinationKind, group: str | None) -> None:
    """Raises UsageError if the guarantee cannot hold with a position in a group and records at this destination."""
    if group is None or kind in guarantee.destinations:
        return
    what = "the bytes in the pipe" if kind is DestinationKind.STDOUT else "what CMD does"
    instead = " or ".join(other.flag for other in DestinationKind if other in guarantee.destinations)
    raise UsageError(
        f"{guarantee.name} cannot end at {kind.flag} with a group: "
        f"the position in the group and {what} cannot be kept together.",
        f"Use {instead}, or `kdg pipe` to a topic. Or drop -G: then each run hands out each record once, and no "
        "position is stored. Or use -g at-least-once --dedup-by position.",
    )


def open_destination(frame: Frame, destination: Destination, reading: ReadingPlan, encoder: Encoder) -> OpenDestination:
    """Open a destination. Raises UsageError if it cannot be written, Fenced if another instance writes to it."""
    opened = _OPEN[destination.kind](frame, destination, reading, encoder)
    frame.closing.callback(opened.target.close)
    return opened


def _stdout(frame: Frame, _destination: Destination, reading: ReadingPlan, encoder: Encoder) -> OpenDestination:
    in_group = reading.group is not None
    target = frame.surroundings.stdout(encoder, frame.signals, in_group, frame.deadline)
    if in_group and target.is_pipe and not frame.plan.guarantee.may_lose:
        frame.plan.note(
            "records in the pipe are lost if its reader dies: the guarantee ends at the file descriptor; "
            "with -- CMD, a batch is committed when CMD exits with 0"
        )
    return OpenDestination(target, encoder.columns)


def _file(frame: Frame, destination: Destination, _reading: ReadingPlan, encoder: Encoder) -> OpenDestination:
    path = Path(str(destination.output))
    if frame.plan.guarantee.transactional:
        from kdg.sinks.journal import JournaledFile

        sink = JournaledFile(path, encoder)
        return OpenDestination(sink, encoder.columns, position_store=sink)
    from kdg.sinks.file import FileSink

    target = FileSink(path, encoder, frame.plan.note, frame.plan.guarantee.commits_first)
    target.open()
    return OpenDestination(target, encoder.columns)


def _sqlite(frame: Frame, destination: Destination, _reading: ReadingPlan, _encoder: Encoder) -> OpenDestination:
    from kdg.sinks.sqlite import SqliteSink
    from kdg.sinks.sqlite_table import READS

    guarantee = frame.plan.guarantee
    sink = SqliteSink(Path(str(destination.sqlite)), destination.table, frame.deadline, keeps=guarantee.transactional)
    sink.connect()
    target = _at_once(frame.plan, sink)
    return OpenDestination(target, READS, position_store=sink if guarantee.transactional else None, database=sink)


def _command(frame: Frame, destination: Destination, _reading: ReadingPlan, encoder: Encoder) -> OpenDestination:
    from kdg.sinks.command import READS, CommandSink

    guarantee = frame.plan.guarantee
    outcome = "the batch is lost" if guarantee.commits_first else "nothing of this batch is committed"
    command = frame.surroundings.command(destination.cmd, frame.deadline, captured=False)
    target = CommandSink(command, encoder, outcome, destination.retries, frame.plan.note)
    return OpenDestination(_at_once(frame.plan, target), encoder.columns | READS)


def _at_once(plan: Plan, target: Target) -> Target:
    """If the position is committed before the records are written, the target may not hold records back."""
    from kdg.sinks import AtOnce

    return AtOnce(target) if plan.guarantee.commits_first else target


_OPEN = {
    DestinationKind.STDOUT: _stdout,
    DestinationKind.FILE: _file,
    DestinationKind.SQLITE: _sqlite,
    DestinationKind.COMMAND: _command,
}
