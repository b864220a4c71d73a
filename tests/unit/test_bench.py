"""The parts of `make bench`: the page names the rows outside their limit, and a race runs its sides in turns."""

from __future__ import annotations

import sys
from typing import Any, cast

import pytest

from tests.bench import page
from tests.bench.race import Run, race, take
from tests.bench.rows import ROWS
from tests.bench.sides import holds
from tests.bench.stage import Stage


def row(**changed: Any) -> dict[str, Any]:
    made = {
        "name": "consume",
        "peer": "kcat",
        "records": 1000,
        "ours": 1.0,
        "theirs": 2.0,
        "ratio": 0.5,
        "bar": 0.8,
        "seconds": None,
        "memory": 5_000_000,
        "held": True,
    }
    return made | changed


def results(*rows: dict[str, Any]) -> dict[str, Any]:
    return {
        "command": "make bench",
        "date": "2026-11-25",
        "machine": "2 cores",
        "repeats": 5,
        "rows": rows,
        "grown": [],
        "instances": [],
        "standstill": {},
    }


def test_the_table_names_the_rows_outside_their_limit() -> None:
    slow = row(name="produce", ratio=1.4, bar=1.25, held=False)
    shown = page.markdown(results(row(), slow))
    assert "| consume, 1,000 records | `kcat` | 1.00 s | 2.00 s | 0.50 | 0.80 | held | 5 MB |" in shown
    assert "1.40 | 1.25 | **missed**" in shown
    assert page.missed(results(row(), slow)) == ["produce"]


def test_a_bar_has_its_ratio_and_marks_peer_and_limit() -> None:
    """A bar is as long as the ratio, and marks the peer and the limit."""
    line = page.chart([row()]).splitlines()[1]
    assert line.count("█") == round(0.5 / page.WIDEST * page.CELLS)
    assert line.index("█") < line.index("|") < line.index("¦")
    beyond = page.chart([row(ratio=9.0)]).splitlines()[1]
    assert beyond.count("█") == page.CELLS - 2  # the bar ends at the edge, and both marks stay visible


def test_every_row_has_one_limit() -> None:
    """Every row has a limit: either a ratio or seconds."""
    assert [r.name for r in ROWS if (r.bar is None) == (r.seconds is None)] == []


def test_sides_take_turns_and_each_run_is_checked() -> None:
    order: list[str] = []

    def side(name: str) -> Run:
        return Run([sys.executable, "-c", "pass"], check=lambda: order.append(name))

    times = race([lambda: side("a"), lambda: side("b")], 3)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert [len(t.seconds) for t in times] == [3, 3]
    assert min(t.memory for t in times) > 1_000_000


def test_a_program_that_fails_has_no_time() -> None:
    with pytest.raises(RuntimeError, match="ended with 3"):
        take(Run([sys.executable, "-c", "raise SystemExit(3)"]))


class CountingStage:
    """A stage whose topic shows these counts, one after the other."""

    def __init__(self, *counts: int) -> None:
        self.left = list(counts)

    def count(self, _topic: str) -> int:
        return self.left.pop(0)


def test_a_complete_topic_is_counted_once() -> None:
    """The count that completes the topic is the count that is judged; the cluster is not asked again."""
    stage = CountingStage(90, 101)
    holds(cast(Stage, stage), "topic", 100)
    assert stage.left == []


def test_a_topic_with_too_many_records_is_refused() -> None:
    with pytest.raises(RuntimeError, match="holds 200 records, and 100 were sent"):
        holds(cast(Stage, CountingStage(200)), "topic", 100)
