"""The live view of `kdg verify`, and the page of `kdg verify --cost`."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from kdg.cli.commands.verify import live_view
from kdg.cli.verify_view import MARKS, View
from kdg.core.guarantees import EXACTLY_ONCE
from kdg.runs import verify as verify_run
from kdg.verify import cost, faults
from kdg.verify.faults import FaultKind
from kdg.verify.progress import InjectedFault, Progress
from kdg.verify.setup import Setup

# ── the live view ──


def test_view_shows_records_lag_and_faults() -> None:
    """The view shows the records, the lag, and the faults on a time line."""
    console = Console(file=StringIO(), width=80, force_terminal=True, color_system=None)
    view = View(Setup(EXACTLY_ONCE), console)
    injected = [
        InjectedFault(10.0, FaultKind.KILL, while_flowing=True),
        InjectedFault(30.0, FaultKind.PAUSE_LONG, while_flowing=False),
    ]
    with view:
        view.show(Progress("faults", 31.0, 1_500, 1_400, injected))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "1,500 fed, 1,400 out, lag 100" in shown
    line = next(line for line in shown.splitlines() if "faults" in line and "─" in line)
    assert line.index("K") < line.index("P")
    assert "K kill 1" in shown
    assert "P pause 1" in shown


def test_names_cannot_act_on_the_terminal() -> None:
    """The command of the workers is shown with its control characters escaped."""
    console = Console(file=StringIO(), width=80, force_terminal=True, color_system=None)
    view = View(Setup(EXACTLY_ONCE, command=("sh", "\x1b]0;title\x07\x9b2J\u202e")), console)
    with view:
        view.show(Progress("faults", 1.0, 1, 1, []))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert r"sh \x1b]0;title\x07\x9b2J\u202e" in shown
    assert "\x1b]0" not in shown


@pytest.mark.parametrize(
    ("terminal", "quiet", "verbose", "live"),
    [(True, False, False, True), (False, False, False, False), (True, True, False, False), (True, False, True, False)],
)
def test_only_a_terminal_has_the_live_view(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, quiet: bool, verbose: bool, live: bool
) -> None:
    stderr = StringIO()
    monkeypatch.setattr("sys.stderr", stderr)
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    noted: list[str] = []
    with verify_run.live(Setup(EXACTLY_ONCE), noted.append, live_view, quiet=quiet, verbose=verbose) as (show, note):
        show(Progress("faults", 1.0, 5, 4, []))
        note("a fault")
    assert ("lag" in stderr.getvalue()) == live
    assert (noted == ["a fault"]) == verbose


def test_the_view_has_a_mark_for_every_kind_of_fault() -> None:
    assert set(MARKS) == set(faults.WORDS)


# ── the cost ──


def test_throughput_is_what_came_after_the_first_arrival() -> None:
    assert cost.rate([(10.0, 500), (11.0, 300), (12.0, 300)]) == 300


def test_percentiles_are_those_of_the_nearest_rank() -> None:
    assert cost.percentile(range(100), 50) == 50
    assert cost.percentile(range(100), 99) == 99
    assert cost.percentile([7.0], 99) == 7.0


def test_cost_is_a_table_and_a_chart() -> None:
    """The cost is a table, and a chart whose bars are in proportion."""
    costs = [cost.Cost("at-most-once", 9, 50_000, 10, 20), cost.Cost("exactly-once", 9, 100_000, 500, 1_000)]
    text = cost.text(costs)
    assert text.splitlines()[:3] == [
        "              records/s     p50       p99",
        "at-most-once     50,000   10 ms     20 ms",
        "exactly-once    100,000  500 ms  1,000 ms",
    ]
    bars = [line.count("█") for line in text.splitlines() if "█" in line]
    assert bars == [20, 40, 1, 40]
