"""Owns the worker processes: it starts, kills and freezes them, keeps their stderr, and leaves none behind.

The sandbox's reaper removes the processes and their folder even if kdg itself is killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
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
"""How many lines of stderr are kept with the exit of a worker."""
PARTING = 5.0
"""Seconds that the other processes of a command have to end, after SIGTERM and after the end of its first process."""
FILES_FOLDER = "\0files"
"""A placeholder in a command: the pool replaces it by the folder of `WorkerPool.files`, which is made later."""

_NO_GROUP = (ProcessLookupError, PermissionError)
"""Raised if no process of a group is left; macOS raises PermissionError if only zombies are left."""


def _group_lives(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except _NO_GROUP:
        return False
    return True


@dataclass(slots=True)
class Worker:
    """One worker: the same command, run in one process after the other.

    frozen: whether its process is stopped by SIGSTOP. ending: when it was asked to end, in seconds of the run; None if
    it was not. starts: how often it was started.
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
        """Its name in the history."""
        return f"worker {self.number}"

    @property
    def alive(self) -> bool:
        """Whether it has a process, frozen or not, whose end was not seen yet."""
        return self._process is not None

    @property
    def at_work(self) -> bool:
        """Whether it runs and was not asked to end."""
        return self.alive and not self.frozen and self.ending is None

    def start(self) -> None:
        """Start a new process if there is none; its stderr is appended to the log."""
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
                start_new_session=True,  # Ctrl-C reaches kdg alone, which then ends the workers
            )

    def send(self, number: signal.Signals) -> None:
        """Send a signal to all processes of the command, if there are any."""
        if self._process is not None:
            with contextlib.suppress(*_NO_GROUP):
                os.killpg(self._process.pid, number)

    def pause(self) -> None:
        """Freeze it with SIGSTOP."""
        self.send(signal.SIGSTOP)
        self.frozen = True
        if self._process is not None:
            # The shell may be frozen before it has written its pid; then the reaper would not know it.
            written = self.folder / "pid.written"
            written.write_text(f"{self._process.pid}\n")
            written.replace(self.folder / "pid")

    def resume(self) -> None:
        """Let it go on with SIGCONT."""
        self.send(signal.SIGCONT)
        self.frozen = False

    def reap(self, timeout: float = 0.0) -> int | None:
        """The exit code of the process (-N for signal N), reported once; None while it runs, or if there is no process.

        A command may have several processes (`a | b` in a shell). If it was asked to end, the others get PARTING
        seconds.
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
        """Whether a process of the command is left after the first one has ended."""
        return self._process is not None and _group_lives(self._process.pid)

    def kill(self) -> int | None:
        """Kill it with SIGKILL, and return how it ended, as `reap` does."""
        self.ending = None
        self.send(signal.SIGKILL)
        return self.reap(30.0)

    def last_words(self) -> str:
        """The last lines of stderr of its latest process."""
        with self.log.open("rb") as log:
            log.seek(self._log_from)
            return "\n".join(log.read().decode(errors="replace").splitlines()[-TAIL:])


@dataclass(slots=True)
class WorkerPool:
    """The workers; they exist inside `with`.

    commands: the argv of each worker. logs: the folder in which their stderr is kept; if None, stderr is removed with
    them. files: name and content of files in FILES_FOLDER, which only this user can read.
    """

    commands: Sequence[Sequence[str]]
    environment: Mapping[str, str]
    logs: Path | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    workers: list[Worker] = field(default_factory=list)
    _reaper: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        home = Path(tempfile.mkdtemp(prefix="kdg-verify-")).resolve()
        self._reaper = reaper.start(home)
        for name, content in self.files.items():
            (home / name).write_text(content, encoding="utf-8")
        self.workers = [self._worker(number, argv, home) for number, argv in enumerate(self.commands, 1)]
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

    def _worker(self, number: int, argv: Sequence[str], home: Path) -> Worker:
        folder = home / str(number)
        folder.mkdir()
        logs = folder if self.logs is None else self.logs
        logs.mkdir(parents=True, exist_ok=True)
        log = logs / f"worker-{number}.stderr"
        log.write_bytes(b"")
        environment = {**self.environment, "KDG_WORKER": str(number)}
        return Worker(number, [word.replace(FILES_FOLDER, str(home)) for word in argv], environment, folder, log)
