"""The list of hazards in kdg/kafka/__init__.py: every reference resolves, and every hazard has code and a test."""

from __future__ import annotations

import re
from pathlib import Path

import kdg.kafka
from tests.mutants import MUTANTS

ROOT = Path(__file__).parents[2]
LIST = ROOT / "kdg" / "kafka" / "__init__.py"
_PARTS = re.split(r"^ ?(\d+)\. ", kdg.kafka.__doc__ or "", flags=re.MULTILINE)
HAZARDS = dict(zip(map(int, _PARTS[1::2]), _PARTS[2::2], strict=True))
REFERENCE = re.compile(r"\bhazards?\s+(\d+(?:(?:, | and )\d+)*)\b", re.IGNORECASE)


def references(folder: str) -> dict[Path, set[int]]:
    """The hazards that each file of a folder refers to."""
    return {
        path: {int(number) for listed in REFERENCE.findall(path.read_text()) for number in re.findall(r"\d+", listed)}
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path not in (LIST, Path(__file__))
    }


def test_hazards_are_numbered_from_1_in_order() -> None:
    """The numbers of the list are 1, 2, 3 and so on."""
    assert list(HAZARDS) == list(range(1, len(HAZARDS) + 1))


def test_references_to_hazards_resolve() -> None:
    """A number that code, a test or a mutant refers to is in the list."""
    unknown = {
        str(path.relative_to(ROOT)): sorted(numbers - HAZARDS.keys())
        for folder in ("kdg", "tests")
        for path, numbers in references(folder).items()
        if numbers - HAZARDS.keys()
    }
    assert unknown == {}
    assert {number for mutant in MUTANTS.values() for number in mutant.hazards} - HAZARDS.keys() == set()


WITHOUT_CODE = "No code can"
"""The words with which the list says that a hazard is not handled."""


def test_every_hazard_has_code_and_a_test() -> None:
    """Code, and a test or a mutant, refer to each hazard, unless the list says that no code can handle it."""
    handled = {number for number, text in HAZARDS.items() if WITHOUT_CODE not in text}
    mutants = {number for mutant in MUTANTS.values() for number in mutant.hazards}
    assert handled - set().union(*references("kdg").values()) == set()
    assert handled - set().union(mutants, *references("tests").values()) == set()


def test_no_reference_to_a_page_outside_the_repository() -> None:
    """Code, tests and the Makefile do not point to pages that a reader of the repository does not have."""
    outside = re.compile(r"\b(HAZARDS|DESIGN|SETTINGS|HOUSE|STYLE|FIELD)\.md\b")
    files = [*(ROOT / "kdg").rglob("*.py"), *(ROOT / "tests").rglob("*.py"), ROOT / "Makefile", ROOT / "README.md"]
    assert [str(path.relative_to(ROOT)) for path in files if outside.search(path.read_text())] == []
