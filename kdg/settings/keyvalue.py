"""Owns reading `key=value` files, of which there are two kinds. Pure.

    kcat's    one property a line; the value is taken as it is
    Java's    escapes, and lines that a backslash continues, as java.util.Properties reads them

A file with at least one name that only Java's clients know is a Java file (kdg/settings/java.py).
"""

from __future__ import annotations

import re

from kdg.errors import UsageError
from kdg.settings.java import is_java_only

_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "f": "\f"}
_KEY = re.compile(r"((?:\\.|[^\\=: \t\f])*)[ \t\f]*[=:]?[ \t\f]*", re.DOTALL)


def parse(text: str, name: str) -> tuple[dict[str, str], bool]:
    """The properties of a file, and whether it is a Java file. name: of the file, for messages.

    Raises UsageError for a line that is not a property.
    """
    java = read_java(text)
    if any(is_java_only(key) for key in java):
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
            raise UsageError(
                f"{name} line {number}: this is not PROP=VALUE.",
                "A comment begins with #. A file in TOML needs a name that ends in .toml.",
            )
        found[key.strip()] = value.strip()
    return found


def read_java(text: str) -> dict[str, str]:
    """The properties as Java reads them: `=`, `:` or a blank after the key, escapes, continued lines."""
    found = {}
    for line in _logical_lines(text):
        key = _KEY.match(line)
        assert key is not None  # noqa: S101  # it also matches the empty text
        found[_unescape(key[1])] = _unescape(line[key.end() :])
    return found


def _logical_lines(text: str) -> list[str]:
    """The lines without comments; a line that ends in a backslash is joined with the next one."""
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
