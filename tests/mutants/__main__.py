"""`make mutants`: each mutant in place of kdg, under the test that has to miss what it lacks. Exit 1 when one is not missed."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from . import MUTANTS, ROOT, Mutant


def missed(name: str, mutant: Mutant) -> bool:
    """Whether the test fails, and not for want of a broker or of the test itself."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:randomly", mutant.missed_by]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "MUTANT": name}, capture_output=True, text=True, check=False
    )
    return done.returncode == 1 and " error" not in done.stdout.splitlines()[-1]


def main(names: list[str]) -> int:
    """All of them, or those that are named."""
    survivors = []
    for name in names or MUTANTS:
        began, mutant = time.monotonic(), MUTANTS[name]
        caught = missed(name, mutant)
        survivors += [] if caught else [name]
        sys.stdout.write(f"{'missed by' if caught else 'NOT MISSED BY':14} {mutant.missed_by.rpartition('::')[2]}  {name} ({mutant.protects}), {time.monotonic() - began:.0f} s\n")  # fmt: skip
        sys.stdout.flush()
    sys.stdout.write(f"{len(names or MUTANTS) - len(survivors)} of {len(names or MUTANTS)} mutants are caught\n")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
