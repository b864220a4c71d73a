"""Owns the worker processes: started, killed, frozen, started again, their stderr kept; all gone however their holder ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from kdg.sandbox import reaper

# The shell becomes the worker, so the pid it writes is the worker's; the reaper kills what is named there.
_WRITE_PID_AND_RUN = 'echo $$ > "$0" && exec "$@"'

TAIL = 8
"""Lines of stderr that are kept with the end of a worker."""
PARTING = 5.0
"""Seconds that the other processes of a command have to end by themselves once its first one has, after SIGTERM."""
HOME = "\0home"
"""Stands in a command for the folder that holds `Crew.files`, which only the crew knows."""


_NO_GROUP = (ProcessLookupError, PermissionError)
"""The second is how macOS says that there are only zombies."""


def _group_lives(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except _NO_GROUP:
        return False
    return True


@dataclass(slots=True)
class Worker:
    """One place in the crew: the same command again and again, in processes that come and go.

    frozen: it is stopped. ending: it was told to end; then since when (the engine's clock).
    """

    number: int
    argv: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    frozen: bool = False
    ending: float | None = None
    starts: int = 0
    _process: subprocess.Popen[bytes] | None = None
    _parting: float | None = None
    _log_from: int = 0

    @property
    def name(self) -> str:
        """How the history calls it."""
        return f"worker {self.number}"

    @property
    def alive(self) -> bool:
        """It has a process, frozen or not, that has not been seen to end."""
        return self._process is not None

    @property
    def at_work(self) -> bool:
        """It runs, and nobody has told it to end."""
        return self.alive and not self.frozen and self.ending is None

    def start(self) -> None:
        """A new process; its stderr is appended to the worker's file."""
        if self._process is not None:
            return
        self.starts += 1
        self.frozen, self.ending, self._parting = False, None, None
        with self.log.open("ab") as log:
            log.write(f"== start {self.starts}\n".encode())
            log.flush()
            self._log_from = log.tell()
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _WRITE_PID_AND_RUN, self.folder / "pid", *self.argv],
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,  # Ctrl-C is the holder's to act on
            )

    def send(self, number: signal.Signals) -> None:
        """A signal to all processes of the command, if there are any."""
        if self._process is not None:
            with contextlib.suppress(*_NO_GROUP):
                os.killpg(self._process.pid, number)

    def pause(self) -> None:
        """SIGSTOP."""
        self.send(signal.SIGSTOP)
        self.frozen = True
        if self._process is not None:
            # A shell that is frozen before it has written its pid would be one that the reaper does not know.
            written = self.folder / "pid.written"
            written.write_text(f"{self._process.pid}\n")
            written.replace(self.folder / "pid")

    def resume(self) -> None:
        """SIGCONT."""
        self.send(signal.SIGCONT)
        self.frozen = False

    def reap(self, timeout: float = 0.0) -> int | None:
        """How the process ended, as subprocess gives it (-N for a signal), once; None while it runs or if there is none.

        A command may be more than one process (`a | b` in a shell): the others are given time when the end was asked for.
        """
        if self._process is None:
            return None
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        self._parting = time.monotonic() if self._parting is None else self._parting
        if self.ending is not None and self._others() and time.monotonic() - self._parting < PARTING:
            return None
        self.send(signal.SIGKILL)
        (self.folder / "pid").unlink(missing_ok=True)
        self._process = None
        return code

    def _others(self) -> bool:
        """Whether some process of the command is left; its first one is gone."""
        return self._process is not None and _group_lives(self._process.pid)

    def kill(self) -> int | None:
        """SIGKILL, and its end."""
        self.ending = None
        self.send(signal.SIGKILL)
        return self.reap(30.0)

    def last_words(self) -> str:
        """The last lines that its latest process wrote to stderr."""
        with self.log.open("rb") as log:
            log.seek(self._log_from)
            return "\n".join(log.read().decode(errors="replace").splitlines()[-TAIL:])


@dataclass(slots=True)
class Crew:
    """The workers, inside `with`.

    commands: one argv a worker. logs: where their stderr is kept; else it goes with them. files: what lies in HOME, by name,
    for nobody else to read.
    """

    commands: Sequence[Sequence[str]]
    environment: Mapping[str, str]
    logs: Path | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    workers: list[Worker] = field(default_factory=list)
    _reaper: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        home = Path(tempfile.mkdtemp(prefix="kdg-verify-")).resolve()
        self._reaper = _start_reaper(home)
        for name, content in self.files.items():
            (home / name).write_text(content, encoding="utf-8")
        for number, argv in enumerate(self.commands, 1):
            folder = home / str(number)
            folder.mkdir()
            logs = folder if self.logs is None else self.logs
            logs.mkdir(parents=True, exist_ok=True)
            log = logs / f"worker-{number}.stderr"
            log.write_bytes(b"")
            environment = {**self.environment, "KDG_WORKER": str(number)}
            self.workers.append(Worker(number, [word.replace(HOME, str(home)) for word in argv], environment, folder, log))  # fmt: skip
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            for worker in self.workers:
                worker.kill()
        finally:
            if self._reaper is not None and self._reaper.stdin is not None:
                self._reaper.stdin.close()
                self._reaper.wait()


def _start_reaper(folder: Path) -> subprocess.Popen[bytes]:
    """The sandbox's reaper: kills what runs in `folder`, and removes it, once our end of its stdin closes."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", reaper.__file__, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
