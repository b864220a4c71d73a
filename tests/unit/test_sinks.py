"""The contract of every sink, and of those that keep positions: one set of tests runs over all of them. No Kafka."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kdg.core.destinations import DestinationKind
from kdg.core.ports import Sink, Target
from kdg.core.records import Batch, Origin, Position
from kdg.errors import Fenced, Interrupted, KdgError, PositionGone, ReaderGone, StopNotReached, UsageError
from kdg.formats.lines import LineEncoder
from kdg.runtime.child import BatchCommand
from kdg.runtime.deadline import Deadline, NoSignals
from kdg.runtime.signals import Signals
from kdg.sinks import AtOnce
from kdg.sinks.command import CommandSink
from kdg.sinks.file import FileSink
from kdg.sinks.journal import JournaledFile
from kdg.sinks.sqlite import SqliteSink
from kdg.sinks.stdout import Stdout

ORIGIN = Origin("cluster", {"t": "id-of-t"})
PATIENCE = Deadline(NoSignals())


class Quiet(Signals):
    """No signal, and every descriptor is ready."""

    def __init__(self) -> None:
        self.received = None

    def wait_for(self, descriptor: int, timeout: float, *, writing: bool = False) -> bool:
        return True


def batch(*values: bytes | None, first: int = 0) -> Batch:
    """Records of t[0] from an offset on."""
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
    return [Position("t", 0, offset)]


# ── one place to write to, for each sink ──


@dataclass
class Place:
    """Where a sink writes: how to open one there, and what a reader finds."""

    end: DestinationKind
    open: Callable[[], Target]
    found: Callable[[], list[bytes]]
    held: bool = False
    """Whether a record may be invisible until flush."""


def _stdout(folder: Path) -> Place:
    def opened() -> Stdout:
        descriptor = os.open(folder / "out", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        return Stdout(LineEncoder(), Quiet(), durable=True, descriptor=descriptor)

    return Place(DestinationKind.STDOUT, opened, lambda: lines_of(folder / "out"))


def _file(folder: Path) -> Place:
    def opened() -> FileSink:
        sink = FileSink(folder / "out", LineEncoder())
        sink.open()
        return sink

    return Place(DestinationKind.FILE, opened, lambda: lines_of(folder / "out"))


def _table(folder: Path) -> Place:
    def opened() -> SqliteSink:
        sink = SqliteSink(folder / "db", "records", PATIENCE, keeps=False)
        sink.connect()
        return sink

    return Place(DestinationKind.SQLITE, opened, lambda: rows_of(folder / "db"), held=True)


def _command(folder: Path) -> Place:
    argv = ["sh", "-c", 'cat >>"$0"', str(folder / "out")]

    def opened() -> CommandSink:
        return CommandSink(BatchCommand(argv, PATIENCE, captured=False), LineEncoder(), "nothing is committed")

    return Place(DestinationKind.COMMAND, opened, lambda: lines_of(folder / "out"), held=True)


def _journaled(folder: Path) -> Place:
    def opened() -> JournaledFile:
        sink = JournaledFile(folder / "out", LineEncoder())
        sink.open(ORIGIN)
        return sink

    return Place(DestinationKind.FILE, opened, lambda: lines_of(folder / "out"))


def _keeping(folder: Path) -> Place:
    def opened() -> SqliteSink:
        sink = SqliteSink(folder / "db", "records", PATIENCE, keeps=True)
        sink.connect()
        sink.open(ORIGIN)
        return sink

    return Place(DestinationKind.SQLITE, opened, lambda: rows_of(folder / "db"))


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().split(b"\n")[:-1] if path.exists() else []


def rows_of(path: Path, table: str = "records") -> list[bytes]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute(f"SELECT value FROM {table} ORDER BY rowid")]  # noqa: S608


TARGETS = {"stdout": _stdout, "file": _file, "sqlite": _table, "command": _command}
SINKS = {"journaled file": _journaled, "sqlite with positions": _keeping}


@pytest.fixture(params=TARGETS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return TARGETS[request.param](tmp_path)


@pytest.fixture(params=SINKS)
def keeping(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return SINKS[request.param](tmp_path)


@dataclass
class Opened:
    """A sink, closed at the end of the `with`."""

    place: Place
    sinks: list[Target] = field(default_factory=list)

    def __enter__(self) -> Sink:
        self.sinks.append(self.place.open())
        return self.sinks[-1]  # type: ignore[return-value]  # those of SINKS are Sinks; the others are used as Targets

    def __exit__(self, *_exc: object) -> None:
        for sink in self.sinks:
            sink.close()


def test_every_end_of_the_table_has_its_sink(tmp_path: Path) -> None:
    assert {make(tmp_path).end for make in TARGETS.values()} == set(DestinationKind)


# ── every sink ──


def test_what_was_written_and_flushed_is_there_in_order(place: Place) -> None:
    with Opened(place) as sink:
        sink.write(batch(b"1", b"2"))
        sink.write(batch())
        sink.write(batch(b"3", first=2))
        sink.flush()
        assert place.found() == [b"1", b"2", b"3"]
        sink.write(batch(b"4", first=3))
        sink.flush()
        sink.flush()
    assert place.found() == [b"1", b"2", b"3", b"4"]


def test_a_second_run_adds_to_what_is_there(place: Place) -> None:
    for number in range(2):
        with Opened(place) as sink:
            sink.write(batch(b"%d" % number, first=number))
            sink.flush()
    assert place.found() == [b"0", b"1"]


def test_what_was_not_flushed_is_not_half_there(place: Place) -> None:
    with Opened(place) as sink:
        sink.write(batch(b"1"))
        sink.flush()
        sink.write(batch(b"2", b"3", first=1))
    assert place.found() in ([[b"1"]] if place.held else [[b"1", b"2", b"3"]])


def test_written_at_once_where_the_position_is_committed_first(place: Place) -> None:
    sink = AtOnce(place.open())
    sink.write(batch(b"1"))
    assert place.found() == [b"1"]
    sink.close()


def test_a_full_disk_is_told_and_what_to_do(tmp_path: Path) -> None:
    for sink in (FileSink(Path("/dev/full"), LineEncoder()), Stdout(LineEncoder(), Quiet(), descriptor=os.open("/dev/full", os.O_WRONLY))):  # fmt: skip
        if isinstance(sink, FileSink):
            sink.open()
        with pytest.raises(KdgError, match=r"No space left on device.*not committed") as told:
            sink.write(batch(b"1"))
        assert told.value.exit_code == 1
        assert "Make room" in told.value.hint


# ── every sink that keeps positions ──


def committed(sink: Sink, *values: bytes, first: int = 0) -> None:
    sink.begin()
    sink.write(batch(*values, first=first))
    sink.flush()
    sink.record(at(first + len(values)))
    sink.commit()


def test_sink_keeps_records_and_positions_together(keeping: Place) -> None:
    """Records and positions are there together and a second run goes on after them."""
    with Opened(keeping) as sink:
        assert sink.stored() == {}
        committed(sink, b"1", b"2")
        assert keeping.found() == [b"1", b"2"]
    with Opened(keeping) as sink:
        assert sink.stored() == {("t", 0): 2}
        committed(sink, b"3", first=2)
        assert sink.stored() == {("t", 0): 3}
    assert keeping.found() == [b"1", b"2", b"3"]


@pytest.mark.parametrize("until", ["begin", "write", "flush", "record"])
@pytest.mark.parametrize("how", ["abort", "recycle", "close"])
def test_nothing_of_what_was_not_committed_stays(keeping: Place, until: str, how: str) -> None:
    steps: dict[str, Callable[[Sink], None]] = {
        "begin": lambda sink: sink.begin(),
        "write": lambda sink: sink.write(batch(b"2", b"3", first=1)),
        "flush": lambda sink: sink.flush(),
        "record": lambda sink: sink.record(at(3)),
    }
    with Opened(keeping) as sink:
        committed(sink, b"1")
        for name, step in steps.items():
            step(sink)
            if name == until:
                break
        getattr(sink, how)()
        if how != "close":
            assert sink.stored() == {("t", 0): 1}
            committed(sink, b"2", first=1)
    with Opened(keeping) as sink:
        assert sink.stored() == {("t", 0): 1 if how == "close" else 2}
        assert keeping.found() == ([b"1"] if how == "close" else [b"1", b"2"])


def test_a_start_is_kept_without_a_record(keeping: Place) -> None:
    with Opened(keeping) as sink:
        sink.keep(at(7))
    with Opened(keeping) as sink:
        assert sink.stored() == {("t", 0): 7}
        assert keeping.found() == []


def test_a_transaction_may_hold_positions_alone(keeping: Place) -> None:
    with Opened(keeping) as sink:
        sink.begin()
        sink.write(batch())
        sink.flush()
        sink.record(at(5))
        sink.commit()
    with Opened(keeping) as sink:
        assert sink.stored() == {("t", 0): 5}


def test_of_two_writers_at_most_one_gets_its_records_in(keeping: Place) -> None:
    with Opened(keeping) as sink:
        committed(sink, b"1")
        with pytest.raises(Fenced) as told:
            _second_writer(keeping, sink)
        assert told.value.hint
    assert keeping.found() in ([b"1"], [b"1", b"2"])


def _second_writer(keeping: Place, sink: Sink) -> None:
    with Opened(keeping) as other:
        assert other.stored() == {("t", 0): 1}
        committed(other, b"2", first=1)
        committed(sink, b"2", first=1)


@pytest.mark.parametrize("origin", [Origin("another", {"t": "id-of-t"}), Origin("cluster", {"t": "another"})], ids=str)
def test_another_cluster_and_a_topic_made_again_are_noticed(keeping: Place, origin: Origin) -> None:
    with Opened(keeping) as sink:
        committed(sink, b"1")
    sink = keeping.open()  # type: ignore[assignment]
    sink.close()
    fresh = JournaledFile(sink.path, LineEncoder()) if isinstance(sink, JournaledFile) else keeping.open()
    with pytest.raises(PositionGone):
        fresh.open(origin)  # type: ignore[attr-defined]
    fresh.close()
    assert keeping.found() == [b"1"]


def test_a_second_topic_joins_and_the_first_is_remembered(keeping: Place) -> None:
    with Opened(keeping) as sink:
        committed(sink, b"1")
    sink = keeping.open()  # type: ignore[assignment]
    sink.close()
    other = keeping.open() if isinstance(sink, SqliteSink) else JournaledFile(sink.path, LineEncoder())  # type: ignore[attr-defined]
    other.open(Origin("cluster", {"u": "id-of-u"}))  # type: ignore[attr-defined]
    other.keep([Position("u", 0, 4)])  # type: ignore[attr-defined]
    other.close()
    with Opened(keeping) as sink:
        assert sink.stored() == {("t", 0): 1, ("u", 0): 4}


# ── the file ──


@pytest.mark.parametrize("block", [3, 65_536])
def test_a_torn_last_record_is_moved_out_of_the_way_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr("kdg.sinks.file.BLOCK", block)
    path, notes, moved = tmp_path / "out", list[str](), b""
    for torn, whole in (
        (b"one||two||th", b"one||two||"),
        (b"one|", b""),
        (b"", b""),
        (b"a||", b"a||"),
    ):
        path.write_bytes(torn)
        notes.clear()
        sink = FileSink(path, LineEncoder(b"||"), notes.append)
        sink.open()
        sink.write(batch(b"next"))
        sink.close()
        moved += torn[len(whole) :]
        assert path.read_bytes() == whole + b"next||"
        assert (tmp_path / "out.torn").read_bytes() == moved
        assert bool(notes) == (torn != whole)


def test_a_write_that_fails_midway_leaves_nothing_of_its_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = FileSink(tmp_path / "out", LineEncoder())
    sink.open()
    sink.write(batch(b"1"))
    write, calls = os.write, list[int]()

    def full(descriptor: int, data: bytes) -> int:
        calls.append(len(data))
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return write(descriptor, data[:3])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(KdgError):
        sink.write(batch(b"2222", b"3333", first=1))
    assert (tmp_path / "out").read_bytes() == b"1\n"
    sink.close()


def test_a_file_of_exactly_once_is_not_appended_to(tmp_path: Path) -> None:
    sink = JournaledFile(tmp_path / "out", LineEncoder())
    sink.open(ORIGIN)
    committed(sink, b"1")
    sink.close()
    with pytest.raises(UsageError, match=r"out\.kdg"):
        FileSink(tmp_path / "out", LineEncoder()).open()


def test_journal_is_one_line_of_json(tmp_path: Path) -> None:
    """The journal is one line of JSON that says how much counts."""
    sink = JournaledFile(tmp_path / "out", LineEncoder())
    sink.open(ORIGIN)
    committed(sink, b"1", b"22")
    sink.begin()
    sink.write(batch(b"333", first=2))
    (line,) = (tmp_path / "out.kdg").read_text().splitlines()
    topics = {"t": {"id": "id-of-t", "positions": {"0": 2}}}
    assert json.loads(line) == {"format": "kdg.file/1", "cluster": "cluster", "topics": topics, "length": 5}
    sink.close()


@pytest.mark.parametrize(
    ("content", "journal"),
    [
        (b"somebody's\n", None),
        (b"", "not JSON"),
        (b"", '{"format": "another"}'),
        (b"short\n", '{"format": "kdg.file/1", "cluster": "cluster", "topics": {}, "length": 7}'),
    ],
)
def test_foreign_file_is_refused_and_left_alone(tmp_path: Path, content: bytes, journal: str | None) -> None:  # fmt: skip
    """A file that is not its journals is refused and left alone."""
    (tmp_path / "out").write_bytes(content)
    if journal is not None:
        (tmp_path / "out.kdg").write_text(journal)
    sink = JournaledFile(tmp_path / "out", LineEncoder())
    with pytest.raises(UsageError):
        sink.open(ORIGIN)
    sink.close()
    assert (tmp_path / "out").read_bytes() == content


def test_journal_replaced_by_a_failed_commit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """A journal that was replaced by a commit that failed all the same counts."""
    sink = JournaledFile(tmp_path / "out", LineEncoder())
    sink.open(ORIGIN)
    committed(sink, b"1")
    real, calls = os.fsync, list[int]()

    def third_fails(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 3:  # the file, the journal, and now the folder
            raise OSError(5, "Input/output error")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", third_fails)
    with pytest.raises(KdgError):
        committed(sink, b"2", first=1)
    sink.abort()
    assert sink.stored() == {("t", 0): 2}
    assert lines_of(tmp_path / "out") == [b"1", b"2"]
    sink.close()


def test_fsync_order_of_file_and_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The records are on the disk before the journal counts on them and the journal before its name."""
    sink = JournaledFile(tmp_path / "out", LineEncoder())
    sink.open(ORIGIN)
    done, sync, replace = list[str](), os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        names = {path.stat().st_ino: path.name for path in (tmp_path, *tmp_path.iterdir())}
        done.append(f"fsync {names[os.fstat(descriptor).st_ino]}")
        sync(descriptor)

    def replaced(path: Path, target: Path) -> Path:
        done.append(f"replace {target.name}")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    committed(sink, b"1")
    sink.close()
    assert done == ["fsync out", "fsync out.kdg.new", "replace out.kdg", f"fsync {tmp_path.name}"]


def test_a_pipe_and_a_folder_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "absent" / "out"):
        with pytest.raises(UsageError, match="--output"):
            FileSink(path, LineEncoder()).open()
    with pytest.raises(UsageError, match="regular"):
        JournaledFile(Path("/dev/null"), LineEncoder()).open(ORIGIN)


# ── the table ──


def test_a_row_has_every_part_of_the_record(tmp_path: Path) -> None:
    sink = SqliteSink(tmp_path / "db", 'a "name"', PATIENCE, keeps=False)
    sink.connect()
    columns = Batch(
        [b"\xff", None], [b"k", None], [[("h", b"\xff"), ("h", None)], []], [5, -1], ["t", "t"], [3, 3], [7, 9]
    )
    sink.write(columns)
    sink.flush()
    sink.close()
    with closing(sqlite3.connect(tmp_path / "db")) as connection:
        found = connection.execute('SELECT topic, partition, offset, timestamp, key, value, headers FROM "a ""name"""')
        assert found.fetchall() == [
            ("t", 3, 7, 5, b"k", b"\xff", '[["h", {"base64": "/w=="}], ["h", null]]'),
            ("t", 3, 9, None, None, None, "[]"),
        ]


@pytest.mark.parametrize("keeps", [True, False])
def test_a_table_of_another_shape_is_refused_and_left_alone(tmp_path: Path, keeps: bool) -> None:
    with closing(sqlite3.connect(tmp_path / "db")) as connection:
        connection.execute("CREATE TABLE records (id, body)")
    with pytest.raises(UsageError, match="id, body"):
        SqliteSink(tmp_path / "db", "records", PATIENCE, keeps=keeps).connect()
    with closing(sqlite3.connect(tmp_path / "db")) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("records",)]


@pytest.mark.parametrize("first", [True, False])
def test_rows_with_and_without_positions_do_not_share_a_table(tmp_path: Path, first: bool) -> None:
    make = {True: _keeping, False: _table}
    with Opened(make[first](tmp_path)) as sink:
        if first:
            committed(sink, b"1")
        else:
            sink.write(batch(b"1"))
            sink.flush()
    with pytest.raises(UsageError, match="table"):
        make[not first](tmp_path).open()
    assert rows_of(tmp_path / "db") == [b"1"]


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "db").write_bytes(b"text, and more of it\n" * 100)
    with pytest.raises(KdgError, match="--sqlite"):
        SqliteSink(tmp_path / "db", "records", PATIENCE, keeps=True).connect()


def test_positions_that_somebody_else_moved_are_not_moved_again(tmp_path: Path) -> None:
    """Without a record of its own that the table could refuse."""
    with Opened(_keeping(tmp_path)) as sink, Opened(_keeping(tmp_path)) as other:
        sink.keep(at(5))
        for opened in (sink, other):
            opened.recycle()
        sink.keep(at(7))
        with pytest.raises(Fenced):
            other.keep(at(6))
        other.abort()
        assert rows_of(tmp_path / "db") == []
        sink.recycle()
        assert sink.stored() == {("t", 0): 7}


def test_under_exactly_once_the_table_itself_refuses_a_row_twice(tmp_path: Path) -> None:
    with Opened(_keeping(tmp_path)) as sink, closing(sqlite3.connect(tmp_path / "db")) as connection:
        committed(sink, b"1")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute("INSERT INTO records SELECT * FROM records")


def test_it_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    with Opened(_keeping(tmp_path)) as sink:
        committed(sink, b"1")
        sink.begin()
        sink.write(batch(b"2", first=1))
        assert rows_of(tmp_path / "db") == [b"1"]


def test_database_held_by_another_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """A database that somebody else holds ends the run after a while."""
    monkeypatch.setattr("kdg.sinks.sqlite.LOCKED_SECONDS", 0.3)
    with Opened(_keeping(tmp_path)) as sink, closing(sqlite3.connect(tmp_path / "db", isolation_level=None)) as other:
        committed(sink, b"1")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(KdgError, match="locked by another process") as told:
            sink.begin()
        assert told.value.exit_code == 1
        other.execute("ROLLBACK")
        committed(sink, b"2", first=1)
    assert rows_of(tmp_path / "db") == [b"1", b"2"]


# ── the command ──


def command(*argv: str, deadline: Deadline = PATIENCE, **options: object) -> CommandSink:
    made = CommandSink(BatchCommand(argv, deadline, captured=False), LineEncoder(), "nothing is committed", **options)  # type: ignore[arg-type]
    made.write(batch(b"1", b"2", first=5))
    return made


def test_the_commands_environment_names_the_batch(tmp_path: Path) -> None:
    sink = command("sh", "-c", 'cat >/dev/null; printf %s "$KDG_BATCH" >"$0"', str(tmp_path / "env"))
    sink.write(batch(b"3", first=7))
    sink.flush()
    assert json.loads((tmp_path / "env").read_text()) == [{"topic": "t", "partition": 0, "first": 5, "last": 7}]


def test_failed_command_is_reported_with_its_status(tmp_path: Path) -> None:
    """A command that fails is told with its status and what its batch was."""
    with pytest.raises(
        KdgError, match=r"sh ended with exit status 7 for t\[0\] offsets 5 to 6: nothing is committed\."
    ):
        command("sh", "-c", "exit 7").flush()
    with pytest.raises(KdgError, match="was killed by signal 9"):
        command("sh", "-c", "kill -9 $$").flush()
    with pytest.raises(KdgError, match="cannot be started"):
        command(str(tmp_path / "absent")).flush()


def test_a_batch_is_tried_again_with_a_pause_that_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses, notes = list[float](), list[str]()
    monkeypatch.setattr(CommandSink, "_wait", lambda _self, seconds: pauses.append(seconds))
    script = 'cat >"$0.$$"; [ $(ls "$0".* | wc -l) -eq 4 ]'
    command("sh", "-c", script, str(tmp_path / "try"), retries=5, note=notes.append).flush()
    assert pauses == [0.5, 1.0, 2.0]
    assert len(notes) == 3
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"1\n2\n"] * 4
    pauses.clear()
    with pytest.raises(KdgError):
        command("false", retries=2).flush()
    assert pauses == [0.5, 1.0]


def big(*argv: str, deadline: Deadline = PATIENCE) -> tuple[int, bytes]:
    return BatchCommand(argv, deadline, captured=True).run(b"x" * 4_000_000, [])


def test_both_ends_of_a_command_are_pumped_at_once() -> None:
    assert big("cat") == (0, b"x" * 4_000_000)
    assert big("sh", "-c", "head -c 3000000 /dev/zero; wc -c") == (0, bytes(3_000_000) + b"4000000\n")


def test_command_that_reads_little_does_not_block() -> None:
    """Its stdin takes a part of what is offered, and nobody may wait for the rest before reading what it writes."""
    script = "sleep 0.2; dd bs=4096 count=2 of=/dev/null 2>/dev/null; head -c 3000000 /dev/zero; cat >/dev/null"
    assert big("sh", "-c", script, deadline=Deadline(NoSignals(), timeout=20)) == (0, bytes(3_000_000))


def test_a_command_that_reads_nothing_does_not_hang() -> None:
    assert big("true") == (0, b"")
    assert big("sh", "-c", "echo hello; exit 3") == (3, b"hello\n")
    closed = 'exec <&-; sleep 0.2; echo "done"'
    assert big("sh", "-c", closed) == (0, b"done\n")


def test_a_command_that_writes_without_end_is_ended() -> None:
    with pytest.raises(KdgError, match="64 MB"):
        big("yes")


def test_command_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """A command that does not end is ended with the timeout and after a signal."""
    with pytest.raises(StopNotReached, match="--timeout"):
        big("sleep", "60", deadline=Deadline(NoSignals(), timeout=0.3))
    monkeypatch.setattr("kdg.runtime.deadline.GRACE", 0.3)
    monkeypatch.setattr("kdg.runtime.child.END_SECONDS", 0.3)
    signals = NoSignals()
    signals.received = signal.SIGTERM
    with pytest.raises(Interrupted):
        big("sh", "-c", "trap '' TERM; sleep 60 & wait; sleep 60", deadline=Deadline(signals))


@pytest.fixture
def reaped() -> Iterator[None]:
    yield
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.usefixtures("reaped")
def test_no_process_is_left_behind() -> None:
    for argv in (["true"], ["yes"], ["sh", "-c", "exit 1"]):
        try:
            big(*argv)
        except KdgError:
            continue


def test_stdout_whose_reader_went_away_is_told() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with pytest.raises(ReaderGone):
        Stdout(LineEncoder(), Quiet(), descriptor=writing).write(batch(b"1"))
    os.close(writing)


def test_none_of_the_sinks_is_loaded_before_it_is_used() -> None:
    code = "import sys, kdg.cli.app; print([m for m in sys.modules if m.startswith('kdg.sinks.') or m == 'sqlite3'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
