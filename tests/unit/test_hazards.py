"""Every reference to a hazard names one of the list in kdg/kafka/__init__.py."""

from __future__ import annotations

import re
from pathlib import Path

import kdg.kafka

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
    """A number that code or a test refers to is in the list."""
    unknown = {
        str(path.relative_to(ROOT)): sorted(numbers - HAZARDS.keys())
        for folder in ("kdg", "tests")
        for path, numbers in references(folder).items()
        if numbers - HAZARDS.keys()
    }
    assert unknown == {}
