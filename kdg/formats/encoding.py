"""Owns the encodings of `--key-encoding` and `--value-encoding`: bytes as text, and text as bytes."""

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
    """An encoding: its name on the command line, the two directions, and the characters that its text can contain.

    decode: raises ValueError. alphabet: codes of ASCII characters; empty for utf8, whose text can contain any
    character.
    """

    name: str
    encode: Callable[[bytes], bytes] = _same
    decode: Callable[[bytes], bytes] = _same
    alphabet: frozenset[int] = frozenset()

    @property
    def plain(self) -> bool:
        """Whether text and bytes are the same, as in utf8."""
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
    """The encoding with that name. Raises UsageError if there is none."""
    if name not in ENCODINGS:
        raise UsageError(f"unknown encoding {name!r}: choose {', '.join(ENCODINGS)}")
    return ENCODINGS[name]


def encode_column(encoding: Encoding, column: Column) -> Column:
    """Each item as text in the encoding; None stays None."""
    if encoding.plain:
        return column
    return [None if item is None else encoding.encode(item) for item in column]


def decode_column(encoding: Encoding, column: Column, name: str, place: str, first: int) -> Column:
    """Each item decoded; None stays None.

    name: what messages call the column (`key`). place: what they call a record (`line`). first: the number of the first
    record. Raises UsageError with the number of the record that cannot be decoded.
    """
    if encoding.plain:
        return column
    return each(partial(decode_item, encoding, name), column, place, first)


def decode_item(encoding: Encoding, name: str, item: bytes | None) -> bytes | None:
    """One item decoded. Raises ValueError with the reason."""
    try:
        return None if item is None else encoding.decode(item)
    except ValueError as exc:
        raise ValueError(f"{name} is not {encoding.name}: {exc}") from exc


def each(function: Callable[[T], U], items: Iterable[T], place: str, first: int) -> list[U]:
    """`function` applied to each item. Its ValueError becomes a UsageError with the number of the record."""
    results: list[U] = []
    try:
        for item in items:
            results.append(function(item))  # noqa: PERF401 - the number of results says which item failed
    except ValueError as exc:
        raise UsageError(f"{place} {first + len(results)}: {exc}") from exc
    return results


def place_named(delimiter: bytes) -> str:
    """What messages call a record of the input: `line`, or `record` for another delimiter."""
    return "line" if delimiter == b"\n" else "record"


def refuse_delimiter(delimiter: bytes, flag: str, *encodings: Encoding) -> None:
    """Raises UsageError if the text of an encoding can contain the delimiter."""
    for encoding in encodings:
        if encoding.alphabet.issuperset(delimiter):
            raise UsageError(
                f"{flag} {delimiter.decode(errors='replace')!r} can occur in {encoding.name} text: choose another one"
            )


def with_fixed_key(keys: Column | None, key: bytes | None, count: int) -> Column | None:
    """The keys of `count` records; a record without a key gets the key of -k, if -k is given."""
    if key is None:
        return keys
    return [key] * count if keys is None else [key if own is None else own for own in keys]
