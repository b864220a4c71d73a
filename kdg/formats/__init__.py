"""Owns turning bytes into a Batch and a Batch into bytes: lines, JSON and templates. Pure: no I/O, no clock, no client.

    lines      one record a line (or any delimiter), optionally with a key in front
    json       one JSON object a line; any bytes can be printed and read again; shapes: what the members may be
    template   kcat's `-f`
    encoding   how keys and values are written as text: utf8, hex, base64

Each format is a module of its own, so that a command imports only what it uses: orjson only for JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kdg.core.records import Batch, Headers


class Encoder(Protocol):
    """Turns a Batch into bytes, for consume and for the input of a command."""

    @property
    def columns(self) -> frozenset[str]:
        """The columns of Batch that the encoder reads; the source may leave out the others."""

    @property
    def terminator(self) -> bytes:
        """The bytes at the end of each record, by which a torn record is noticed; empty if they have no common end."""

    def encode(self, batch: Batch) -> bytes:
        """All records of the batch, in order. Never fails, whatever bytes the records have."""


class Decoder(Protocol):
    """Turns records, already split at the delimiter, into a Batch: for produce and for the output of a command."""

    @property
    def delimiter(self) -> bytes:
        """The bytes at the end of each record of the input."""

    def decode(self, records: list[bytes], first: int) -> Batch:
        """One record for each item. first: the number of records[0] in the input, counted from 1.

        Raises UsageError with the number of the wrong record (`line 17: reason`); then none of the records is sent.
        """

    def encode_back(
        self,
        key: bytes | None,
        value: bytes | None,
        headers: Headers | None,
        timestamp: int | None,
        partition: int | None = None,
    ) -> bytes:
        """A record as it was in the input, with its delimiter: `decode` makes the same record of it."""
