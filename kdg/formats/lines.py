"""Owns records as lines: the value, or key, key delimiter and value; then the delimiter.

As in kcat, only the first key delimiter of a line counts, and a line without one is a value with a null key. Unlike
kcat, an empty line is an empty value (kcat skips the line), and with `-Z` only null is printed as NULL (kcat prints
NULL for an empty value, too).
"""

from __future__ import annotations

from itertools import chain, repeat

from kdg.core.records import Batch, Headers
from kdg.errors import UsageError
from kdg.formats.encoding import (
    Column,
    decode_column,
    encode_column,
    encoding_named,
    place_named,
    refuse_delimiter,
    with_fixed_key,
)


class LineEncoder:
    """Turns a Batch into lines. null: printed for a null key or value: nothing, or `NULL` with -Z."""

    def __init__(
        self,
        delimiter: bytes = b"\n",
        key_delimiter: bytes | None = None,
        null: bytes = b"",
        key_encoding: str = "utf8",
        value_encoding: str = "utf8",
    ) -> None:
        self.terminator = delimiter
        self._key_delimiter = key_delimiter
        self._null = null
        self._key_encoding = encoding_named(key_encoding)
        self._value_encoding = encoding_named(value_encoding)
        self.columns = frozenset({"values"} if key_delimiter is None else {"keys", "values"})

    def encode(self, batch: Batch) -> bytes:
        """All records, each followed by the delimiter."""
        if not len(batch):
            return b""
        column = encode_column(self._value_encoding, batch.values)
        if self._key_delimiter is None:
            try:
                return self.terminator.join([*column, b""])  # type: ignore[list-item]  # TypeError if there is a None
            except TypeError:
                return self.terminator.join([*self._printed(column), b""])
        values = self._printed(column)
        keys = self._printed(encode_column(self._key_encoding, batch.keys or [None] * len(values)))
        rows = zip(keys, repeat(self._key_delimiter), values, repeat(self.terminator), strict=False)
        return b"".join(chain.from_iterable(rows))

    def _printed(self, column: Column) -> list[bytes]:
        return [self._null if item is None else item for item in column]


class LineDecoder:
    """Turns lines into a Batch.

    key: for records without a key. headers: for all records. empty_is_null: with -Z an empty key or value becomes null.
    """

    def __init__(
        self,
        delimiter: bytes = b"\n",
        key_delimiter: bytes | None = None,
        key: bytes | None = None,
        headers: Headers | None = None,
        empty_is_null: bool = False,
        key_encoding: str = "utf8",
        value_encoding: str = "utf8",
    ) -> None:
        self.delimiter = delimiter
        self._key_delimiter = key_delimiter
        self._key = key
        self._headers = headers or None
        self._empty_is_null = empty_is_null
        self._key_encoding = encoding_named(key_encoding)
        self._value_encoding = encoding_named(value_encoding)
        refuse_delimiter(delimiter, "-D", self._key_encoding, self._value_encoding)
        refuse_delimiter(key_delimiter or b"\n", "-K", self._key_encoding, self._value_encoding)

    def decode(self, records: list[bytes], first: int) -> Batch:
        """One record for each line. Raises UsageError for a key or value that is not in its encoding."""
        keys, values = self._split(records)
        place = place_named(self.delimiter)
        values = decode_column(self._value_encoding, values, "value", place, first)
        if keys is not None:
            keys = decode_column(self._key_encoding, keys, "key", place, first)
        keys = with_fixed_key(keys, self._key, len(records))
        headers = [self._headers] * len(records) if self._headers else None
        return Batch(values=values, keys=keys, headers=headers)

    def _split(self, records: list[bytes]) -> tuple[Column | None, Column]:
        """Keys (None without -K) and values, before they are decoded."""
        if self._key_delimiter is None:
            return None, self._nulled(records)
        delimiter = self._key_delimiter
        parts = [record.partition(delimiter) for record in records]
        keys = [head if found else None for head, found, _ in parts]
        values = [tail if found else head for head, found, tail in parts]
        return self._nulled(keys), self._nulled(values)

    def _nulled(self, column: Column) -> Column:
        return [item or None for item in column] if self._empty_is_null else column

    def encode_back(
        self,
        key: bytes | None,
        value: bytes | None,
        headers: Headers | None,  # noqa: ARG002 - they come from -H, which adds them again
        timestamp: int | None,  # noqa: ARG002 - lines have none
        partition: int | None = None,  # noqa: ARG002 - nor partitions
    ) -> bytes:
        """The line from which `decode` makes this key and value. A line has neither headers nor a timestamp."""
        text = self._value_encoding.encode(value or b"")
        if self._key_delimiter is None:
            return text + self.delimiter
        keyed = self._key_encoding.encode(key or b"") + self._key_delimiter + text
        return (keyed if self._reads_as(keyed, key, value) else text) + self.delimiter

    def _reads_as(self, line: bytes, key: bytes | None, value: bytes | None) -> bool:
        """Whether `decode` makes this key and value of the line. Not if the key is null or came from -k."""
        try:
            batch = self.decode([line], 1)
        except UsageError:
            return False
        return batch.keys is not None and (batch.keys[0], batch.values[0]) == (key, value)
