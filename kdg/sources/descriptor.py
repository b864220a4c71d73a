"""Owns reading records from a file descriptor: a file, stdin, or a command's stdout.

Splits the bytes into records and counts how far it has read. Under `--resume` that position is committed in the
transaction of the records (kdg/kafka/resume.py). Records that are not settled yet are kept in memory, because a pipe
cannot be read twice: after an abort they are handed out again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from kdg.core.records import Batch, Offsets, Position
from kdg.core.refresh import Refresh
from kdg.errors import Aborted, Fenced, Interrupted, KdgError, UsageError
from kdg.formats import Decoder
from kdg.formats.encoding import place_named
from kdg.runtime.signals import SignalWaiter
from kdg.sources.prefix import InputPosition, OtherInputError, Prefix
from kdg.sources.splitter import Splitter

LONGEST_RECORD = 64_000_000
"""The most bytes of a record, unless a larger message.max.bytes was set. Nothing longer ever fitted into a topic."""
READ_BYTES = 1 << 18
"""Bytes of one read. They stay in the processor's cache until they are sent; smaller reads cost more system calls."""


class InputPositionStore(Protocol):
    """Stores the position of an input durably."""

    def load(self) -> InputPosition | None:
        """The position in the last committed transaction; None if there is none."""

    def position(self, reached: InputPosition) -> Position:
        """The same position in the form that a transaction can carry."""


@dataclass(slots=True)
class Input:
    """A Source of delimited records from a file descriptor.

    name: what messages call the input. whole_records: a last record without its delimiter is refused (exit 4), because
    the input may be cut off. longest: the most bytes of a record without an end. store: where the position is stored;
    None without `--resume`. resume: its NAME. at_end: called once at the end of the input; raises if the input may be
    incomplete (a command that failed). while_idle: called when nothing has come for a while. read_bytes: os.read.
    refresh: when a stored position is stored again.
    """

    descriptor: int
    name: str
    decoder: Decoder
    signals: SignalWaiter
    whole_records: bool = False
    store: InputPositionStore | None = None
    resume: str = ""
    longest: int = LONGEST_RECORD
    at_end: Callable[[], None] = lambda: None
    while_idle: Callable[[], None] = lambda: None
    read_bytes: Callable[[int, int], bytes] = os.read
    refresh: Refresh = field(default_factory=Refresh)
    _pending: list[bytes] = field(default_factory=list)
    _taken: int = 0
    _splitter: Splitter = field(init=False)
    _ended: bool = False
    _held: list[bytes] = field(default_factory=list)
    _unterminated: bool = False
    _prefix: Prefix = field(default_factory=Prefix)
    _settled: Prefix = field(default_factory=Prefix)

    def __post_init__(self) -> None:
        self._splitter = Splitter(self.decoder.delimiter)

    def read(self, limit: int, timeout: float) -> Batch | None:
        """See Source."""
        while self._taken >= len(self._pending):
            if self._ended:
                return None
            if not self.signals.wait_for(self.descriptor, timeout):
                self.while_idle()
                return Batch()
            if not self._fill():
                return Batch()
        records = (
            self._pending[self._taken : self._taken + limit]
            if self._taken or limit < len(self._pending)
            else self._pending
        )
        self._taken += len(records)
        first = self._prefix.records + 1
        self._advance(records)
        batch = self.decoder.decode(records, first)
        batch.source = partial(self._place, first)
        return batch

    def _place(self, first: int, index: int) -> str:
        return f"{place_named(self.decoder.delimiter)} {first + index}"

    def _fill(self) -> bool:
        """Read once. True if that brought at least one whole record, or the end."""
        try:
            data = self.read_bytes(self.descriptor, READ_BYTES)
        except OSError as exc:
            raise KdgError(f"{self.name} cannot be read: {exc.strerror}.") from exc
        self._pending, self._taken = [], 0
        if not data:
            self._end()
            return True
        self._pending = self._splitter.add(data)
        if self._splitter.begun > self.longest:
            self._ended = True  # nothing more is read, not even into --undelivered
            raise _too_long(self, self._splitter.read - len(self._splitter.take_rest()))
        return bool(self._pending)

    def _end(self) -> None:
        self._ended = True
        self.at_end()
        rest = self._splitter.take_rest()
        if not rest:
            return
        if self.whole_records:
            raise _cut_off(self, len(rest))
        self._pending, self._unterminated = [rest], True

    def _advance(self, records: Sequence[bytes]) -> None:
        if self.store is None:
            self._prefix.records += len(records)
            return
        raw = self.decoder.delimiter.join(records) + (b"" if self._at_cut_end else self.decoder.delimiter)
        self._prefix.add(raw, len(records))
        self._held.extend(records)

    # ── positions ──

    @property
    def moved(self) -> bool:
        """See Source: the position changes only with records, but a stored one does not become old."""
        return self.refresh.due and self.store is not None and self._settled.records > 0

    def reached(self) -> InputPosition:
        """The position after all records handed out so far."""
        return self._prefix.position(unterminated=self._at_cut_end)

    @property
    def _at_cut_end(self) -> bool:
        """Whether the last record was handed out, and had no delimiter."""
        return self._unterminated and self._taken >= len(self._pending)

    def positions(self) -> Sequence[Position]:
        """See Source."""
        return [] if self.store is None else [self.store.position(self.reached())]

    incomplete = empty_handed = rejoining = False

    def keep_alive(self) -> None:
        """See Source: nothing to do without a group."""

    def offsets(self) -> Offsets:
        """See Source: the input is not a topic."""
        return {}

    def commit(self) -> None:
        """See Source: nothing to do. The position is stored in a transaction or not at all."""

    def settled(self) -> None:
        """See Source."""
        if self.store is not None:
            self._settled = self._prefix.copy()
            self._held = []
            self.refresh.stored()

    def rewind(self) -> None:
        """See Source: the records that are not settled are handed out again."""
        self._pending = self._held + self._pending[self._taken :]
        self._taken = 0
        self._held = []
        self._prefix = self._settled.copy()

    def reload(self) -> bool:
        """See Source: the stored position shows whether the commit took effect. Raises Fenced if another run did."""
        stored = self.store.load() if self.store is not None else None
        if stored is not None and stored.size == self._prefix.size:
            self.settled()
            return True
        if stored is not None and stored.size != self._settled.size:
            raise Fenced(
                f"another run with --resume {self.resume} has sent {self.name} up to byte {stored.size} in the "
                "meantime.",
                "Let that run continue; only one run at a time may use the name.",
            )
        self.rewind()
        return False

    def release(self) -> None:
        """See Source: nothing to do. No partition of an input can be revoked."""

    def close(self) -> None:
        """See Source: nothing to do. The caller that opened the descriptor closes it."""

    # ── continuing after an earlier run ──

    def skip(self, committed: InputPosition) -> None:
        """Skip the records that an earlier run committed. Raises UsageError if the input begins with other bytes."""
        try:
            self._prefix.repeat(committed, self._read_noticing, self.decoder.delimiter, READ_BYTES)
        except OtherInputError as exc:
            raise _other(self, str(exc)) from exc
        self.settled()

    def _read_noticing(self, most: int) -> bytes:
        """The next bytes; b"" at the end. Raises Interrupted when a signal comes, also while nothing comes."""
        while not self.signals.wait_for(self.descriptor, 1.0):
            if self.signals.received is not None:
                raise Interrupted(self.signals.received)
        data = self.read_bytes(self.descriptor, most)
        self._splitter.read += len(data)
        return data

    def drain(self) -> Iterator[list[bytes]]:
        """The rest of the input, unsent: records with their delimiters, until the end or a signal."""
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


def _cut_off(source: Input, size: int) -> Aborted:
    return Aborted(
        f"{source.name} ends without a delimiter after its last record ({size} bytes): "
        "it may be cut off; nothing of the open transaction is visible.",
        "Complete the input, or accept it as it is with --allow-unterminated.",
    )


def _too_long(source: Input, begins: int) -> KdgError:
    """A record that begins at this byte is longer than one may be."""
    message = (
        f"{source.name}: the record that begins at byte {begins} has more than {source.longest} bytes and no end; "
        "the input is not read on."
    )
    hint = "Check the input, and the delimiter (-D). -X message.max.bytes=N allows records of N bytes."
    if source.whole_records:
        return Aborted(f"{message} Nothing of the open transaction is visible.", hint)
    return KdgError(message, hint)


def _other(source: Input, reason: str) -> UsageError:
    return UsageError(
        f"{source.name} is not the input that --resume {source.resume} was used for: {reason}.",
        f"Give the same input, choose another name than {source.resume}, or start over with --restart "
        "(records already sent stay in the topic).",
    )
