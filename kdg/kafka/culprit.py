"""Owns naming the record because of which a broker has refused a batch of a transaction, after that was aborted.

The records of the batch are sent in transactions that are always aborted, half of those that are left in each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confluent_kafka import KafkaError, KafkaException

from kdg.errors import Aborted, KdgError
from kdg.kafka.errors import describe
from kdg.kafka.undelivered_records import RefusedInTransaction, UndeliveredRecord, of_reports, ways_on

if TYPE_CHECKING:
    from kdg.kafka.target import KafkaTarget
    from kdg.kafka.transaction import KafkaTransaction

PROBE_SECONDS = 5.0
"""How long one attempt may take."""


class _NoAnswerError(Exception):
    """An attempt brought no answer in time: the record is not named."""


def with_culprit(error: RefusedInTransaction, target: KafkaTarget, transaction: KafkaTransaction) -> KdgError:
    """The same error, naming the record that is refused alone, or a batch size that is not too large."""
    probes = _Probes(target, transaction)
    records = error.records
    try:
        if len(records) > 1:
            transaction.recycle()
        if len(records) > 1 and records[0].reason.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            largest = max(records, key=_size)
            if not probes.refused([largest]):
                return _too_large_together(error, target.topic, probes)
            found = largest
        else:
            found = _search(records, probes)
    except (KdgError, _NoAnswerError):
        return error
    return Aborted(
        f"the transaction is aborted: {target.topic} does not take {found.name}: {describe(found.reason)}.",
        ways_on(found),
    )


def _size(record: UndeliveredRecord) -> int:
    return len(record.key or b"") + len(record.value or b"")


def _too_large_together(error: RefusedInTransaction, topic: str, probes: _Probes) -> KdgError:
    """The error for a batch whose largest record fits: it names a size of batches that fit as well."""
    records = error.records
    while len(records) > 1 and probes.refused(records):
        records = records[: len(records) // 2]
    return Aborted(
        f"the transaction is aborted: {topic} takes each of {len(error.records)} records, but not as one batch "
        "(max.message.bytes of the topic).",
        f"Use smaller batches: -X batch.size={max(sum(map(_size, records)), 1)}",
    )


def _search(records: Sequence[UndeliveredRecord], probes: _Probes) -> UndeliveredRecord:
    """A record that is refused alone, among records of which at least one is."""
    different = KafkaError._INVALID_DIFFERENT_RECORD
    if any(record.reason.code() == different for record in records):
        return next(record for record in records if record.reason.code() != different)
    if len(records) == 1:
        return records[0]
    first, second = records[: len(records) // 2], records[len(records) // 2 :]
    return _search(probes.refused(first) or second, probes)


@dataclass(frozen=True, slots=True)
class _Probes:
    target: KafkaTarget
    transaction: KafkaTransaction

    def refused(self, records: Sequence[UndeliveredRecord]) -> list[UndeliveredRecord]:
        """Those of the records that are refused if these are sent, in a transaction that is aborted."""
        handle, deadline = self.target.handle, self.target.deadline
        self.transaction.begin()
        try:
            for record in records:
                handle.producer.produce(
                    self.target.topic,
                    record.value,
                    record.key,
                    record.partition,
                    None,
                    None,
                    record.time_to_send,
                    list(record.headers) if record.headers else None,
                )
        except (KafkaException, BufferError):
            pass  # an earlier one of them was refused already
        began = deadline.now()
        while handle.flush(0.1) and not handle.failed:
            if deadline.over(PROBE_SECONDS, began):
                raise _NoAnswerError
        failed = of_reports(handle.failed)
        self.transaction.abort()
        by_content = {(record.partition, record.key, record.value): record for record in records}
        return [by_content[r.partition, r.key, r.value].because(r.reason) for r in failed if r.is_refused]
