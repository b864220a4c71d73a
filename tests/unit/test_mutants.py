"""The table of mutants is whole: each names a test that exists, and what it takes out is still there."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.mutants import MUTANTS, ROOT, Mutant


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=list(MUTANTS))
def test_the_test_that_is_to_miss_it_exists(mutant: Mutant) -> None:
    file, _, name = mutant.missed_by.partition("::")
    assert re.search(rf"^def {name.partition('[')[0]}\(", (ROOT / file).read_text(), re.MULTILINE)


def test_each_takes_out_something_that_is_there() -> None:
    """In a process of its own: nothing puts it back."""
    script = "from tests.mutants import MUTANTS\nfor mutant in MUTANTS.values(): mutant.apply()"
    subprocess.run([sys.executable, "-W", "error", "-c", script], cwd=ROOT, check=True)
