"""The only importer of confluent_kafka: sources, targets, transactions, look-ups, and the translation of its errors."""

from __future__ import annotations

import sys
from contextlib import suppress
from types import ModuleType


def _load_without_asyncio() -> None:
    """Load confluent_kafka, which needs asyncio for its asynchronous serdes alone: 20 ms of every start (DESIGN.md section 6).

    A version that needs it at once fails here, and is loaded with it by whoever imports it next.
    """
    if sys.modules.keys() & {"asyncio", "confluent_kafka"}:
        return
    sys.modules["asyncio"] = ModuleType("asyncio")
    try:
        with suppress(Exception):
            import confluent_kafka  # noqa: F401  # for its effect
    finally:
        del sys.modules["asyncio"]


_load_without_asyncio()
