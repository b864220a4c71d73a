"""Owns kcat's `-f`, and the escapes of `-f`, `-D` and `-K`. The tokens mean what they mean in kcat (its format.c):

    %s %S %R   value; its length, -1 for null; its length as four bytes, big-endian and signed
    %k %K      key; its length, -1 for null
    %T %h      timestamp in milliseconds, -1 if missing; headers as a=1,b=2, a null header as a=NULL
    %t %p %o   topic, partition, offset
    %%         a percent sign
    \\n \\t \\r \\0 \\xHH \\\\   escapes, replaced after the tokens; a backslash before other punctuation is dropped

A null key or value is printed as nothing, with -Z as NULL (kcat prints NULL for an empty one, too). Nothing is added
after a record. \\0 works (in kcat it ends the text), and so does \\0NN, which is octal.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from typing import Any

from kdg.core.records import Batch, Headers
from kdg.errors import UsageError
from kdg.formats.encoding import Column, Encoding, encode_column, encoding_named

_ESCAPE = re.compile(rb"\\(?:x(?P<hex>[0-9a-fA-F]{1,2})|(?P<octal>0[0-7]{0,2})|(?P<other>.))", re.DOTALL)
_LETTERS = {b"n": b"\n", b"t": b"\t", b"r": b"\r"}
_LENGTH = struct.Struct(">i").pack


def parse_delimiter(text: str, flag: str) -> bytes:
    """The bytes of -D or -K, with escapes replaced. flag: for messages. Raises UsageError for a wrong one."""
    if not text:
        raise UsageError(f"{flag}: a delimiter cannot be empty")
    try:
        return unescape(text)
    except ValueError as exc:
        raise UsageError(f"{flag} {text!r}: {exc}") from exc


def unescape(text: str) -> bytes:
    """The bytes of the text, with escapes replaced; a backslash at the end stays. Raises ValueError."""
    return _ESCAPE.sub(_resolve, text.encode("utf-8", "surrogateescape"))


def _resolve(match: re.Match[bytes]) -> bytes:
    if match["hex"]:
        return bytes([int(match["hex"], 16)])
    if match["octal"]:
        return bytes([int(match["octal"], 8)])
    other = match["other"]
    if other.isalnum() and other not in _LETTERS:
        raise ValueError(f"unknown escape \\{other.decode()}: use \\n, \\t, \\r, \\0, \\xHH or \\\\")
    return _LETTERS.get(other, other)


class TemplateEncoder:
    """Turns a Batch into text by a template, which becomes one %-format. null: printed for a null key or value."""

    def __init__(
        self, template: str, null: bytes = b"", key_encoding: str = "utf8", value_encoding: str = "utf8"
    ) -> None:
        self._null = null
        self._encodings = {"keys": encoding_named(key_encoding), "values": encoding_named(value_encoding)}
        self._format, self._tokens = _compile(template)
        self.terminator = unescape(re.split("%.", template, flags=re.DOTALL)[-1])
        self.columns = frozenset({"values", *(_TOKENS[token][0] for token in self._tokens)})

    def encode(self, batch: Batch) -> bytes:
        """All records, one directly after the other."""
        if not self._tokens:
            return (self._format % ()) * len(batch)
        cells = [self._cells(token, batch) for token in self._tokens]
        return b"".join([self._format % row for row in zip(*cells, strict=True)])

    def _cells(self, token: str, batch: Batch) -> Sequence[object]:
        name, _, cells = _TOKENS[token]
        column = getattr(batch, name)
        return cells([None] * len(batch) if column is None else column, self._encodings.get(name, _PLAIN), self._null)


def _compile(template: str) -> tuple[bytes, tuple[str, ...]]:
    """The %-format of a record, and the tokens that fill it, in order."""
    pieces, tokens = [], []
    rest, position = template, 1
    while rest:
        text, percent, rest = rest.partition("%")
        pieces.append(_literal(text, position))
        position += len(text)
        if percent:
            token, rest = rest[:1], rest[1:]
            pieces.append(_placeholder(token, position))
            tokens.append(token)
            position += 2
    return b"".join(pieces), tuple(token for token in tokens if token in _TOKENS)


def _literal(text: str, position: int) -> bytes:
    try:
        return unescape(text).replace(b"%", b"%%")
    except ValueError as exc:
        raise UsageError(f"-f: {exc} (in {text!r} at character {position})") from exc


def _placeholder(token: str, position: int) -> bytes:
    if token == "%":  # noqa: S105 - a token of a template, not a secret
        return b"%%"
    if token not in _TOKENS:
        known = " ".join(f"%{name}" for name in _TOKENS)
        raise UsageError(f"-f: unknown token '%{token}' at character {position}: use {known} or %%")
    return _TOKENS[token][1]


def _text(column: Column, encoding: Encoding, null: bytes) -> Sequence[object]:
    return [null if item is None else item for item in encode_column(encoding, column)]


def _length(column: Column, *_: object) -> Sequence[int]:
    return [-1 if item is None else len(item) for item in column]


def _packed_length(column: Column, *_: object) -> Sequence[object]:
    return [_LENGTH(length) for length in _length(column)]


def _number(column: Sequence[int | None], *_: object) -> Sequence[object]:
    return [-1 if item is None else item for item in column]


def _topic(column: Sequence[str | None], *_: object) -> Sequence[object]:
    names = {name: (name or "").encode() for name in set(column)}
    return [names[name] for name in column]


def _headers(column: Sequence[Headers | None], *_: object) -> Sequence[object]:
    return [b",".join([_header(*header) for header in headers or ()]) for headers in column]


def _header(name: str, value: bytes | None) -> bytes:
    return name.encode("utf-8", "replace") + b"=" + (b"NULL" if value is None else value)


_PLAIN = encoding_named("utf8")
_TOKENS: dict[str, tuple[str, bytes, Callable[[Any, Encoding, bytes], Sequence[object]]]] = {
    "s": ("values", b"%b", _text),
    "S": ("values", b"%d", _length),
    "R": ("values", b"%b", _packed_length),
    "k": ("keys", b"%b", _text),
    "K": ("keys", b"%d", _length),
    "T": ("timestamps", b"%d", _number),
    "h": ("headers", b"%b", _headers),
    "t": ("topics", b"%b", _topic),
    "p": ("partitions", b"%d", _number),
    "o": ("offsets", b"%d", _number),
}
"""By token: the column it reads, its placeholder in the %-format, and the function that makes its cells."""
