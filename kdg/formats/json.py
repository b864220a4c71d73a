"""Owns JSON lines: one object a record, `topic, partition, offset, timestamp, key, value, headers`.

Key, value and header values are strings; bytes that are not UTF-8 are {"base64": "..."}; null is null. Headers are
[[name, value], ...], in order, with repeated names. With the encodings hex and base64, key and value are strings in
that encoding. A missing timestamp is null. JsonDecoder reads any bytes that JsonEncoder writes.

JsonDecoder takes a missing member as null and ignores topic and offset; shapes.py says what a member may be. If a
member is repeated, the last one counts, as in jq.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from kdg.core.records import Batch, Header, Headers
from kdg.errors import UsageError
from kdg.formats.encoding import (
    Column,
    Encoding,
    each,
    encoding_named,
    place_named,
    with_fixed_key,
)
from kdg.formats.shapes import (
    LARGEST,
    MEMBERS,
    bytes_of,
    checked_object,
    header_list,
    headers_of,
    json_of,
    load,
    name_of,
    partition_of,
    text_of,
    timestamp_of,
)

_SEPARATOR = b"\x7f"  # the only ASCII control character that JSON does not escape
_NONE = type(None)


def _codec() -> Any:
    """The module orjson. It is imported only for JSON, because the import takes 10 to 30 ms."""
    import orjson

    return orjson


class JsonEncoder:
    """Turns a Batch into JSON lines. One call escapes all values of a column: much faster than one call each."""

    columns = frozenset({"topics", "partitions", "offsets", "timestamps", "keys", "values", "headers"})

    def __init__(self, delimiter: bytes = b"\n", key_encoding: str = "utf8", value_encoding: str = "utf8") -> None:
        self.terminator = delimiter
        self._key_encoding = encoding_named(key_encoding)
        self._value_encoding = encoding_named(value_encoding)
        self._dumps: Callable[[object], bytes] = _codec().dumps

    def encode(self, batch: Batch) -> bytes:
        """All records, each followed by the delimiter. A member whose column is None is null; headers are []."""
        if not len(batch):
            return b""
        members = {
            "topic": self._topics(batch.topics),
            "partition": _numbers(batch.partitions),
            "offset": _numbers(batch.offsets),
            "timestamp": _numbers(batch.timestamps),
            "key": self._strings(batch.keys, self._key_encoding),
            "value": self._strings(batch.values, self._value_encoding),
            "headers": self._headers(batch.headers),
        }
        row = b"{%b}" % ",".join(f'"{name}":{cell.placeholder}' for name, cell in members.items()).encode()
        cells = [cell.column for cell in members.values() if cell.column is not None]
        lines = [row % record for record in zip(*cells, strict=True)] if cells else [row % ()] * len(batch)
        whole = self.terminator.join([*lines, b""])
        if _C1_LEAD in whole and _C1.search(whole):  # rare: no record is looked at otherwise
            return self.terminator.join([*(_C1.sub(_escaped, line) for line in lines), b""])
        return whole

    def _topics(self, column: Sequence[str] | None) -> _Cells:
        if column is None:
            return _NULLS
        names = {name: self._dumps(name) for name in set(column)}
        return _Cells("%b", [names[name] for name in column])

    def _strings(self, column: Column | None, encoding: Encoding) -> _Cells:
        if column is None or column.count(None) == len(column):
            return _NULLS
        if encoding.plain:
            return _Cells("%b", self._quoted(column))
        return _Cells("%b", [b"null" if item is None else b'"%b"' % encoding.encode(item) for item in column])

    def _quoted(self, column: Column) -> Sequence[bytes]:
        """Each item as a JSON string: all at once; if that fails, the items that need it one by one."""
        try:
            return self._quoted_at_once(column)
        except (TypeError, ValueError):  # a None, bytes that are not UTF-8, or an item with the separator
            odd = {place: item for place, item in enumerate(column) if _is_odd(item)}
        quoted = self._quoted_at_once([b"" if place in odd else item for place, item in enumerate(column)])
        for place, item in odd.items():
            quoted[place] = b"null" if item is None else self._dumps(text_of(item))
        return quoted

    def _quoted_at_once(self, column: Sequence[Any]) -> list[bytes]:
        """For UTF-8 without the separator. The separator is ASCII: all of it is UTF-8 if and only if each item is."""
        whole = _SEPARATOR.join(column)
        if whole.count(_SEPARATOR) != len(column) - 1:
            raise ValueError("an item holds the separator")
        return self._dumps(whole.decode()).replace(_SEPARATOR, b'"\x7f"').split(_SEPARATOR)

    def _headers(self, column: Sequence[Headers | None] | None) -> _Cells:
        if column is None or not any(column):
            return _Cells("[]", None)
        flat = [header for headers in column for header in headers or ()]
        names = {name: self._dumps(name_of(name)) for name in {name for name, _ in flat}}
        values = iter(self._quoted([value for _, value in flat]))
        pairs = [[b"[%b,%b]" % (names[name], next(values)) for name, _ in headers or ()] for headers in column]
        return _Cells("%b", [b"[%b]" % b",".join(pair) for pair in pairs])


_C1_LEAD = b"\xc2"
_C1 = re.compile(rb"\xc2[\x80-\x9f]")
"""The controls U+0080 to U+009F in UTF-8. U+009B begins a command to a terminal; JSON does not require an escape."""


def _escaped(found: re.Match[bytes]) -> bytes:
    return b"\\u%04x" % ord(found[0].decode())


class _Cells(NamedTuple):
    """One member of every record: its part of the %-format, and its cells; None if all cells are the same."""

    placeholder: str
    column: Sequence[object] | None


_NULLS = _Cells("null", None)


def _numbers(column: Sequence[int] | None) -> _Cells:
    """Each number as JSON. A negative number is null: Kafka uses it for a missing one."""
    if column is None:
        return _NULLS
    if min(column) >= 0:
        return _Cells("%d", column)
    return _Cells("%b", [b"%d" % number if number >= 0 else b"null" for number in column])


def _is_odd(item: bytes | None) -> bool:
    """Whether the item cannot be quoted together with others."""
    if item is None or _SEPARATOR in item:
        return True
    try:
        item.decode()
    except UnicodeDecodeError:
        return True
    return False


class JsonDecoder:
    """Turns JSON lines into a Batch.

    key: for records without a key. headers: added after the headers of each record. keep_partition: read partitions.
    A missing timestamp becomes -1, as in Kafka; the record gets the time at which it is sent. A missing partition
    becomes -1, too, which leaves the choice to the partitioner. If no record has one, the whole column is None.
    """

    def __init__(
        self,
        delimiter: bytes = b"\n",
        key: bytes | None = None,
        headers: Headers | None = None,
        keep_partition: bool = False,
        key_encoding: str = "utf8",
        value_encoding: str = "utf8",
    ) -> None:
        if min(delimiter) >= ord(" "):
            raise UsageError(
                f"-D {delimiter.decode(errors='replace')!r} can occur in JSON",
                "Choose one with a control character, such as \\n, \\0 or \\x1e.",
            )
        self.delimiter = delimiter
        self._key = key
        self._extra = tuple(headers or ())
        self._keep_partition = keep_partition
        self._key_encoding = encoding_named(key_encoding)
        self._value_encoding = encoding_named(value_encoding)
        self._place = place_named(delimiter)
        self._loads: Callable[[bytes], Any] = _codec().loads
        self._dumps: Callable[[object], bytes] = _codec().dumps

    def decode(self, records: list[bytes], first: int) -> Batch:
        """One record for each object. Raises UsageError with the number of a record that is not as it should be."""
        objects = self._objects(records, first)
        values = self._bytes(objects, "value", self._value_encoding, first)
        keys = with_fixed_key(self._bytes(objects, "key", self._key_encoding, first), self._key, len(records))
        return Batch(
            values=values or [None] * len(records),
            keys=keys,
            headers=self._headers(objects, first),
            timestamps=self._ints(objects, "timestamp", timestamp_of, -1, first),
            partitions=self._ints(objects, "partition", partition_of, -1, first) if self._keep_partition else None,
        )

    def _objects(self, records: list[bytes], first: int) -> list[dict[str, Any]]:
        try:
            objects = list(map(self._loads, records))
        except ValueError:
            objects = each(partial(load, self._loads), records, self._place, first)
        if set(map(type, objects)) <= {dict} and all(map(MEMBERS.issuperset, objects)):
            return objects
        return each(checked_object, objects, self._place, first)

    def _bytes(self, objects: list[dict[str, Any]], name: str, encoding: Encoding, first: int) -> Column | None:
        """The bytes of a member; None if it is null in every record."""
        column: list[Any] = [record.get(name) for record in objects]
        kinds = set(map(type, column))
        if kinds <= {_NONE}:
            return None
        if kinds == {str} and encoding.plain:
            return list(map(str.encode, column))
        return each(partial(bytes_of, name, encoding), column, self._place, first)

    def _headers(self, objects: list[dict[str, Any]], first: int) -> Sequence[Headers | None] | None:
        column = [record.get("headers") for record in objects]
        if set(map(type, column)) <= {_NONE, list} and not any(column):
            return [self._extra] * len(objects) if self._extra else None
        own = each(headers_of, column, self._place, first)
        return [(*headers, *self._extra) for headers in own]

    def _ints(
        self, objects: list[dict[str, Any]], name: str, check: Callable[[Any], int], absent: int, first: int
    ) -> Sequence[int] | None:
        column: list[Any] = [record.get(name) for record in objects]
        kinds = set(map(type, column))
        if kinds <= {_NONE}:
            return None
        if kinds == {int} and absent < min(column) and max(column) <= LARGEST[name]:
            return column
        numbers = each(check, column, self._place, first)
        return None if all(number == absent for number in numbers) else numbers

    def encode_back(
        self,
        key: bytes | None,
        value: bytes | None,
        headers: Headers | None,
        timestamp: int | None,
        partition: int | None = None,
    ) -> bytes:
        """The object from which `decode` makes this record. Without the headers of -H: `decode` adds them again."""
        record: dict[str, object] = {
            "key": json_of(key, self._key_encoding),
            "value": json_of(value, self._value_encoding),
            "headers": header_list(self._own(tuple(headers or ()))),
        }
        if timestamp is not None and timestamp >= 0:
            record["timestamp"] = timestamp
        if self._keep_partition and partition is not None and partition >= 0:
            record["partition"] = partition
        return self._dumps(record) + self.delimiter

    def _own(self, headers: tuple[Header, ...]) -> tuple[Header, ...]:
        """The headers without those of -H, which `decode` has added at the end."""
        count = len(self._extra)
        return headers[: len(headers) - count] if count and headers[-count:] == self._extra else headers
