"""Owns the encodings of `--key-encoding` and `--value-encoding`: how bytes appear as text, and back."""

from __future__ import annotations

import binascii
import string
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from kdg.errors import UsageError

Column = Sequence[bytes | None]
T = TypeVar("T")
U = TypeVar("U")


def _same(data: bytes) -> bytes:
    return data


@dataclass(frozen=True, slots=True)
class Encoding:
    """One row: the name on the command line, the two directions, and the characters its text is made of.

    `decode` raises ValueError. `plain` says that both directions change nothing.
    """

    name: str
    encode: Callable[[bytes], bytes] = _same
    decode: Callable[[bytes], bytes] = _same
    alphabet: frozenset[int] = frozenset()

    @property
    def plain(self) -> bool:
        """Whether text and bytes are the same."""
        return self.encode is _same


ENCODINGS = {
    row.name: row
    for row in (
        Encoding("utf8"),
        Encoding("hex", binascii.hexlify, binascii.unhexlify, frozenset(string.hexdigits.encode())),
        Encoding(
            "base64",
            partial(binascii.b2a_base64, newline=False),
            partial(binascii.a2b_base64, strict_mode=True),
            frozenset((string.ascii_letters + string.digits + "+/").encode()),
        ),
    )
}


def encoding_named(name: str) -> Encoding:
    """The row of that name; UsageError when there is none."""
    if name not in ENCODINGS:
        raise UsageError(f"unknown encoding {name!r}: choose {', '.join(ENCODINGS)}")
    return ENCODINGS[name]


def encode_column(encoding: Encoding, column: Column) -> Column:
    """Each item as text in the encoding; null stays null."""
    if encoding.plain:
        return column
    return [None if item is None else encoding.encode(item) for item in column]


def decode_column(encoding: Encoding, column: Column, name: str, place: str, first: int) -> Column:
    """Each item decoded; null stays null. UsageError with the record's number and what the column is called."""
    if encoding.plain:
        return column
    return each(partial(decode_item, encoding, name), column, place, first)


def decode_item(encoding: Encoding, name: str, item: bytes | None) -> bytes | None:
    """One item decoded; ValueError with the reason."""
    try:
        return None if item is None else encoding.decode(item)
    except ValueError as exc:
        raise ValueError(f"{name} is not {encoding.name}: {exc}") from exc


def each(function: Callable[[T], U], items: Iterable[T], place: str, first: int) -> list[U]:
    """The function of each item; its ValueError becomes a UsageError that names the record by its number."""
    results: list[U] = []
    try:
        for item in items:
            results.append(function(item))  # noqa: PERF401 - how many there are says where it failed
    except ValueError as exc:
        raise UsageError(f"{place} {first + len(results)}: {exc}") from exc
    return results


def place_named(delimiter: bytes) -> str:
    """What messages call a record of the input."""
    return "line" if delimiter == b"\n" else "record"


def refuse_delimiter(delimiter: bytes, flag: str, *encodings: Encoding) -> None:
    """UsageError when the text of an encoding may contain the delimiter."""
    for encoding in encodings:
        if encoding.alphabet.issuperset(delimiter):
            raise UsageError(
                f"{flag} {delimiter.decode(errors='replace')!r} may occur within {encoding.name} text: choose another"
            )


def with_fixed_key(keys: Column | None, key: bytes | None, count: int) -> Column | None:
    """The keys of `count` records, with the key of -k, if there is one, where they have none."""
    if key is None:
        return keys
    return [key] * count if keys is None else [key if own is None else own for own in keys]
