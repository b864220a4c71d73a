"""Owns `-X PROP=VALUE`: what was typed becomes properties, and `@FILE` becomes the content of the file."""

from __future__ import annotations

from collections.abc import Sequence

from kdg.errors import UsageError
from kdg.runtime.opening import read_small


def parse_properties(pairs: Sequence[str]) -> dict[str, str]:
    """The properties by name: ["acks=all"] is {"acks": "all"}; "=@FILE" reads a secret. Raises UsageError."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"-X {name!r} has no value.", "Write -X PROP=VALUE, or -X PROP=@FILE for a secret.")
        found[name.strip()] = _from_file(name, value[1:]) if value.startswith("@") else value
    return found


def _from_file(name: str, path: str) -> str:
    try:
        return read_small(path).decode().rstrip("\r\n")
    except OSError as exc:
        raise UsageError(f"-X {name}=@{path}: the file cannot be read: {exc.strerror}.", "Check the path.") from exc
    except UnicodeDecodeError as exc:
        raise UsageError(f"-X {name}=@{path}: the file is not text in UTF-8.", "Name a text file in UTF-8.") from exc
