"""`kdg sandbox`: a broker for a command, the status of the command, and nothing left afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.machine import is_running
from tests.support.processes import KDG, Run
from tests.support.waiting import eventually

PROC = Path("/proc")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder in which the sandbox creates its data folder."""
    made = tmp_path / "tmp"
    made.mkdir()
    return made


def environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KDG_")}
    return {**kept, "TMPDIR": str(folder)}


def processes_below(folder: Path) -> list[int]:
    """The processes whose command line or working directory names the folder. Without /proc (macOS): none are found."""
    if not PROC.exists():
        return []
    found = []
    for process in PROC.iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            try:
                named = process.joinpath("cmdline").read_bytes().decode(errors="replace")
                named += str(process.joinpath("cwd").readlink())
            except OSError:
                continue
            if str(folder) in named:
                found.append(int(process.name))
    return found


def test_sandbox_command_gets_brokers_and_status(folder: Path) -> None:
    """A command gets the brokers; the sandbox ends with the status of the command, and nothing is left."""
    script = f'printf "a\\nb\\n" | {KDG} produce demo -q && {KDG} consume demo -e -q && exit 7'
    argv = [KDG, "sandbox", "--topic", "demo:2", "-q", "--", "sh", "-c", script]
    done = subprocess.run(argv, env=environment(folder), capture_output=True, timeout=120, check=False)
    assert done.returncode == 7
    assert sorted(done.stdout.split()) == [b"a", b"b"]
    assert list(folder.iterdir()) == []
    assert processes_below(folder) == []


def has_line(file: Path) -> bool:
    return file.exists() and "\n" in file.read_text()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("command", [True, False], ids=["with a command", "without"])
def test_a_signal_ends_the_sandbox_and_nothing_is_left(folder: Path, signum: int, command: bool) -> None:
    written = folder.parent / "written"
    script = f"echo $KDG_BROKERS $$ > {written}; exec sleep 600"
    argv = [KDG, "sandbox", *(["--", "sh", "-c", script] if command else [])]
    with Run(argv, environment(folder), subprocess.DEVNULL, None) as run:
        assert eventually(lambda: b"KDG_BROKERS=127.0.0.1:" in run.out or (command and has_line(written)), 90)
        assert processes_below(folder) or not PROC.exists()
        run.signal(signum)
        assert run.end(20).code == -signum
    assert list(folder.iterdir()) == []
    assert processes_below(folder) == []
    assert not command or not is_running(int(written.read_text().split()[1]))


def test_sandbox_command_that_cannot_start_is_exit_2(folder: Path) -> None:
    """A command that cannot be started is exit 2, and nothing is left."""
    argv = [KDG, "sandbox", "--", "no-such-command-here"]
    done = subprocess.run(argv, env=environment(folder), capture_output=True, timeout=120, check=False)
    assert done.returncode == 2
    assert b"no-such-command-here" in done.stderr
    assert list(folder.iterdir()) == []
    assert processes_below(folder) == []
