"""Owns the ends of workers: a worker that ends is started again; an end without a reason breaks the promise."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kdg.verify import faults
from kdg.verify.faults import FaultKind
from kdg.verify.result import WorkerExit
from kdg.verify.setup import Setup
from kdg.verify.timeline import Timeline
from kdg.verify.workers import Worker

ENDS_WITHIN = 11.0
"""Seconds that a worker has to end after SIGTERM; kdg promises 10."""
RESTARTS_AFTER = 1.0
"""Seconds until a worker that ended by itself is started again."""


@dataclass(slots=True)
class Supervisor:
    """Watches the worker processes.

    recent: the faults that may explain an exit. exits: the workers that ended by themselves. late: the workers that did
    not end in time after SIGTERM.
    """

    workers: Sequence[Worker]
    setup: Setup
    timeline: Timeline
    recent: Callable[[], tuple[FaultKind, ...]]
    exits: list[WorkerExit] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    _finishing: bool = False

    def start(self) -> None:
        """Start all workers."""
        for worker in self.workers:
            worker.start()

    def look(self) -> None:
        """See which workers have ended, and kill those that should have ended and did not."""
        for worker in self.workers:
            code = worker.reap()
            if code is not None:
                self._ended(worker, code)
            elif worker.ending is not None and self.timeline.now - worker.ending > ENDS_WITHIN:
                self._is_late(worker, worker.ending)

    def terminate_all(self) -> None:
        """SIGTERM to all workers; from now on none is started again."""
        self._finishing = True
        for worker in self.workers:
            worker.ending = self.timeline.now
            worker.send(signal.SIGTERM)

    @property
    def all_ended(self) -> bool:
        """Whether no worker has a process any more."""
        return not any(worker.alive for worker in self.workers)

    def last_words(self) -> str:
        """The last lines of stderr of the first worker that wrote some."""
        return next((words for worker in self.workers if (words := worker.last_words())), "nothing")

    def _ended(self, worker: Worker, code: int) -> None:
        asked, worker.ending = worker.ending is not None, None
        if not asked or code not in (-signal.SIGTERM, 128 + signal.SIGTERM):
            self._record_exit(worker, code)
        self._restart(worker)

    def _is_late(self, worker: Worker, since: float) -> None:
        late = f"{worker.name} did not end within {ENDS_WITHIN:g} s of SIGTERM at {since:.0f} s"
        self.late += [] if self.setup.command else [late]
        self.timeline.record(f"{late}: {worker.last_words()}")
        worker.kill()
        self._restart(worker)

    def _restart(self, worker: Worker) -> None:
        if not self._finishing:
            self.timeline.later(RESTARTS_AFTER, worker.start)

    def _record_exit(self, worker: Worker, code: int) -> None:
        recent = self.recent()
        expected = code in self.setup.pace.given_up or faults.excused(code, recent)
        expected = expected or bool(self.setup.command)  # kdg does not judge the exit codes of another program
        found = WorkerExit(worker.number, code, self.timeline.now, recent, worker.last_words(), expected)
        self.exits.append(found)
        self.timeline.record(
            f"{worker.name} ended by itself with {code}{'' if expected else ', UNEXPECTED'}: {found.said}"
        )
