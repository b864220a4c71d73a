"""Owns running the user's command: `-- CMD` as the input of produce."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field

from kdg.errors import Aborted, KdgError, UsageError


@dataclass(slots=True)
class CommandInput:
    """A command whose output is the input; it counts as ended in order only when it exits 0.

    revocable: its output is in a transaction that can still be aborted.
    """

    argv: Sequence[str]
    revocable: bool
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
        """At the end of its output: raises unless it exited with 0; Aborted where nothing of it is visible yet."""
        assert self.process is not None  # noqa: S101  # it was started
        status = self.process.wait()
        if status == 0:
            return
        how = f"was killed by signal {-status}" if status < 0 else f"ended with exit status {status}"
        told = f"{self.argv[0]} {how}: its output cannot be trusted to be complete"
        if self.revocable:
            raise Aborted(
                f"{told}, and nothing of the open transaction is visible.", "Mend the command and run it again."
            )
        raise KdgError(
            f"{told}; what it wrote was sent.", "Mend the command; sending it all again doubles what was sent."
        )

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
