"""Folders, endless files, deep nesting and pipes where a file is meant: one message and exit 2, and never a hang."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.processes import KDG

from .answers import refused
from .conftest import Kdg

NOBODY = ("-b", "127.0.0.1:1")
DEEP = 100_000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a folder, a pipe, and files that are nested deeply."""
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    os.mkfifo("pipe")
    Path("deep.toml").write_text("a=" + "[" * DEEP)
    Path("dots.toml").write_text(".".join("a" * DEEP) + "=1")
    Path("tables.toml").write_text("a=" + "{b=" * 300 + "1" + "}" * 300)
    Path("deep.json").write_text('{"Kafka":' * DEEP)
    Path("endless").symlink_to("/dev/zero")
    return tmp_path


@pytest.mark.parametrize(
    "argv",
    [
        "consume t -F deep.toml",
        "consume t -F dots.toml",
        "consume t -F deep.json",
        "consume t -F folder",
        "consume t -F endless",
        "consume t -F ~nobody-at-all/x",
        "consume t -X sasl.password=@endless",
        "consume t -X sasl.password=@folder",
        "consume t --report folder",
        "consume t --report .",
        "consume t --output .",
        "consume t --output /",
        "consume t --output folder",
        "consume t --output pipe",
        "consume t --sqlite .",
        "consume t --sqlite folder",
        "consume t --sqlite pipe",
        "consume t --sqlite /dev/null",
        "produce t folder",
        "produce t .",
        "produce t deep.toml --undelivered folder",
        "produce t deep.toml --undelivered .",
        "check -F deep.json",
        "check -F deep.toml",
        "check -F dots.toml",
        "check -F folder",
        "check -F endless",
    ],
)
def test_special_file_is_exit_2_and_named(kdg: Kdg, folder: Path, argv: str) -> None:
    del folder
    words = argv.split()
    brokers = () if words[0] == "check" else NOBODY
    refused(kdg(*words, *brokers), words[-1].split("@")[-1])


def test_nested_toml_that_can_be_read_is_read(kdg: Kdg, folder: Path) -> None:
    """Its names are those of no property, and that is what the message says."""
    del folder
    assert "deep" not in kdg("consume", "t", *NOBODY, "-F", "tables.toml")[2]


@pytest.mark.parametrize("option", ["--output", "--sqlite", "--report", "-F", "--config"])
def test_name_that_is_too_long_is_exit_2(kdg: Kdg, option: str) -> None:
    refused(kdg("consume", "t", *NOBODY, option, "x" * 5000))


def started(*argv: str) -> subprocess.Popen[bytes]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("KDG_")}
    return subprocess.Popen([KDG, *argv, *NOBODY], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env)


PIPES = [
    ("produce", "t", "pipe"),
    ("produce", "t", "--undelivered", "pipe"),
    ("produce", "t", "-X", "sasl.password=@pipe"),
    ("consume", "t", "-F", "pipe"),
]


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("argv", PIPES, ids=" ".join)
def test_signal_ends_the_wait_for_a_pipe(folder: Path, argv: Sequence[str], signum: int) -> None:
    """Nobody has opened the other end."""
    del folder
    with started(*argv) as run:
        time.sleep(1.5)  # it is waiting by now; a signal that comes earlier ends it, too
        assert run.poll() is None
        run.send_signal(signum)
        began = time.monotonic()
        assert run.wait(10) == -signum
        assert time.monotonic() - began < 3


@pytest.mark.parametrize(("argv", "code"), [(PIPES[0], 3), (PIPES[1], 2)])
def test_timeout_ends_the_wait_for_a_pipe(folder: Path, argv: Sequence[str], code: int) -> None:
    del folder
    with started(*argv, "--timeout", "1s") as run:
        assert run.wait(10) == code
        assert run.stderr is not None
        assert b"pipe" in run.stderr.read()


def test_secret_may_come_from_a_pipe(kdg: Kdg, folder: Path) -> None:
    """A secret that a program writes into a pipe is read to its end."""
    writer = threading.Thread(target=(folder / "pipe").write_text, args=("one",))
    writer.start()
    code, out, _err = kdg("consume", "t", *NOBODY, "-X", "client.id=@pipe", "--dry-run")
    writer.join()
    assert code == 0
    assert "one" in out


def test_report_into_a_pipe_that_nobody_reads_does_not_hang(folder: Path) -> None:
    del folder
    with started("consume", "t", "--report", "pipe", "--timeout", "1s") as run:
        assert run.wait(10) == 8
        assert run.stderr is not None
        assert b"--report pipe cannot be written: it is a pipe that nobody reads." in run.stderr.read()


def test_reader_of_a_pipe_gets_the_report(folder: Path) -> None:
    with (
        started("consume", "t", "--report", "pipe", "--timeout", "1s") as run,
        subprocess.Popen(["cat", folder / "pipe"], stdout=subprocess.PIPE) as reader,
    ):
        assert run.wait(10) == 8
        assert reader.stdout is not None
        assert b'"exit_code": 8' in reader.stdout.read()
