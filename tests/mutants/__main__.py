"""`make mutants`: each mutant in place of kdg, under the test that has to fail then. Exit 1 if one is not caught."""

from __future__ import annotations

import sys
import time

from . import MUTANTS
from .judge import failure_of, wrong_with


def main(names: list[str]) -> int:
    """Run the mutants that are named, or every one that has a test."""
    tried = {name: MUTANTS[name] for name in names or MUTANTS if MUTANTS[name].test is not None}
    caught = 0
    for name, mutant in tried.items():
        assert mutant.test is not None
        began = time.monotonic()
        wrong = wrong_with(mutant, failure_of(mutant))
        caught += not wrong
        test = mutant.test.by.rpartition("::")[2]
        sys.stdout.write(
            f"{'NOT CAUGHT' if wrong else 'caught'}  {name}, by {test}, {time.monotonic() - began:.0f} s\n"
        )
        sys.stdout.write(f"    {wrong}\n" if wrong else "")
        sys.stdout.flush()
    sys.stdout.write(f"{caught} of {len(tried)} mutants are caught for the right reason\n")
    return 0 if caught == len(tried) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
