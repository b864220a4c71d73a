"""Owns the beginning of an input that was read: its size, records and digest, and reading it a second time. Pure.

`--resume` commits the size and the digest with the records. The next run reads so many bytes again and compares the
digest, so that it continues only the same input.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class InputPosition:
    """How far an input was read. After the two lines `a` and `bb`: size 5, records 2, sha256 of `a\\nbb\\n`.

    size: bytes. unterminated: the last record ended with the input, without its delimiter.
    """

    size: int
    records: int
    sha256: str
    unterminated: bool = False


class OtherInputError(Exception):
    """The input does not begin with the bytes that were committed. The text says how it differs."""


@dataclass(slots=True)
class Prefix:
    """The bytes from the beginning of an input to where it was read."""

    size: int = 0
    records: int = 0
    _digest: hashlib._Hash = field(default_factory=hashlib.sha256)  # typeshed's only name for it

    def add(self, raw: bytes, records: int = 0) -> None:
        """Bytes that follow, and how many records end in them."""
        self._digest.update(raw)
        self.size += len(raw)
        self.records += records

    def copy(self) -> Prefix:
        """The same prefix, which later additions do not change."""
        return Prefix(self.size, self.records, self._digest.copy())

    def position(self, *, unterminated: bool) -> InputPosition:
        """The prefix in the form that is committed."""
        return InputPosition(self.size, self.records, self._digest.hexdigest(), unterminated)

    def repeat(self, committed: InputPosition, read: Callable[[int], bytes], delimiter: bytes, most: int) -> None:
        """Read again what an earlier run committed, at most `most` bytes at a time. read: returns b"" at the end.

        Raises OtherInputError if the input begins with other bytes.
        """
        while self.size < committed.size:
            data = read(min(committed.size - self.size, most))
            if not data:
                raise OtherInputError(f"it ends after {self.size} bytes, but {committed.size} were committed")
            self.add(data)
        if self._digest.hexdigest() != committed.sha256:
            raise OtherInputError(f"its first {committed.size} bytes are not the ones that were committed")
        self.records = committed.records
        if committed.unterminated:
            self._repeat_delimiter(read, delimiter)

    def _repeat_delimiter(self, read: Callable[[int], bytes], delimiter: bytes) -> None:
        """The last record was committed without its delimiter: now the delimiter has to follow, or the end."""
        data = b""
        while len(data) < len(delimiter) and (more := read(len(delimiter) - len(data))):
            data += more
        if data and data != delimiter:
            raise OtherInputError("its last committed record is longer now")
        self.add(data)
