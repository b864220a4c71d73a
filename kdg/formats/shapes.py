"""Owns what each member of a JSON record may be: to JSON, and from JSON with a ValueError that gives the reason.

A key, a value or the value of a header is a string, {"base64": "..."} or null. Another type (number, true, array,
object) is refused. It is not taken as its JSON text, because a JSON parser changes numbers such as 1e2 or one with 30
digits. A member with another name is refused, too: with `payload` or `Value` in place of `value` the record would be
a tombstone.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable
from typing import Any

from kdg.core.records import Header, Headers
from kdg.formats.encoding import Encoding, decode_item, encoding_named

MEMBERS = frozenset({"topic", "partition", "offset", "timestamp", "key", "value", "headers"})
LARGEST = {"timestamp": 2**63 - 1, "partition": 2**31 - 1}
_KINDS = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "an array",
    dict: "an object",
}
_PLAIN = encoding_named("utf8")
_BASE64 = encoding_named("base64")


def header_list(headers: Headers) -> list[list[object]]:
    """Headers as JSON has them: [[name, value], ...]."""
    return [[name_of(name), None if value is None else text_of(value)] for name, value in headers]


def name_of(name: str) -> str:
    """A name that JSON can contain. A lone surrogate becomes a question mark; no client reads one from Kafka."""
    return name.encode(errors="replace").decode()


def text_of(item: bytes) -> str | dict[str, str]:
    """A string, or {"base64": ...} for bytes that are not UTF-8."""
    try:
        return item.decode()
    except UnicodeDecodeError:
        return {"base64": binascii.b2a_base64(item, newline=False).decode()}


def json_of(item: bytes | None, encoding: Encoding) -> object:
    """Bytes as a string in the encoding, as {"base64": ...} if that is not possible, or null."""
    if item is None:
        return None
    return text_of(item) if encoding.plain else encoding.encode(item).decode()


def load(loads: Callable[[bytes], Any], record: bytes) -> Any:
    """The value of a JSON text. Raises ValueError with the column at which the text is not JSON."""
    if not record.strip():
        raise ValueError("empty, but it has to be a JSON object")
    try:
        return loads(record)
    except ValueError as exc:
        reason = f"{getattr(exc, 'msg', exc)} at column {getattr(exc, 'colno', 1)}"
        raise ValueError(f"not JSON: {reason}") from exc


def checked_object(record: object) -> dict[str, Any]:
    """The object itself. Raises ValueError if it is not an object, or has a member that a record does not have."""
    if not isinstance(record, dict):
        raise ValueError(f"{_kind(record)}, but it has to be a JSON object")  # noqa: TRY004 - wrong input
    unknown = sorted(record.keys() - MEMBERS)
    if unknown:
        raise ValueError(f"unknown member {unknown[0]!r}: a record has key, value, headers and timestamp")
    return record


def _kind(value: object) -> str:
    return "null" if value is None else _KINDS[type(value)]


def bytes_of(name: str, encoding: Encoding, value: object) -> bytes | None:
    """The bytes of a string in the encoding, of {"base64": ...}, or None for null. Raises ValueError."""
    if isinstance(value, str):
        return decode_item(encoding, name, value.encode())
    if value is None:
        return None
    if isinstance(value, dict) and list(value) == ["base64"] and isinstance(value["base64"], str):
        return decode_item(_BASE64, name, value["base64"].encode())
    raise ValueError(f'{name} is {_kind(value)}: it has to be a string, {{"base64": "..."}} or null (jq: tostring)')


def headers_of(headers: object) -> list[Header]:
    """The headers of [[name, value], ...], in order; none for null. Raises ValueError."""
    if headers is None:
        return []
    if not isinstance(headers, list):
        raise ValueError(f"headers is {_kind(headers)}: it has to be [[name, value], ...]")  # noqa: TRY004 - as above
    return [_header_of(header) for header in headers]


def _header_of(header: object) -> Header:
    if not (isinstance(header, list) and len(header) == 2 and isinstance(header[0], str)):
        raise ValueError("an item of headers is not [name, value]")
    if "\0" in header[0]:
        raise ValueError(f"header {header[0]!r}: a name cannot contain \\0, because the client would cut it there")
    return header[0], bytes_of(f"header {header[0]!r}", _PLAIN, header[1])


def timestamp_of(value: object) -> int:
    """Milliseconds since 1970; -1, which is Kafka's missing timestamp, for null and for -1."""
    return _whole("timestamp", "milliseconds since 1970", value)


def partition_of(value: object) -> int:
    """The number of a partition; -1, which leaves the choice to the partitioner, for null."""
    return _whole("partition", "a partition's number", value)


def _whole(name: str, meaning: str, value: object) -> int:
    """A whole number that is not negative; -1 for null and for -1. Raises ValueError."""
    largest = LARGEST[name]
    if value is None:
        return -1
    if type(value) is int and -1 <= value <= largest:
        return value
    given = value if type(value) in {int, float} else _kind(value)
    raise ValueError(f"{name} is {given}: it has to be {meaning}, a whole number from 0 to {largest}, or null")
