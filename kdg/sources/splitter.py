"""Owns cutting the bytes of an input into records at their delimiter, whatever pieces the bytes come in. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Splitter:
    """The beginning of a record, and how many bytes were read in all.

    Each byte is searched once, so that a record of many reads costs as much as many records of one read.
    """

    delimiter: bytes
    read: int = 0
    _rest: bytearray = field(default_factory=bytearray)

    def add(self, data: bytes) -> list[bytes]:
        """The records that end in these bytes, without their delimiters; none if the last record goes on."""
        self.read += len(data)
        if self.delimiter not in data and not self._ends_across(data):
            self._rest += data
            return []
        records = (bytes(self._rest) + data if self._rest else data).split(self.delimiter)
        self._rest = bytearray(records.pop())
        return records

    def _ends_across(self, data: bytes) -> bool:
        """Whether a delimiter begins in the rest and ends in these bytes."""
        reach = len(self.delimiter) - 1
        return reach > 0 and self.delimiter in self._rest[-reach:] + data[:reach]

    @property
    def begun(self) -> int:
        """Bytes of the last record, whose delimiter has not come."""
        return len(self._rest)

    def take_rest(self) -> bytes:
        """These bytes; they are dropped here."""
        rest, self._rest = bytes(self._rest), bytearray()
        return rest
