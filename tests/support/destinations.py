"""Owns the files and databases into which tests on a real broker let consume write."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from .processes import Run
from .waiting import eventually


@dataclass(frozen=True, slots=True)
class Destination:
    """Where consume writes.

    args: the options of consume. found: the values there, in order. settled: how much of it counts as committed
    (bytes or rows).
    """

    args: tuple[str, ...]
    found: Callable[[], list[bytes]]
    settled: Callable[[], int]

    def moves_on(self, before: int, run: Run) -> bool:
        """Wait until more than `before` is settled, or the run has ended."""
        return eventually(lambda: self.settled() > before or not run.running)


def in_file(folder: Path) -> Destination:
    out, journal = folder / "out", folder / "out.kdg"

    def settled() -> int:
        return int(json.loads(journal.read_text())["length"]) if journal.exists() else 0

    return Destination(
        ("--output", str(out)), lambda: out.read_bytes().split(b"\n")[:-1] if out.exists() else [], settled
    )


def in_table(folder: Path) -> Destination:
    def ask(query: str) -> list[tuple[bytes]]:
        with closing(sqlite3.connect(folder / "db", timeout=10)) as connection:
            try:
                return connection.execute(query).fetchall()
            except sqlite3.OperationalError:  # no table yet
                return []

    def found() -> list[bytes]:
        return [row[0] for row in ask("SELECT value FROM records ORDER BY rowid")]

    def settled() -> int:
        return next((int(row[0]) for row in ask("SELECT count(*) FROM records")), 0)

    return Destination(("--sqlite", str(folder / "db")), found, settled)


DESTINATIONS = {"--output": in_file, "--sqlite": in_table}
