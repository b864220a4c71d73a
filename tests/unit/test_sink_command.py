"""`-- CMD` of consume, and how a command runs: its environment, its exit status, its pipes, its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kdg.core.ports import Work, carry_out
from kdg.errors import Interrupted, KdgError, StopNotReached
from kdg.formats.lines import LineEncoder
from kdg.runtime.child import BatchCommand
from kdg.runtime.deadline import Deadline, NoSignals
from kdg.sinks.command import CommandSink
from tests.support.sinks import (
    NO_LIMIT,
    batch,
)


def command(*argv: str, deadline: Deadline = NO_LIMIT, **options: object) -> CommandSink:
    runs = BatchCommand(argv, deadline, captured=False)
    made = CommandSink(runs, LineEncoder(), "nothing is committed", **options)  # type: ignore[arg-type]
    made.write(batch(b"1", b"2", first=5))
    return made


def test_environment_of_the_command_names_the_batch(tmp_path: Path) -> None:
    sink = command("sh", "-c", 'cat >/dev/null; printf %s "$KDG_BATCH" >"$0"', str(tmp_path / "env"))
    sink.write(batch(b"3", first=7))
    carry_out(sink.flush())
    assert json.loads((tmp_path / "env").read_text()) == [{"topic": "t", "partition": 0, "first": 5, "last": 7}]


def test_failed_command_is_reported_with_its_status(tmp_path: Path) -> None:
    """The message of a failed command has its exit status and the offsets of its batch."""
    with pytest.raises(
        KdgError, match=r"sh ended with exit status 7 for t\[0\] offsets 5 to 6: nothing is committed\."
    ):
        carry_out(command("sh", "-c", "exit 7").flush())
    with pytest.raises(KdgError, match="was killed by signal 9"):
        carry_out(command("sh", "-c", "kill -9 $$").flush())
    with pytest.raises(KdgError, match="cannot be started"):
        carry_out(command(str(tmp_path / "absent")).flush())


def test_pause_between_tries_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses, notes = list[float](), list[str]()

    def paused(_sink: CommandSink, seconds: float) -> Work[None]:
        pauses.append(seconds)
        yield

    monkeypatch.setattr(CommandSink, "_wait", paused)
    script = 'cat >"$0.$$"; [ $(ls "$0".* | wc -l) -eq 4 ]'
    carry_out(command("sh", "-c", script, str(tmp_path / "try"), retries=5, note=notes.append).flush())
    assert pauses == [0.5, 1.0, 2.0]
    assert len(notes) == 3
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"1\n2\n"] * 4
    pauses.clear()
    with pytest.raises(KdgError):
        carry_out(command("false", retries=2).flush())
    assert pauses == [0.5, 1.0]


def big(*argv: str, deadline: Deadline = NO_LIMIT) -> tuple[int, bytes]:
    return carry_out(BatchCommand(argv, deadline, captured=True).run(b"x" * 4_000_000, []))


def test_command_is_fed_and_read_at_once() -> None:
    assert big("cat") == (0, b"x" * 4_000_000)
    assert big("sh", "-c", "head -c 3000000 /dev/zero; wc -c") == (0, bytes(3_000_000) + b"4000000\n")


def test_command_that_reads_little_does_not_block() -> None:
    """The pipe to the command is full; kdg reads the output of the command all the same."""
    script = "sleep 0.2; dd bs=4096 count=2 of=/dev/null 2>/dev/null; head -c 3000000 /dev/zero; cat >/dev/null"
    assert big("sh", "-c", script, deadline=Deadline(NoSignals(), timeout=20)) == (0, bytes(3_000_000))


def test_command_that_reads_nothing_does_not_block() -> None:
    assert big("true") == (0, b"")
    assert big("sh", "-c", "echo hello; exit 3") == (3, b"hello\n")
    closed = 'exec <&-; sleep 0.2; echo "done"'
    assert big("sh", "-c", closed) == (0, b"done\n")


def test_command_that_prints_without_end_is_ended() -> None:
    with pytest.raises(KdgError, match="64 MB"):
        big("yes")


def test_command_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that does not end is ended when --timeout is over, and after a signal."""
    with pytest.raises(StopNotReached, match="--timeout"):
        big("sleep", "60", deadline=Deadline(NoSignals(), timeout=0.3))
    monkeypatch.setattr("kdg.runtime.deadline.GRACE", 0.3)
    monkeypatch.setattr("kdg.runtime.child.END_SECONDS", 0.3)
    signals = NoSignals()
    signals.received = signal.SIGTERM
    with pytest.raises(Interrupted):
        big("sh", "-c", "trap '' TERM; sleep 60 & wait; sleep 60", deadline=Deadline(signals))


def children() -> set[str]:
    """The child processes of this one; a broker of another test may be among them."""
    with subprocess.Popen(["ps", "-A", "-o", "pid=,ppid="], stdout=subprocess.PIPE, text=True) as ps:
        rows = [row.split() for row in ps.communicate()[0].splitlines()]
    return {pid for pid, parent in rows if parent == str(os.getpid())} - {str(ps.pid)}


@pytest.fixture
def reaped() -> Iterator[None]:
    before = children()
    yield
    assert children() <= before


@pytest.mark.usefixtures("reaped")
def test_no_process_is_left_behind() -> None:
    for argv in (["true"], ["yes"], ["sh", "-c", "exit 1"]):
        try:
            big(*argv)
        except KdgError:
            continue


def test_output_that_a_background_process_holds_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that has ended can leave a process that holds its stdout; nothing of that output is dropped."""
    monkeypatch.setattr("kdg.runtime.deadline.SILENT_SECONDS", 0.1)
    notes = list[str]()
    runs = BatchCommand(
        ["sh", "-c", "{ sleep 1; echo late; } & cat"], Deadline(NoSignals(), note=notes.append), captured=True
    )
    assert carry_out(runs.run(b"1\n", [])) == (0, b"1\nlate\n")
    assert "sh has ended, but a process that it started in the background still holds its stdout" in notes[-1]
