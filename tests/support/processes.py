"""Owns kdg as a process: its command line, its input and output, and how it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from tests import mutants

KDG = mutants.KDG if "MUTANT" in os.environ else str(Path(sys.executable).with_name("kdg"))
"""The command, or the mutant that MUTANT in the environment names."""
QUICK_GROUP = ("-X", "session.timeout.ms=1000", "-X", "heartbeat.interval.ms=300")
"""The group notices a killed member after one second; the sandbox allows it."""
QUICK_TRANSACTION = ("-X", "transaction.timeout.ms=3000")


def lines(count: int, first: int = 0) -> list[bytes]:
    """Numbered values, all different."""
    return [b"record %06d" % number for number in range(first, first + count)]


def text(values: Iterable[bytes]) -> bytes:
    """Values as the input of produce."""
    return b"".join(value + b"\n" for value in values)


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended. code: as subprocess gives it, -N for a signal."""

    code: int
    out: bytes
    err: str
    seconds: float

    @property
    def lines(self) -> list[bytes]:
        """The lines that it printed."""
        return self.out.split(b"\n")[:-1]


class Run:
    """A command in the background; killed at the end of the `with`, if it still runs."""

    def __init__(self, argv: Sequence[str], env: dict[str, str], stdin: int | IO[bytes], stdout: int | None) -> None:
        self._out = tempfile.TemporaryFile()  # noqa: SIM115  # closed in __exit__
        self._err = tempfile.TemporaryFile()  # noqa: SIM115
        self._began = time.monotonic()
        self.process = subprocess.Popen(
            argv, env=env, stdin=stdin, stdout=self._out if stdout is None else stdout, stderr=self._err
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()
        err = self.err
        for stream in (self.process.stdin, self.process.stdout, self._out, self._err):
            if stream is not None:
                stream.close()
        no_crash(err)  # also if the test does not wait for the end, or has failed because of the crash

    @property
    def out(self) -> bytes:
        """What it has printed so far."""
        return os.pread(self._out.fileno(), 1 << 28, 0)

    @property
    def err(self) -> str:
        """The text on its stderr so far."""
        return os.pread(self._err.fileno(), 1 << 20, 0).decode()

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def signal(self, signum: int) -> None:
        """Send it a signal."""
        self.process.send_signal(signum)

    def kill(self) -> None:
        """Send SIGKILL, and wait for the end."""
        if self.running:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self, seconds: float = 30.0) -> Done:
        """Wait for its end. Fails if it still runs after so many seconds."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {seconds:g} s; on stderr: {self.err}") from None
        no_crash(self.err)
        return Done(code, self.out, self.err, time.monotonic() - self._began)


def no_crash(err: str) -> None:
    """Assert that the text on stderr is not that of an exception that kdg did not expect. No test expects one."""
    assert "Traceback" not in err, err
    assert "a defect of kdg" not in err, err


class Fed(Run):
    """A command whose stdin is fed step by step."""

    def feed(self, values: Sequence[bytes]) -> None:
        """Write lines to its stdin."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(text(values))
            self.process.stdin.flush()
        except BrokenPipeError:
            raise AssertionError(f"it has ended: {self.end()}") from None

    def close_input(self) -> None:
        """Close its stdin."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def done(self, seconds: float = 30.0) -> Done:
        """End its input, and wait for its end."""
        self.close_input()
        return self.end(seconds)
