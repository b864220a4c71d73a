"""Pages of `kdg explain`, as tests read them."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

from kdg.core.guarantees import GUARANTEES
from kdg.explain import explain, names

PAIRS = list(combinations((guarantee.name for guarantee in GUARANTEES), 2))
CALLS = [(), ("exit-codes",), *((name,) for name in names()), *PAIRS]
"""The arguments of `kdg explain`: one call for every page."""


def data(*asked: str, client: str = "librdkafka") -> dict[str, Any]:
    """A page as JSON has it."""
    page: dict[str, Any] = json.loads(explain(asked, format="json", client=client))
    return page


def squeezed(text: str) -> str:
    """The text without line breaks and alignment, so that a wrapped sentence can be found."""
    return " ".join(text.split())


def unwrapped(*asked: str) -> str:
    """A page in Markdown, whose lines are never wrapped."""
    return explain(asked, format="markdown")
