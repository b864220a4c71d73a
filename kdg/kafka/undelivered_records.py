"""Owns the records that are not known to be delivered: why, how a message names them, and what they do to a run."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Protocol, Self

from confluent_kafka import KafkaError, Message

from kdg.core.ports import TryAgain
from kdg.core.records import Batch, Headers, Place, TopicPartition
from kdg.errors import Aborted, Undelivered
from kdg.kafka.errors import HOPELESS_RECORD, OUTCOME_UNKNOWN, REFUSED, STOPPED, describe
from kdg.kafka.sent import Report, SentBatch
from kdg.text.words import plural, plural_were

SHOWN_BYTES_OF_KEY = 40


@dataclass(frozen=True, slots=True)
class UndeliveredRecord:
    """A record that is not known to be in the topic, and the reason.

    timestamp: milliseconds since 1970, negative for none. partition: where it was sent; negative if none was
    chosen yet.
    source: where it was read, if that is known. order: compares records by when they were handed to the library.
    """

    key: bytes | None
    value: bytes | None
    headers: Headers | None
    timestamp: int
    reason: KafkaError
    partition: int = -1
    source: Place | None = None
    order: tuple[int, int] = (0, 0)

    @classmethod
    def of_batch(cls, batch: Batch, index: int, reason: KafkaError) -> Self:
        """A record of a batch that the library did not take."""
        return cls(
            key=None if batch.keys is None else batch.keys[index],
            value=batch.values[index],
            headers=None if batch.headers is None else batch.headers[index],
            timestamp=-1 if batch.timestamps is None else batch.timestamps[index],
            reason=reason,
            partition=-1 if batch.partitions is None else batch.partitions[index],
            source=None if batch.source is None else batch.source(index),
        )

    @classmethod
    def of_report(cls, reason: KafkaError, message: Message, sent: SentBatch | None) -> Self:
        """The record of a delivery report. sent: the batch that it was sent in, which has its headers and timestamp."""
        key, value = _bytes(message.key()), _bytes(message.value())
        number = message.partition()
        partition = -1 if number is None else number
        index = None if sent is None else sent.index(key, value)
        order = (0 if sent is None else sent.serial, index or 0)
        if sent is None or sent.batch is None or index is None:
            return cls(key, value, None, -1, reason, partition, order=order)
        return replace(cls.of_batch(sent.batch, index, reason), partition=partition, order=order)

    def because(self, reason: KafkaError) -> Self:
        """The same record, not delivered for another reason."""
        return replace(self, reason=reason)

    @property
    def is_refused(self) -> bool:
        """Whether the broker has refused the batch of this record, because of this record or of another one."""
        return self.reason.code() in REFUSED

    @property
    def is_stopped(self) -> bool:
        """Whether it was not sent because a batch before it was refused."""
        return self.reason.code() in STOPPED

    @property
    def time_to_send(self) -> int:
        """Its timestamp as the library takes it: 0 is the time of sending."""
        return 0 if self.timestamp < 0 else max(self.timestamp, 1)

    @property
    def certain(self) -> bool:
        """Whether the record is certainly not in the topic (hazard 7)."""
        return self.reason.code() not in OUTCOME_UNKNOWN

    @property
    def name(self) -> str:
        """How a message names the record: by its size and key, because values may be secret or long."""
        text = f"a record of {len(self.value or b'')} bytes"
        if self.key is not None:
            text += f" with key {self.key[:SHOWN_BYTES_OF_KEY].decode('utf-8', 'backslashreplace')!r}"
        return f"{self.place}, {text}" if self.source is not None else text

    @property
    def place(self) -> str:
        """Where it was read: "line 17", or "orders[0]@42"; empty if that is not known."""
        if isinstance(self.source, tuple):
            topic, partition, offset = self.source
            return f"{topic}[{partition}]@{offset}"
        return self.source or ""


def of_reports(reports: Sequence[Report]) -> list[UndeliveredRecord]:
    """The records of some delivery reports, in the order in which they were sent."""
    # Reports of a refused batch can come after those of records behind it [seen]. Of equal records in a partition the
    # last ones have failed, and those behind come last of all (see SentBatch.index).
    in_order = sorted(reports, key=lambda report: report[0].code() not in REFUSED)
    records = [UndeliveredRecord.of_report(*report) for report in reversed(in_order)]
    return sorted(records, key=attrgetter("order"))


def batch_of(records: Sequence[UndeliveredRecord]) -> Batch:
    """The records as a batch, each with its partition."""
    batch = Batch(
        values=[record.value for record in records],
        keys=[record.key for record in records],
        headers=[record.headers for record in records] if any(record.headers for record in records) else None,
        timestamps=[record.timestamp for record in records],
        partitions=[record.partition for record in records],
    )
    sources = [record.source for record in records]
    batch.source = lambda index: sources[index] or ""
    return batch


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


NOT_IN_TIME = OUTCOME_UNKNOWN | {KafkaError._PURGE_QUEUE}
"""Reasons of records that no broker has refused."""


class OnUndelivered(Protocol):
    """What a run does about records that were not delivered."""

    def __call__(self, records: Sequence[UndeliveredRecord]) -> None:
        """Count and keep the records, or raise a KdgError."""


def abort_on_undelivered(records: Sequence[UndeliveredRecord]) -> None:
    """In a transaction, a missing record means that the others must not be visible either.

    Raises RefusedInTransaction if the records would be refused again, else TryAgain.
    """
    # Records behind a refused one can be reported before it, as purged [seen]: the refused one is the cause.
    refused = [record for record in records if record.is_refused or record.reason.code() in HOPELESS_RECORD]
    what = f"{plural(len(records), 'record')} of it could not be delivered, such as {example_of(refused or records)}"
    if refused:
        raise RefusedInTransaction(
            f"the transaction is aborted: {what}.",
            "Raise the limit that the record breaks (message.max.bytes, max.message.bytes), or leave the record out.",
            refused,
        )
    late = (
        "They were not acknowledged in time: raise -X transaction.timeout.ms, or make transactions smaller (--resume)."
    )
    in_time = any(record.reason.code() not in NOT_IN_TIME for record in records)
    raise TryAgain(f"the transaction is aborted: {what}.", "" if in_time else late)


class RefusedInTransaction(Aborted):
    """The transaction is aborted because a batch was refused. records: of that batch; one of them may be the cause."""

    def __init__(self, message: str, hint: str, records: Sequence[UndeliveredRecord]) -> None:
        super().__init__(message, hint)
        self.records = records


class LeftOut(Undelivered):
    """A pipe without transactions ends, because it is not known of so many records that they were delivered."""

    def __init__(self, message: str, hint: str, count: int) -> None:
        super().__init__(message, hint)
        self.count = count


class Stopped(LeftOut):
    """A pipe without transactions has stopped before records that cannot be delivered; all others are delivered.

    count: of the records that are not delivered. before: where the position has to stay, in each partition of the
    source with a record that is not delivered; None if nobody can say where the records come from.
    """

    def __init__(
        self, topic: str, records: Sequence[UndeliveredRecord], held: Sequence[UndeliveredRecord] = ()
    ) -> None:
        first = next((record for record in records if not record.is_stopped), records[0])
        super().__init__(
            f"{topic} does not take {first.name}: {describe(first.reason)}; the input's position stays before it.",
            ways_on(first),
            len(records) + len(held),
        )
        places = [record.source for record in (*records, *held)]
        self.before: dict[TopicPartition, int] | None = {}
        for place in places:
            if not isinstance(place, tuple):
                self.before = None
                return
            topic_read, number, offset = place
            self.before[topic_read, number] = min(self.before.get((topic_read, number), offset), offset)


def ways_on(record: UndeliveredRecord) -> str:
    """What to do about a record that cannot be delivered."""
    fix = "Fix the cause (for a size: max.message.bytes of the topic, -X message.max.bytes here) and run it again"
    if not isinstance(record.source, tuple):
        return f"{fix}, or leave the record out."
    place = json.dumps(record.source, ensure_ascii=False)
    command = shlex.quote(f"select([.topic, .partition, .offset] != {place})")
    return f"{fix}, or leave the record out: -- jq -c {command}"


def stop_on_undelivered(records: Sequence[UndeliveredRecord]) -> None:
    """In a pipe without transactions, the position of the input must not move past the records. Raises Undelivered."""
    raise LeftOut(
        f"{plural_were(len(records), 'record')} not delivered, such as {example_of(records)}; "
        "the input's position stays before them.",
        "Fix the cause and run it again: with the same group the records are read again.",
        len(records),
    )
