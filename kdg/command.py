"""Owns running the user's command: `-- CMD` as the input of produce."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field

from kdg.errors import Aborted, UsageError


@dataclass(slots=True)
class CommandInput:
    """A command whose output is the input; it counts as ended in order only when it exits 0."""

    argv: Sequence[str]
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> int:
        """Start it and return the descriptor of its stdout."""
        try:
            # A session of its own: Ctrl-C reaches kdg, which settles and then ends the command.
            self.process = subprocess.Popen(self.argv, stdout=subprocess.PIPE, start_new_session=True)
        except OSError as exc:
            raise UsageError(
                f"-- {self.argv[0]}: the command cannot be started: {exc.strerror}.", "Check its name and path."
            ) from exc
        assert self.process.stdout is not None  # noqa: S101  # what PIPE means
        return self.process.stdout.fileno()

    def check(self) -> None:
        """At the end of its output: raises Aborted unless it exited with 0."""
        assert self.process is not None  # noqa: S101  # it was started
        status = self.process.wait()
        if status != 0:
            how = f"was killed by signal {-status}" if status < 0 else f"ended with exit status {status}"
            raise Aborted(f"{self.argv[0]} {how}: its output cannot be trusted to be complete, and nothing of the open transaction is visible.", "Mend the command and run it again.")  # fmt: skip

    def stop(self) -> None:
        """End it when the run ends first."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(2)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
