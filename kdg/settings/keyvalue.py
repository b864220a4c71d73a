"""Owns reading `key=value` files: kcat's, which take a value as it stands, and Java's, with escapes and continued lines. Pure.

Which of the two a file is, its names tell: one that only Java's clients know makes it Java's (kdg/settings/java.py).
"""

from __future__ import annotations

import re

from kdg.errors import UsageError
from kdg.settings.java import is_javas_alone

_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "f": "\f"}
_KEY = re.compile(r"((?:\\.|[^\\=: \t\f])*)[ \t\f]*[=:]?[ \t\f]*", re.DOTALL)


def parse(text: str, name: str) -> tuple[dict[str, str], bool]:
    """The properties, and whether they are Java's. Raises UsageError with the file's name and the line."""
    java = read_java(text)
    if any(is_javas_alone(key) for key in java):
        return java, True
    return _read_plain(text, name), False


def _read_plain(text: str, name: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped[0] in "#!":
            continue
        key, equals, value = stripped.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"{name} line {number}: no PROP=VALUE.", "Comments begin with #; TOML is read from files that end in .toml.")  # fmt: skip
        found[key.strip()] = value.strip()
    return found


def read_java(text: str) -> dict[str, str]:
    """As java.util.Properties reads it: `=`, `:` or a blank between key and value, escapes, lines continued with a backslash."""
    found = {}
    for line in _logical_lines(text):
        key = _KEY.match(line)
        assert key is not None  # noqa: S101  # it matches the empty text
        found[_unescape(key[1])] = _unescape(line[key.end() :])
    return found


def _logical_lines(text: str) -> list[str]:
    lines: list[str] = []
    continued = False
    for line in text.splitlines():
        rest = line.lstrip(" \t\f")
        if not continued and (not rest or rest[0] in "#!"):
            continue
        whole = rest if not continued else lines.pop() + rest
        continued = (len(whole) - len(whole.rstrip("\\"))) % 2 == 1
        lines.append(whole[:-1] if continued else whole)
    return lines


def _unescape(text: str) -> str:
    def one(found: re.Match[str]) -> str:
        what = found[1]
        return chr(int(what[1:], 16)) if len(what) > 1 else _ESCAPED.get(what, what)

    return _ESCAPE.sub(one, text)
