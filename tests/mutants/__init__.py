"""Owns the mutants: kdg with one of its protections taken out, and what has to notice that.

A mutant is data (mutant.py); groups.py, transactions.py, records.py, calls.py and rows.py list them. There are three
ways to apply one:

- For good in a process: `MUTANT=NAME tests/mutants/kdg ARGUMENTS` is kdg with the mutant, and `MUTANT=NAME pytest ...`
  runs tests with that command in place of kdg. `make mutants` does this with each mutant that names a test, and judges
  the failure (judge.py). tests/hazards, tests/torture and tests/broker/test_mutants.py apply a mutant themselves, and
  expect the damage.
- Inside a `with`, undone afterwards: `mutant.applied()`. The simulator does this.
- As a row of the table of guarantees: `mutant.row.changed`. The model check of tests/unit/test_crash.py does this.
"""

from __future__ import annotations

from pathlib import Path

from . import calls, groups, records, rows, transactions
from .mutant import Mutant

ROOT = Path(__file__).parents[2]
KDG = str(Path(__file__).with_name("kdg"))
"""The command that is the mutant which MUTANT in the environment names."""
MUTANTS: dict[str, Mutant] = {
    mutant.name: mutant
    for mutant in (*groups.MUTANTS, *transactions.MUTANTS, *records.MUTANTS, *calls.MUTANTS, *rows.MUTANTS)
}
"""Every mutant, by its name."""


def command(*names: str) -> tuple[str, ...]:
    """The command that is kdg with these mutants."""
    return ("env", f"MUTANT={','.join(names)}", KDG)


def find(names: str) -> list[Mutant]:
    """The mutants that MUTANT names: one, or several with commas between. Rehearsals are found as well."""
    from .rehearsal import REHEARSALS

    known = {**MUTANTS, **{mutant.name: mutant for mutant in REHEARSALS}}
    return [known[name] for name in names.split(",")]
