"""Owns the worker processes: started, killed, frozen, started again, their stderr kept; all gone however their holder ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from kdg.sandbox import keeper

# The shell becomes the worker, so the pid it writes is the worker's; the keeper kills what is named there.
_WRITE_PID_AND_RUN = 'echo $$ > "$0" && exec "$@"'

TAIL = 8
"""Lines of stderr that are kept with the end of a worker."""


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
        self.frozen, self.ending = False, None
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
        """A signal to the process, if there is one."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, number)

    def pause(self) -> None:
        """SIGSTOP."""
        self.send(signal.SIGSTOP)
        self.frozen = True

    def resume(self) -> None:
        """SIGCONT."""
        self.send(signal.SIGCONT)
        self.frozen = False

    def reap(self, timeout: float = 0.0) -> int | None:
        """How the process ended, as subprocess gives it (-N for a signal), once; None while it runs or if there is none."""
        if self._process is None:
            return None
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self._process.wait(timeout)
            (self.folder / "pid").unlink(missing_ok=True)
            self._process = None
            return code
        return None

    def kill(self) -> int | None:
        """SIGKILL, and its end."""
        self.send(signal.SIGKILL)
        return self.reap(30.0)

    def last_words(self) -> str:
        """The last lines that its latest process wrote to stderr."""
        with self.log.open("rb") as log:
            log.seek(self._log_from)
            return "\n".join(log.read().decode(errors="replace").splitlines()[-TAIL:])


@dataclass(slots=True)
class Crew:
    """The workers, inside `with`. commands: one argv a worker. logs: where their stderr is kept; else it goes with them."""

    commands: Sequence[Sequence[str]]
    environment: Mapping[str, str]
    logs: Path | None = None
    workers: list[Worker] = field(default_factory=list)
    _keeper: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        home = Path(tempfile.mkdtemp(prefix="kdg-verify-")).resolve()
        self._keeper = _keep(home)
        for number, argv in enumerate(self.commands, 1):
            folder = home / str(number)
            folder.mkdir()
            logs = folder if self.logs is None else self.logs
            logs.mkdir(parents=True, exist_ok=True)
            log = logs / f"worker-{number}.stderr"
            log.write_bytes(b"")
            self.workers.append(Worker(number, argv, self.environment, folder, log))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            for worker in self.workers:
                worker.kill()
        finally:
            if self._keeper is not None and self._keeper.stdin is not None:
                self._keeper.stdin.close()
                self._keeper.wait()


def _keep(folder: Path) -> subprocess.Popen[bytes]:
    """The sandbox's keeper: kills what runs in `folder`, and removes it, once our end of its stdin closes."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", keeper.__file__, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
