"""Owns the way between bytes and a Batch: lines, JSON and templates. Pure: no I/O, no clock, no client.

    lines      one record a line (or any delimiter), optionally with a key in front
    json       one JSON object a line; any bytes survive the way out and back in; shapes: what its members may be
    template   kcat's `-f`
    encoding   how key and value appear as text: utf8, hex, base64

Each format is a module of its own, so that start-up imports only what a command uses: orjson where JSON is spoken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kdg.core.records import Batch, Headers


class Encoder(Protocol):
    """Batch to bytes, for consume and for the input of a command."""

    @property
    def columns(self) -> frozenset[str]:
        """The columns of Batch it reads; the source need not fill the others."""

    @property
    def terminator(self) -> bytes:
        """What every record ends with, so that a torn one can be told; empty where records end in any way."""

    def encode(self, batch: Batch) -> bytes:
        """All records of the batch, framed and in order. Never fails, whatever bytes the records hold."""


class Decoder(Protocol):
    """Records, already split at the delimiter, to a Batch, for produce and for the output of a command."""

    @property
    def delimiter(self) -> bytes:
        """What ends each record of the input."""

    def decode(self, records: list[bytes], first: int) -> Batch:
        """One record for each item; `first` is the 1-based number of records[0] in the input.

        Raises UsageError with that number (`line 17: reason`); then none of the records was taken.
        """

    def encode_back(
        self,
        key: bytes | None,
        value: bytes | None,
        headers: Headers | None,
        timestamp: int | None,
        partition: int | None = None,
    ) -> bytes:
        """A record that `decode` gave, in the input's framing, delimiter included; `decode` reads the same again."""
