"""Owns reading a YAML file of Spring or Quarkus as properties: `spring: kafka: ...` is `spring.kafka...`. Pure.

PyYAML reads it, by the same rules as SnakeYAML, which Spring and Quarkus use; it is the extra `kdg[yaml]`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kdg.errors import UsageError

_ON_PROFILE = ("spring.config.activate.on-profile", "spring.profiles")


def yaml_properties(text: str, origin: str) -> tuple[dict[str, str], list[str]]:
    """The properties of a YAML file, and remarks: a document for one profile of Spring is left out.

    Raises UsageError for a file that is not YAML; its message contains no text of the file.
    """
    try:
        import yaml
    except ImportError as exc:
        raise UsageError(
            f"{origin} is YAML, and the package that reads it is not installed.",
            "Install it: pip install 'kdg[yaml]'. A .properties file needs nothing.",
        ) from exc
    try:
        documents = list(yaml.safe_load_all(text))
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        where = "" if mark is None else f" line {mark.line + 1}"
        raise UsageError(f"{origin}{where}: this is not valid YAML.", "Check the indentation and the quotes.") from exc
    except (RecursionError, ValueError) as exc:  # ValueError: a date such as 2026-13-01
        raise UsageError(f"{origin} is not YAML that can be read.", "Check the file.") from exc
    found: dict[str, str] = {}
    remarks = []
    for document in documents:
        flat = dict(_flat(document, ""))
        profile = next((flat[name] for name in _ON_PROFILE if name in flat), None)
        if profile is None:
            found |= flat
        else:
            remarks.append(f"the part of {origin} for the profile {profile} is not judged")
    return found, remarks


def _flat(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            bracketed = str(name).strip("[]")
            yield from _flat(inner, f"{path}.{bracketed}" if path else bracketed)
    elif isinstance(value, list) and not any(isinstance(each, list | Mapping) for each in value):
        yield path, ",".join(map(_text, value))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _flat(inner, f"{path}[{number}]")
    elif value is not None:
        yield path, _text(value)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
