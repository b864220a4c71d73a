"""Owns `kdg produce TOPIC -- CMD`: the output of the user's command is the input."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field

from kdg.errors import Aborted, KdgError
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
        """Called at the end of the output. Raises Aborted (revocable) or KdgError if the exit status is not 0."""
        assert self.process is not None  # noqa: S101  # start() was called
        status = self.process.wait()
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

    def stop(self) -> None:
        """End the command if it still runs when the run ends."""
        if self.process is None:
            return
        end_process(self.process)
        if self.process.stdout is not None:
            self.process.stdout.close()
