"""Owns `kdg produce TOPIC -- CMD`: the output of the user's command is the input."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field

from kdg.core.ports import WORK_SECONDS
from kdg.errors import Aborted, Interrupted, KdgError, StopNotReached
from kdg.runtime.child import describe_status, end_process, report_held_output, start_process
from kdg.runtime.deadline import Deadline


@dataclass(slots=True)
class CommandInput:
    """A command whose output is the input. The input is complete only if the command exits with 0.

    revocable: the records are in a transaction that can still be aborted.
    """

    argv: Sequence[str]
    revocable: bool
    deadline: Deadline
    process: subprocess.Popen[bytes] | None = field(default=None)
    _ended: float | None = field(default=None, init=False)

    def start(self) -> int:
        """Start the command; returns the file descriptor of its stdout. Raises UsageError if it cannot be started."""
        self.process = start_process(self.argv, None, subprocess.PIPE, None)
        assert self.process.stdout is not None  # noqa: S101  # because of PIPE
        return self.process.stdout.fileno()

    def look(self) -> None:
        """Called while no output comes: say so if the command has ended and its output has not."""
        if self.process is not None and self.process.poll() is not None:
            self._ended = self.deadline.now() if self._ended is None else self._ended
            report_held_output(self.deadline, self.argv[0], self._ended)

    def check(self) -> None:
        """Called at the end of the output: wait for the end of the command.

        Raises Aborted (revocable) or KdgError if the exit status is not 0, Interrupted after a signal, StopNotReached
        when --timeout is over.
        """
        assert self.process is not None  # noqa: S101  # start() was called
        status = self._wait(self.process)
        if status == 0:
            return
        failed = f"{self.argv[0]} {describe_status(status)}: its output may be incomplete"
        if self.revocable:
            raise Aborted(
                f"{failed}, and nothing of the open transaction is visible.", "Fix the command and run it again."
            )
        raise KdgError(
            f"{failed}; the records it printed were sent.",
            "Fix the command; a second run sends those records again.",
        )

    def _wait(self, process: subprocess.Popen[bytes]) -> int:
        began = self.deadline.now()
        while True:
            try:
                return process.wait(WORK_SECONDS)
            except subprocess.TimeoutExpired:
                why = f"process {process.pid} has closed its output and still runs"
                self.deadline.report_wait(f"-- {self.argv[0]}", began, why, "it goes on when the command ends")
            if self.deadline.signals.received is not None:
                raise Interrupted(self.deadline.signals.received)
            if self.deadline.over():
                raise StopNotReached(
                    f"{self.argv[0]} (process {process.pid}) had closed its output and still ran when --timeout ended.",
                    "Raise --timeout.",
                )

    def stop(self) -> None:
        """End the command if it still runs when the run ends."""
        if self.process is None:
            return
        end_process(self.process)
        if self.process.stdout is not None:
            self.process.stdout.close()
