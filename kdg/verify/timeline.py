"""Owns the time of a run: its clock, the actions that are due later, and the history of what happened when."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

Action = Callable[[], None]


@dataclass(slots=True)
class Timeline:
    """All times are seconds since the run began. note: receives each line of the history as it happens."""

    note: Callable[[str], None]
    history: list[str] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)
    _due: list[tuple[float, Action]] = field(default_factory=list)

    @property
    def now(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._began

    def later(self, seconds: float, action: Action) -> None:
        """Have an action done in so many seconds."""
        self._due.append((self.now + seconds, action))

    def run_due(self) -> None:
        """Do every action whose time has come. An action may add new ones."""
        due = [entry for entry in self._due if entry[0] <= self.now]
        self._due = [entry for entry in self._due if entry not in due]
        for _when, action in due:
            action()

    def record(self, line: str) -> None:
        """Add a line to the history."""
        line = f"{self.now:7.2f} {line}"
        self.history.append(line)
        self.note(line)
