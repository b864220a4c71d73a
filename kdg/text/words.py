"""Owns the grammar of messages: the plural of a noun, and the verb after it."""

from __future__ import annotations


def plural(count: int, noun: str) -> str:
    """A count with its noun, in the plural unless the count is 1: `1 record`, `5 records`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def plural_were(count: int, noun: str) -> str:
    """A count with its noun and the verb: `1 record was`, `5 records were`."""
    return f"{plural(count, noun)} {'was' if count == 1 else 'were'}"
