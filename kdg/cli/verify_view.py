"""Owns the live view of `kdg verify` on a terminal: the records, the lag, and the faults on a time line."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from kdg.text.plain import printable

if TYPE_CHECKING:
    from kdg.verify.progress import Progress
    from kdg.verify.setup import Setup

PER_SECOND = 4
BARS = "▁▂▃▄▅▆▇█"
MARKS = {
    "kill": ("K", "red"),
    "term": ("T", "yellow"),
    "pause": ("P", "blue"),
    "broker-kill": ("B", "bold red"),
    "broker-pause": ("b", "bold blue"),
}
"""The mark of each kind of fault on the time line, and its colour."""


class View:
    """The live view on stderr, inside `with`. The last state that it showed stays on the terminal."""

    def __init__(self, setup: Setup, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._setup = setup
        self._now: Progress | None = None
        self._lags: list[tuple[float, int]] = []
        self._live = Live(get_renderable=self._draw, console=self._console, refresh_per_second=PER_SECOND)
        self._last = 0.0

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, progress: Progress) -> None:
        """Take the latest state of the run. It may be called often: the view is drawn PER_SECOND times a second."""
        self._now = progress
        if time.monotonic() - self._last >= 1 / PER_SECOND:
            self._last = time.monotonic()
            self._lags.append((progress.seconds, progress.lag))

    def _draw(self) -> Group:
        now, setup = self._now, self._setup
        program = printable(" ".join(setup.command)) or "kdg pipe"
        title = Text(f"{setup.guarantee.name}  ", style="bold")
        title.append(f"{program} × {setup.workers}", style="default")
        if now is None:
            return Group(title)
        wide = max(min(self._console.width - 12, 100), 20)
        span = max(setup.seconds * 1.15, now.seconds)
        rows = Table.grid(padding=(0, 2))
        rows.add_row("time", f"{now.seconds:.0f} s, {now.phase}")
        rows.add_row("records", f"{now.fed:,} fed, {now.seen:,} out, lag {now.lag:,}")
        rows.add_row("faults", self._time_line(now, span, wide))
        rows.add_row("lag", Text(self._lag_line(span, wide), style="dim"))
        rows.add_row("", Text(self._legend(now), style="dim"))
        return Group(title, rows)

    @staticmethod
    def _time_line(now: Progress, span: float, wide: int) -> Text:
        here = int(now.seconds / span * (wide - 1))
        cells = [("─" if at <= here else " ", "dim") for at in range(wide)]
        for fault in now.faults:
            cells[int(fault.seconds / span * (wide - 1))] = MARKS[fault.kind.word]
        return Text.assemble(*cells)

    def _lag_line(self, span: float, wide: int) -> str:
        cells = [0] * wide
        for seconds, lag in self._lags:
            at = min(int(seconds / span * (wide - 1)), wide - 1)
            cells[at] = max(cells[at], lag)
        most = max(cells)
        return "".join(BARS[cell * (len(BARS) - 1) // most] if cell else " " for cell in cells) if most else ""

    @staticmethod
    def _legend(now: Progress) -> str:
        counts = {word: sum(fault.kind.word == word for fault in now.faults) for word in MARKS}
        return "  ".join(f"{MARKS[word][0]} {word} {count}" for word, count in counts.items() if count)
