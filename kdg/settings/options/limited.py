"""Owns which options belong to which guarantee: `kdg explain` lists them, and another guarantee refuses them."""

from __future__ import annotations

from collections.abc import Iterable

from kdg.core.guarantees import Guarantee
from kdg.errors import UsageError
from kdg.settings.options.option import Option, options_of
from kdg.settings.options.reading import Deduplication, Output
from kdg.settings.options.sending import Copying, Delivery

LIMITED = (Output, Deduplication, Delivery, Copying)
"""The groups with options that belong to some guarantees only."""


def flags_under(guarantee: Guarantee) -> list[str]:
    """The options that this guarantee has and another one has not, sorted: ["--acks", "--dedup-by", ...]."""
    options = [option for group in LIMITED for option in options_of(group).values()]
    return sorted({option.name for option in options if guarantee in option.only_under})


def refuse_foreign(guarantee: Guarantee, typed: Iterable[Option]) -> None:
    """Raises UsageError for an option that belongs to other guarantees than this one."""
    for option in typed:
        if option.only_under and guarantee not in option.only_under:
            homes = " or ".join(home.name for home in option.only_under)
            raise UsageError(f"{option.name} means nothing under {guarantee.name}.", f"Drop it, or choose -g {homes}.")
