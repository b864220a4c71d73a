"""Owns which options belong to which guarantee, for `kdg explain`."""

from __future__ import annotations

from kdg.core.guarantees import Guarantee
from kdg.settings.options.option import options_of
from kdg.settings.options.reading import Deduplication, Output
from kdg.settings.options.sending import Copying, Delivery

LIMITED = (Output, Deduplication, Delivery, Copying)
"""The groups with options that belong to some guarantees only."""


def flags_under(guarantee: Guarantee) -> list[str]:
    """The options that this guarantee has and another one has not, sorted: ["--acks", "--dedup-by", ...]."""
    options = [option for group in LIMITED for option in options_of(group).values()]
    return sorted({option.name for option in options if guarantee in option.only_under})
