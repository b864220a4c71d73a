"""`make bench`: kdg beside other tools, and growth. `make bench-quick`: without growth, and with fewer records.

    python -m tests.bench [--quick] [--only TEXT] [--write FILE]

Prints a table and a chart. Exit 1: a row is outside its limit. Run it on a machine that does nothing else meanwhile.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

from kdg.sandbox import Sandbox
from kdg.sandbox.jars import kafka_version
from tests.peers.programs import MissingPeerError, kcat

from . import growth, page
from .race import race
from .rows import ROWS, Row
from .stage import Stage

REPEATS, QUICK_REPEATS = 5, 3


def measure(row: Row, stage: Stage, repeats: int, *, quick: bool) -> dict[str, Any]:
    """The measured row: both times, their ratio, and whether it is within its limit."""
    records = row.quick if quick and row.quick else row.records
    ours, theirs = race([lambda: row.ours(stage, records), lambda: row.theirs(stage, records)], repeats)
    ratio = ours.median / theirs.median
    return {
        "name": row.name,
        "peer": row.peer,
        "records": records,
        "ours": ours.median,
        "theirs": theirs.median,
        "ratio": ratio,
        "bar": row.bar,
        "seconds": row.seconds,
        "memory": ours.memory,
        "held": ratio <= row.bar if row.bar else ours.median <= (row.seconds or 0),
        "all": {"ours": ours.seconds, "theirs": theirs.seconds},
    }


def more(stage: Stage) -> dict[str, Any]:
    """The results of growth: more records, larger records, partitions, instances."""
    lines: list[Any] = []
    for line in chain(
        growth.growth(stage, 1_000_000, 16, 3),
        growth.large_records(stage, 10_000),
        growth.partitions(stage, 1_000_000, (1, 10, 100, 1000), 3),
    ):
        lines.append(asdict(line))
        _say(f"{line.what}: {line.seconds:.2f} s, {line.memory / 1_000_000:.0f} MB")
    shared = [asdict(line) for line in growth.instances(stage, 4_000_000, (1, 2, 4))]
    return {"grown": lines, "instances": shared, "standstill": asdict(growth.standstill(stage, 4_000_000))}


def machine() -> str:
    """The machine and the versions, in one line."""
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", info.read_text()) if info.exists() else None
    model = found[1] if found else platform.processor() or platform.machine()
    printed = subprocess.run([kcat(), "-V"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"Version (\S+)", printed)
    parts = [
        f"{os.cpu_count()} cores ({model})",
        platform.system(),
        f"Python {platform.python_version()}",
        f"Apache Kafka {kafka_version()}",
        f"kcat {version[1] if version else '?'}",
    ]
    return ", ".join(parts)


def run(*, quick: bool, only: str) -> Mapping[str, Any]:
    """Measure the rows, and growth unless `quick` or `only`. Raises MissingPeerError before anything is started."""
    results: dict[str, Any] = {
        "command": "make bench-quick" if quick else "make bench",
        "date": f"{dt.datetime.now(dt.UTC):%Y-%m-%d}",
        "machine": machine(),
        "repeats": QUICK_REPEATS if quick else REPEATS,
        "rows": [],
        "grown": [],
        "instances": [],
        "standstill": {},
    }
    with Sandbox(note=_say) as sandbox, tempfile.TemporaryDirectory() as folder:
        stage = Stage(sandbox, Path(folder))
        for row in ROWS:
            if only in f"{row.name} : {row.peer}":
                measured = measure(row, stage, results["repeats"], quick=quick)
                results["rows"].append(measured)
                times = f"{measured['ours']:.2f} s to {measured['theirs']:.2f} s, ratio {measured['ratio']:.2f}"
                _say(f"{row.name} : {row.peer}: {times}")
        if not quick and not only:
            results.update(more(stage))
    return results


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main(argv: Sequence[str]) -> int:
    """Returns 0 if every row is within its limit, 1 if one is not, 2 if a peer is not installed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer records and repeats; no growth")
    parser.add_argument("--only", default="", metavar="TEXT", help="only the rows whose name or peer contains TEXT")
    parser.add_argument(
        "--write",
        type=Path,
        metavar="FILE",
        help="write the results to FILE as JSON, and the page to FILE.md for the README",
    )
    asked = parser.parse_args(argv)
    try:
        results = run(quick=asked.quick, only=asked.only)
    except MissingPeerError as error:
        _say(str(error))
        return 2
    sys.stdout.write(page.markdown(results))
    if asked.write:
        asked.write.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        asked.write.with_suffix(".md").write_text(page.markdown(results), encoding="utf-8")
    missed = page.missed(results)
    _say(f"outside the limit: {', '.join(missed)}" if missed else "every row is within its limit")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
