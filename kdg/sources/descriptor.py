"""Owns reading records from a descriptor: a file, stdin, or a command's stdout. Splits bytes into records and keeps the position.

Under `--resume` the position travels with the records (`kdg/kafka/resume.py`); what was handed out since it was last settled is
held, so that an aborted transaction can be sent again although a pipe cannot be read twice.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from kdg.core.records import Batch, Offsets, Position
from kdg.errors import Aborted, Fenced, KdgError, UsageError
from kdg.formats import Decoder
from kdg.runtime.signals import Signals

READ_BYTES = 1 << 18
"""What is read stays in the processor's cache until it is sent; less would cost a system call too often [measured]."""


@dataclass(frozen=True, slots=True)
class InputPosition:
    """A place in an input: bytes and records before it, SHA-256 of those bytes, whether the last lacked its delimiter."""

    size: int
    records: int
    sha256: str
    unterminated: bool = False


class MarkStore(Protocol):
    """Where marks are kept durably."""

    def load(self) -> InputPosition | None:
        """The mark of the last committed transaction; None when there is none."""

    def position(self, mark: InputPosition) -> Position:
        """The mark as a position that a transaction can carry."""


@dataclass(slots=True)
class Input:
    """A Source of delimited records from a descriptor.

    whole_records: a last record without its delimiter may be a cut-off input and is refused (exit 4). at_end is called once
    at the end of the input, and raises when the input is not to be trusted (a command that failed).
    """

    descriptor: int
    name: str
    decoder: Decoder
    signals: Signals
    whole_records: bool = False
    store: MarkStore | None = None
    at_end: Callable[[], None] = lambda: None
    _pending: list[bytes] = field(default_factory=list)
    _taken: int = 0
    _rest: bytes = b""
    _ended: bool = False
    _held: list[bytes] = field(default_factory=list)
    _size: int = 0
    _records: int = 0
    _unterminated: bool = False
    _digest: hashlib._Hash = field(default_factory=hashlib.sha256)  # typeshed's only name for it
    _settled: tuple[int, int, hashlib._Hash] | None = None

    def read(self, limit: int, timeout: float) -> Batch | None:
        """See Source."""
        while self._taken >= len(self._pending):
            if self._ended:
                return None
            if not self.signals.wait_for(self.descriptor, timeout):
                return Batch()
            if not self._fill():
                return Batch()
        records = (
            self._pending[self._taken : self._taken + limit]
            if self._taken or limit < len(self._pending)
            else self._pending
        )
        self._taken += len(records)
        first = self._records + 1
        self._records += len(records)
        if self.store is not None:
            self._follow(records)
        return self.decoder.decode(records, first)

    def _fill(self) -> bool:
        """Read once; whether whole records, or the end, came of it."""
        try:
            data = os.read(self.descriptor, READ_BYTES)
        except OSError as exc:
            raise KdgError(f"{self.name} cannot be read: {exc.strerror}.") from exc
        self._pending, self._taken = [], 0
        if not data:
            self._end()
            return True
        parts = (self._rest + data if self._rest else data).split(self.decoder.delimiter)
        self._rest = parts.pop()
        self._pending = parts
        return bool(parts)

    def _end(self) -> None:
        self._ended = True
        self.at_end()
        if not self._rest:
            return
        if self.whole_records:
            raise Aborted(
                f"{self.name} ends without a delimiter after its last record ({len(self._rest)} bytes): it may be cut off; "
                "nothing of the open transaction is visible.",
                "Repair the input, or take it as it is with --allow-unterminated.",
            )
        self._pending, self._rest, self._unterminated = [self._rest], b"", True

    def _follow(self, records: Sequence[bytes]) -> None:
        raw = self.decoder.delimiter.join(records) + (b"" if self._at_cut_end else self.decoder.delimiter)
        self._digest.update(raw)
        self._size += len(raw)
        self._held.extend(records)

    # ── positions ──

    @property
    def moved(self) -> bool:
        """See Source: it moves with its records only."""
        return False

    def mark(self) -> InputPosition:
        """The place after everything handed out."""
        return InputPosition(self._size, self._records, self._digest.hexdigest(), self._at_cut_end)

    @property
    def _at_cut_end(self) -> bool:
        """Whether the last record, the one without its delimiter, is handed out."""
        return self._unterminated and self._taken >= len(self._pending)

    def positions(self) -> Sequence[Position]:
        """See Source."""
        return [] if self.store is None else [self.store.position(self.mark())]

    def offsets(self) -> Offsets:
        """See Source: the input is no topic."""
        return {}

    def commit(self) -> None:
        """An input that is no transaction's has no position to store."""

    def settled(self) -> None:
        """See Source."""
        if self.store is not None:
            self._settled = (self._size, self._records, self._digest.copy())
            self._held = []

    def rewind(self) -> None:
        """See Source: what is held is handed out again."""
        if self._settled is None:
            self._settled = (0, 0, hashlib.sha256())
        self._pending = self._held + self._pending[self._taken :]
        self._taken = 0
        self._held = []
        self._size, self._records, digest = self._settled
        self._digest = digest.copy()

    def reload(self) -> bool:
        """See Source: the mark in the store tells whether the commit in doubt took effect."""
        stored = self.store.load() if self.store is not None else None
        if stored is not None and stored.size == self._size:
            self.settled()
            return True
        settled = 0 if self._settled is None else self._settled[0]
        if stored is not None and stored.size != settled:
            raise Fenced(
                f"another run with this --resume name has sent {self.name} up to byte {stored.size} meanwhile.",
                "Let it go on; one run at a time.",
            )
        self.rewind()
        return False

    def release(self) -> None:
        """There is nobody to share it with."""

    def close(self) -> None:
        """The descriptor belongs to who opened it."""

    # ── going on after an earlier run ──

    def skip(self, mark: InputPosition) -> None:
        """Read up to a mark, checking that the input begins with the same bytes. Raises UsageError when it does not."""
        left = mark.size
        while left:
            data = os.read(self.descriptor, min(left, READ_BYTES))
            if not data:
                raise self._other(f"it ends after {mark.size - left} bytes, and {mark.size} were committed")
            self._digest.update(data)
            left -= len(data)
        if self._digest.hexdigest() != mark.sha256:
            raise self._other(f"its first {mark.size} bytes are not those that were committed")
        self._size, self._records = mark.size, mark.records
        if mark.unterminated:
            self._skip_delimiter()
        self.settled()

    def _skip_delimiter(self) -> None:
        """The last record was committed without its delimiter; what follows now has to be that, or nothing."""
        delimiter = self.decoder.delimiter
        data = b""
        while len(data) < len(delimiter) and (more := os.read(self.descriptor, len(delimiter) - len(data))):
            data += more
        if data and data != delimiter:
            raise self._other("its last committed record has grown since")
        self._digest.update(data)
        self._size += len(data)

    def _other(self, reason: str) -> UsageError:
        return UsageError(
            f"{self.name} is not the input that this --resume name was used for: {reason}.",
            "Give the same input, choose another name, or begin anew with --restart (what was sent stays in the topic).",
        )

    def drain(self) -> Iterator[list[bytes]]:
        """What the input still holds, as records with their delimiters, until its end or a signal: nothing can be sent any more."""
        delimiter = self.decoder.delimiter
        while not self._ended or self._taken < len(self._pending):
            records = [record + delimiter for record in self._pending[self._taken :]]
            if records and self._unterminated:
                records[-1] = records[-1].removesuffix(delimiter)
            yield records
            self._pending, self._taken = [], 0
            if self._ended or not self.signals.wait_for(self.descriptor, 3600):
                return
            self._fill()
