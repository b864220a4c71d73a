"""Owns what the unit tests of sinks share: how to open each sink in a folder, records to write, what a reader finds."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from kdg.core.destinations import DestinationKind
from kdg.core.ports import Sink, Target, Work, carry_out
from kdg.core.records import Batch, Origin, Position
from kdg.formats.lines import LineEncoder
from kdg.runtime.child import BatchCommand
from kdg.runtime.deadline import Deadline, NoSignals
from kdg.runtime.signals import Signals
from kdg.sinks.command import CommandSink
from kdg.sinks.file import FileSink
from kdg.sinks.journal import JournaledFile
from kdg.sinks.sqlite import SqliteSink
from kdg.sinks.stdout import Stdout

ORIGIN = Origin("cluster", {"t": "id-of-t"})
NO_LIMIT = Deadline(NoSignals())


class Quiet(Signals):
    """No signal ever comes, and every descriptor is ready."""

    def __init__(self) -> None:
        self.received = None

    def wait_for(self, descriptor: int, timeout: float, *, writing: bool = False) -> bool:
        return True


def batch(*values: bytes | None, first: int = 0) -> Batch:
    """Records of t[0]; the first has the offset `first`."""
    count = len(values)
    return Batch(
        values=list(values),
        keys=[None] * count,
        headers=[[]] * count,
        timestamps=[1] * count,
        topics=["t"] * count,
        partitions=[0] * count,
        offsets=list(range(first, first + count)),
    )


def at(offset: int) -> list[Position]:
    """A position in t[0]."""
    return [Position("t", 0, offset)]


def done(work: Work[None] | None) -> None:
    """Carry out what a sink returned, if it is work."""
    if work is not None:
        carry_out(work)


def committed(sink: Sink, *values: bytes, first: int = 0) -> None:
    """A whole transaction with records of t[0]."""
    sink.begin()
    done(sink.write(batch(*values, first=first)))
    done(sink.flush())
    sink.record(at(first + len(values)))
    sink.commit()


def lines_of(path: Path) -> list[bytes]:
    """The whole lines of a file."""
    return path.read_bytes().split(b"\n")[:-1] if path.exists() else []


def rows_of(path: Path, table: str = "records") -> list[bytes]:
    """The values of a table, in the order in which they were written."""
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute(f"SELECT value FROM {table} ORDER BY rowid")]  # noqa: S608


def _no_sink() -> Sink:
    raise NotImplementedError("this place stores no positions")


@dataclass
class Place:
    """Where a sink writes. open: makes a sink there. found: the values that a reader finds.

    unopened: makes a sink whose `open(origin)` is still to be called, for those that store positions.
    """

    kind: DestinationKind
    open: Callable[[], Target]
    found: Callable[[], list[bytes]]
    held: bool = False
    """Whether a record may be invisible until flush."""
    unopened: Callable[[], Sink] = _no_sink


def in_stdout(folder: Path) -> Place:
    """Stdout, redirected to a file."""

    def opened() -> Stdout:
        descriptor = os.open(folder / "out", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        return Stdout(LineEncoder(), Quiet(), durable=True, descriptor=descriptor)

    return Place(DestinationKind.STDOUT, opened, lambda: lines_of(folder / "out"))


def in_file(folder: Path) -> Place:
    """`--output` without a journal."""

    def opened() -> FileSink:
        sink = FileSink(folder / "out", LineEncoder())
        sink.open()
        return sink

    return Place(DestinationKind.FILE, opened, lambda: lines_of(folder / "out"))


def in_table(folder: Path) -> Place:
    """`--sqlite` without positions."""

    def opened() -> SqliteSink:
        sink = SqliteSink(folder / "db", "records", NO_LIMIT, keeps=False)
        sink.connect()
        return sink

    return Place(DestinationKind.SQLITE, opened, lambda: rows_of(folder / "db"), held=True)


def in_command(folder: Path) -> Place:
    """`-- CMD`."""
    argv = ["sh", "-c", 'cat >>"$0"', str(folder / "out")]

    def opened() -> CommandSink:
        return CommandSink(BatchCommand(argv, NO_LIMIT, captured=False), LineEncoder(), "nothing is committed")

    return Place(DestinationKind.COMMAND, opened, lambda: lines_of(folder / "out"), held=True)


def in_journaled_file(folder: Path) -> Place:
    """`--output` under exactly-once."""

    def unopened() -> JournaledFile:
        return JournaledFile(folder / "out", LineEncoder())

    def opened() -> JournaledFile:
        sink = unopened()
        sink.open(ORIGIN)
        return sink

    return Place(DestinationKind.FILE, opened, lambda: lines_of(folder / "out"), unopened=unopened)


def in_table_with_positions(folder: Path) -> Place:
    """`--sqlite` under exactly-once."""

    def unopened() -> SqliteSink:
        sink = SqliteSink(folder / "db", "records", NO_LIMIT, keeps=True)
        sink.connect()
        return sink

    def opened() -> SqliteSink:
        sink = unopened()
        sink.open(ORIGIN)
        return sink

    return Place(DestinationKind.SQLITE, opened, lambda: rows_of(folder / "db"), unopened=unopened)


@dataclass
class Opened:
    """A context manager: opens a sink, and closes it at the end."""

    place: Place
    sinks: list[Target] = field(default_factory=list)

    def __enter__(self) -> Sink:
        self.sinks.append(self.place.open())
        return self.sinks[-1]  # type: ignore[return-value]  # a Sink where the test needs one, else used as a Target

    def __exit__(self, *_exc: object) -> None:
        for sink in self.sinks:
            sink.close()
