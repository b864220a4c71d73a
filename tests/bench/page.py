"""Owns how results are shown: the table, the chart and the sentences under them, from the JSON that a run writes. README and terminal get the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Results = Mapping[str, Any]
"""What `tests/bench/__main__.py` writes: command, date, machine, repeats, rows, grown, instances, standstill."""

CELLS = 40
WIDEST = 1.5
"""The multiple of the peer's time at the chart's right edge."""


def markdown(results: Results) -> str:
    """All of it."""
    parts = [
        f"`{results['command']}`, {results['date']}, {results['machine']}; medians of {results['repeats']}, interleaved.",
        table(results["rows"]),
        f"```text\n{chart(results['rows'])}```",
        grown(results["grown"]),
    ]
    if results["instances"]:
        parts.append(shared(results["instances"], results["standstill"]))
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A line each: what, against whom, both times, their ratio or kdg's own time, the bar, kdg's memory."""
    lines = [
        "| what | peer | kdg | peer | ratio | at most | | memory |",
        "| --- | --- | --: | --: | --: | --: | --- | --: |",
    ]
    for row in rows:
        most = f"{row['seconds']:.2f} s" if row["seconds"] else f"{row['bar']:.2f}"
        records = f"{row['name']}, {row['records']:,} records" if row["records"] > 1 else row["name"]
        cells = [records, f"`{row['peer']}`", f"{row['ours']:.2f} s", f"{row['theirs']:.2f} s", f"{row['ratio']:.2f}", most, _held(row), _megabytes(row["memory"])]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def chart(rows: Sequence[Mapping[str, Any]]) -> str:
    """kdg's time as a multiple of its peer's, a bar each; `¦` is the peer, `|` what the row is held to."""
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
    """With more records, bytes a record, partitions."""
    rows = ["| what | seconds | memory | held to | |", "| --- | --: | --: | --- | --- |"]
    rows += [f"| {line['what']} | {line['seconds']:.2f} | {_megabytes(line['memory'])} | {line['limit']} | {_held(line) if line['limit'] else ''} |" for line in lines]  # fmt: skip
    return "\n".join(rows) + "\n"


def shared(lines: Sequence[Mapping[str, Any]], standstill: Mapping[str, float]) -> str:
    """Several instances of one group, and what it costs when one joins."""
    rows = ["| instances of an exactly-once pipe, 8 partitions | seconds | records a second |", "| --: | --: | --: |"]
    rows += [f"| {line['instances']} | {line['seconds']:.2f} | {line['records'] / line['seconds']:,.0f} |" for line in lines]  # fmt: skip
    joined = f"No new record was committed for at most {standstill['alone']:.2f} s with one instance, and {standstill['joining']:.2f} s while a second joined and both worked."
    return "\n".join(rows) + f"\n\n{joined}\n"


def _held(row: Mapping[str, Any]) -> str:
    return "held" if row["held"] else "**missed**"


def _megabytes(size: float) -> str:
    return f"{size / 1_000_000:.0f} MB"


def missed(results: Results) -> list[str]:
    """What is outside its bar."""
    return [row["name"] for row in results["rows"] if not row["held"]] + [line["what"] for line in results["grown"] if not line["held"]]  # fmt: skip
