"""Owns the records that are not known to be delivered: why, how a message names them, and what they do to a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from confluent_kafka import KafkaError, Message

from kdg.core.ports import TryAgain
from kdg.core.records import Batch, Headers
from kdg.errors import Aborted, Undelivered
from kdg.kafka.errors import HOPELESS_RECORD, OUTCOME_UNKNOWN, describe
from kdg.text.words import plural_were

SHOWN_BYTES_OF_KEY = 40


@dataclass(frozen=True, slots=True)
class UndeliveredRecord:
    """A record that is not known to be in the topic, and the reason. timestamp: milliseconds since 1970, 0 for none."""

    key: bytes | None
    value: bytes | None
    headers: Headers | None
    timestamp: int
    reason: KafkaError

    @classmethod
    def of_batch(cls, batch: Batch, index: int, reason: KafkaError) -> Self:
        """A record of a batch that the library did not take."""
        return cls(
            key=None if batch.keys is None else batch.keys[index],
            value=batch.values[index],
            headers=None if batch.headers is None else batch.headers[index],
            timestamp=0 if batch.timestamps is None else batch.timestamps[index],
            reason=reason,
        )

    @classmethod
    def of_report(cls, reason: KafkaError, message: Message, headers: Headers | None) -> Self:
        """The record of a delivery report. headers: handed in, because the library's message has none."""
        _kind, timestamp = message.timestamp()
        return cls(_bytes(message.key()), _bytes(message.value()), headers, timestamp, reason)

    @property
    def certain(self) -> bool:
        """Whether the record is certainly not in the topic (hazard 7)."""
        return self.reason.code() not in OUTCOME_UNKNOWN

    @property
    def name(self) -> str:
        """How a message names the record: by its size and key, because values may be secret or long."""
        size = len(self.value or b"")
        if self.key is None:
            return f"a record of {size} bytes"
        return (
            f"a record of {size} bytes with key {self.key[:SHOWN_BYTES_OF_KEY].decode('utf-8', 'backslashreplace')!r}"
        )


def _bytes(field: bytes | str | None) -> bytes | None:
    return field.encode() if isinstance(field, str) else field


def example_of(records: Sequence[UndeliveredRecord]) -> str:
    """One of the records and why it was not delivered, for a message.

    The broker refuses a whole batch because of its largest record: that one is the example then.
    """
    example = records[0]
    if example.reason.code() == KafkaError.MSG_SIZE_TOO_LARGE:
        example = max(records, key=lambda record: len(record.value or b""))
    return f"{example.name}: {describe(example.reason)}"


class OnUndelivered(Protocol):
    """What a run does about records that were not delivered."""

    def __call__(self, records: Sequence[UndeliveredRecord]) -> None:
        """Count and keep the records, or raise a KdgError."""


def abort_on_undelivered(records: Sequence[UndeliveredRecord]) -> None:
    """In a transaction, a missing record means that the others must not be visible either.

    Raises Aborted if the records would be refused again, else TryAgain.
    """
    what = f"{len(records)} of its records could not be delivered, such as {example_of(records)}"
    if records[0].reason.code() in HOPELESS_RECORD:
        raise Aborted(
            f"the transaction is aborted: {what}.",
            "Raise the limit that the record breaks (message.max.bytes, max.message.bytes), or leave the record out.",
        )
    raise TryAgain(f"{what}.")


def stop_on_undelivered(records: Sequence[UndeliveredRecord]) -> None:
    """In a pipe without transactions, the position of the input must not move past the records. Raises Undelivered."""
    raise Undelivered(
        f"{plural_were(len(records), 'record')} not delivered, such as {example_of(records)}; "
        "the input's position stays before them.",
        "Fix the cause and run it again: with the same group the records are read again.",
    )
