"""Owns reading `key=value` files, of which there are two kinds. Pure.

    kcat's    one property a line; the value is taken as it is, without the blanks around it
    Java's    escapes, and lines that a backslash continues, as java.util.Properties reads them

How a file is read is decided by its names, then by its own name, then by how it is written: see `parse`.

A message of this module names the line and never quotes it: the line may be a part of a secret, such as the second line
of a private key that nobody continued.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kdg.errors import UsageError
from kdg.settings.java import is_java_only
from kdg.settings.librdkafka import canonical, is_librdkafka_only, nearest, roles_of

_LINE_END = re.compile(r"\r\n|\r|\n")
"""What ends a line in Java and in kcat. `str.splitlines` also cuts at U+2028 and others, which are parts of a value."""
_BLANKS = " \t\r\v\f"
_ESCAPE = re.compile(r"\\(u.{0,4}|.)", re.DOTALL)
_UNICODE = re.compile(r"u[0-9a-fA-F]{4}")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "f": "\f"}
_KEY = re.compile(r"((?:\\.|[^\\=: \t\f])*)([ \t\f]*[=:]?[ \t\f]*)", re.DOTALL)
_JAVA_ESCAPE = re.compile(r"\\[:=#!]|\\u[0-9a-fA-F]{4}")


class Property(NamedTuple):
    """A property, and the number of the line where it begins."""

    line: int
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class PropertyFile:
    """The properties of a file, by name; the last of several lines with one name counts, as in Java and in kcat.

    origin: the file, for messages. lines: the number of the line of each property. is_java: whether it is a Java file.
    """

    origin: str
    values: Mapping[str, str]
    lines: Mapping[str, int]
    is_java: bool

    def where(self, name: str) -> str:
        """The place of a property, for messages: `client.properties line 3`."""
        return f"{self.origin} line {self.lines[name]}" if name in self.lines else self.origin

    def label(self, name: str) -> str:
        """The name as messages and pages show it: `line 3` in place of a text that may be a part of a secret."""
        known = bool(roles_of(canonical(name))) or is_java_only(name) or is_librdkafka_only(name) or nearest(name)
        return name if known else f"line {self.lines[name]}"


def parse(text: str, origin: str) -> PropertyFile:
    """The properties of a file, in the first of these ways that applies:

    1. As Java reads them, if there is a name that only Java's clients know.
    2. As kcat reads them, if there is a name that only librdkafka knows.
    3. As Java reads them, if the file's name ends in `.properties`, or if a line is written as only Java reads it:
       `\\:`, `\\=`, a unicode escape, a continued line, or a known name with `:` or a blank after it.
    4. As kcat reads them.

    origin: the file, for messages. Raises UsageError for a line that is not a property, or a value that is cut off.
    """
    names = {each.name for each in _java_properties(text, origin, strict=False)}
    if any(map(is_java_only, names)):
        is_java = True
    elif any(map(is_librdkafka_only, names)):
        is_java = False
    else:
        is_java = origin.endswith(".properties") or _written_as_java(text)
    found = _java_properties(text, origin) if is_java else _read_plain(text, origin)
    for each in found:
        if is_java:
            _refuse_cut_pem(each, origin, is_java=True)
        if any("\ud800" <= character <= "\udfff" for character in each.name + each.value):
            raise UsageError(
                f"{origin} line {each.line}: a \\u escape is half of a character.",
                "Java writes a character above U+FFFF as two escapes, one after the other.",
            )
    return PropertyFile(origin, {e.name: e.value for e in found}, {e.name: e.line for e in found}, is_java)


def read_java(text: str, origin: str = "") -> dict[str, str]:
    """The properties as Java reads them: `=`, `:` or a blank after the key, escapes, continued lines.

    Raises UsageError for `\\u` without four hexadecimal digits, which Java refuses, too.
    """
    return {each.name: each.value for each in _java_properties(text, origin)}


def _read_plain(text: str, origin: str) -> Sequence[Property]:
    found = []
    for number, line in enumerate(_LINE_END.split(text), 1):
        stripped = line.strip(_BLANKS)
        if not stripped or stripped[0] in "#!":
            continue
        key, equals, value = stripped.partition("=")
        if not equals or not key.strip(_BLANKS):
            raise UsageError(
                f"{origin} line {number}: this is not PROP=VALUE.",
                "A comment begins with #. A file in TOML needs a name that ends in .toml. A value of several lines, "
                "such as a private key, needs TOML, or a file of its own.",
            )
        found.append(Property(number, key.strip(_BLANKS), value.strip(_BLANKS)))
        _refuse_cut_pem(found[-1], origin, is_java=False)
    return found


def _java_properties(text: str, origin: str, *, strict: bool = True) -> Sequence[Property]:
    """strict: False takes a wrong unicode escape as it is, to look at the names only."""
    found = []
    for number, line in _logical_lines(text):
        key = _KEY.match(line)
        assert key is not None  # noqa: S101  # it also matches the empty text
        try:
            found.append(Property(number, _unescape(key[1]), _unescape(line[key.end() :])))
        except ValueError as exc:
            if strict:
                raise UsageError(
                    f"{origin} line {number}: {exc}.", "In a Java file a backslash itself is written as \\\\."
                ) from None
            found.append(Property(number, key[1], ""))
    return found


def _logical_lines(text: str) -> list[tuple[int, str]]:
    """The lines without comments, each with its number; a line that ends in a backslash is joined with the next one."""
    lines: list[tuple[int, str]] = []
    continued = False
    for number, line in enumerate(_LINE_END.split(text), 1):
        rest = line.lstrip(" \t\f")
        begun, before = lines.pop() if continued else (number, "")
        # Java forgets that a line was continued if there is nothing in it yet.
        if not before and (not rest or rest[0] in "#!"):
            continued = False
            continue
        whole = before + rest
        continued = (len(rest) - len(rest.rstrip("\\"))) % 2 == 1
        lines.append((begun, whole[:-1] if continued else whole))
    return lines


def _unescape(text: str) -> str:
    """Raises ValueError for a wrong unicode escape."""

    def one(found: re.Match[str]) -> str:
        what = found[1]
        if what[0] == "u":
            if not _UNICODE.fullmatch(what):
                raise ValueError("\\u needs four hexadecimal digits after it")
            return chr(int(what[1:], 16))
        return _ESCAPED.get(what, what)

    plain = _ESCAPE.sub(one, text)
    # Java writes a character above U+FFFF as two escapes.
    return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass") if plain != text else plain


def _written_as_java(text: str) -> bool:
    """Whether a line has an escape, a continuation or a separator that only Java reads."""
    physical = [line for line in _LINE_END.split(text) if line.strip(_BLANKS) and line.lstrip(_BLANKS)[0] not in "#!"]
    if len(physical) != len(_logical_lines(text)) or any(_JAVA_ESCAPE.search(line) for line in physical):
        return True
    return any(_java_separator(line) for _, line in _logical_lines(text))


def _java_separator(line: str) -> bool:
    """Whether a known name is followed by `:` or by a blank, and not by `=`."""
    key = _KEY.match(line)
    return key is not None and bool(roles_of(canonical(key[1]))) and bool(key[2]) and "=" not in key[2]


def _refuse_cut_pem(found: Property, origin: str, *, is_java: bool) -> None:
    """Raises UsageError for a PEM text whose end is not in the value, because its lines are not continued."""
    if "-----BEGIN " in found.value and "-----END " not in found.value:
        way = (
            "End every line of the value but the last with \\n\\ (a line break, and the sign that the value goes on)."
            if is_java
            else "Put it into a file and name the file: ssl.key.location, ssl.certificate.location, ssl.ca.location."
        )
        raise UsageError(
            f"{origin} line {found.line}: the value of {found.name} is cut off at the end of the line.", way
        )
