"""Owns the page of results: tables, chart and sentences, made from the JSON of a run.

README and terminal show the same page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Results = Mapping[str, Any]
"""The JSON of `tests/bench/__main__.py`: command, date, machine, repeats, rows, grown, instances, standstill."""

CELLS = 40
WIDEST = 1.5
"""The right edge of the chart, as a multiple of the peer's time."""


def markdown(results: Results) -> str:
    """The whole page as Markdown."""
    head = f"`{results['command']}`, {results['date']}, {results['machine']}"
    parts = [
        f"{head}; medians of {results['repeats']}, interleaved.",
        table(results["rows"]),
        f"```text\n{chart(results['rows'])}```",
        grown(results["grown"]),
    ]
    if results["instances"]:
        parts.append(shared(results["instances"], results["standstill"]))
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A line for each row: name, peer, both times, their ratio, the limit, whether it was held, and kdg's memory."""
    lines = [
        "| what | peer | kdg | peer | ratio | at most | | memory |",
        "| --- | --- | --: | --: | --: | --: | --- | --: |",
    ]
    for row in rows:
        most = f"{row['seconds']:.2f} s" if row["seconds"] else f"{row['bar']:.2f}"
        records = f"{row['name']}, {row['records']:,} records" if row["records"] > 1 else row["name"]
        cells = [
            records,
            f"`{row['peer']}`",
            f"{row['ours']:.2f} s",
            f"{row['theirs']:.2f} s",
            f"{row['ratio']:.2f}",
            most,
            _held(row),
            _megabytes(row["memory"]),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def chart(rows: Sequence[Mapping[str, Any]]) -> str:
    """A bar for each row: kdg's time as a multiple of the peer's. `¦` marks the peer's time, `|` the limit."""
    shown = [row for row in rows if row["bar"]]
    wide = max((len(_title(row)) for row in shown), default=0)
    lines = [f"{'':{wide}}  time as a multiple of the peer's: ¦ the peer, | the most that is allowed"]
    lines += [f"{_title(row):{wide}}  {_bar(row['ratio'], row['bar'])} {row['ratio']:.2f}" for row in shown]
    return "\n".join(lines) + "\n"


def _title(row: Mapping[str, Any]) -> str:
    return f"{row['name']} : {row['peer']}"


def _bar(ratio: float, most: float) -> str:
    cells = list("█" * min(_cell(ratio), CELLS) + " " * max(CELLS - _cell(ratio), 0))
    for at, mark in ((1.0, "¦"), (most, "|")):
        cells[min(_cell(at), CELLS - 1)] = mark
    return "".join(cells)


def _cell(multiple: float) -> int:
    return round(multiple / WIDEST * CELLS)


def grown(lines: Sequence[Mapping[str, Any]]) -> str:
    """The table of growth: more records, larger records, more partitions."""
    rows = ["| what | seconds | memory | held to | |", "| --- | --: | --: | --- | --- |"]
    for line in lines:
        held = _held(line) if line["limit"] else ""
        cells = [line["what"], f"{line['seconds']:.2f}", _megabytes(line["memory"]), line["limit"], held]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def shared(lines: Sequence[Mapping[str, Any]], standstill: Mapping[str, float]) -> str:
    """The table of several instances in one group, and the standstill when one more joins."""
    rows = ["| instances of an exactly-once pipe, 8 partitions | seconds | records a second |", "| --: | --: | --: |"]
    for line in lines:
        speed = f"{line['records'] / line['seconds']:,.0f}"
        rows.append(f"| {line['instances']} | {line['seconds']:.2f} | {speed} |")
    joined = (
        f"No new record was committed for at most {standstill['alone']:.2f} s with one instance, and "
        f"{standstill['joining']:.2f} s while a second joined and both worked."
    )
    return "\n".join(rows) + f"\n\n{joined}\n"


def _held(row: Mapping[str, Any]) -> str:
    return "held" if row["held"] else "**missed**"


def _megabytes(size: float) -> str:
    return f"{size / 1_000_000:.0f} MB"


def missed(results: Results) -> list[str]:
    """The rows and lines that are not within their limit."""
    rows = [row["name"] for row in results["rows"] if not row["held"]]
    return rows + [line["what"] for line in results["grown"] if not line["held"]]
