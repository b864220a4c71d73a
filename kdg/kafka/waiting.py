"""Owns a batch that is not wholly handed to the library yet, and the calls that hand it over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError

from kdg.core.records import Batch
from kdg.kafka.undelivered_records import UndeliveredRecord

if TYPE_CHECKING:
    from kdg.kafka.library import OnDelivery


@dataclass(slots=True)
class Waiting:
    """A batch, and how many of its records are handed to the library.

    keep_partition: send each record to the partition that the batch names. reports: takes the delivery reports.
    on_zero: called if a record has timestamp 0, which cannot be sent.
    """

    batch: Batch
    keep_partition: bool
    reports: OnDelivery
    on_zero: Callable[[], None]
    done: int = 0

    def calls(
        self, produce: Callable[..., None], topic: str, partition: int
    ) -> tuple[Iterator[bytes | None], Iterator[None]]:
        """The calls for the records from `done` on, and the iterator whose length shows how many are left.

        partition: for a batch that names none; -1 lets the partitioner choose.
        """
        batch, done = self.batch, self.done
        values = iter(batch.values[done:] if done else batch.values)
        if not isinstance(batch.values, list | tuple):  # length_hint is exact for these alone
            values = iter(list(batch.values)[done:])
        keys: Any = repeat(None) if batch.keys is None else batch.keys[done:]
        kept = batch.partitions if self.keep_partition else None
        partitions: Any = repeat(partition) if kept is None else kept[done:]
        reports = repeat(self.reports)
        if batch.headers is None and batch.timestamps is None:
            return values, map(produce, repeat(topic), values, keys, partitions, reports)
        times: Any = repeat(0) if batch.timestamps is None else batch.timestamps[done:]
        if batch.timestamps and min(batch.timestamps) <= 0:
            # The library takes 0 as the time of sending, so a record of time 0 gets time 1.
            if 0 in times:
                self.on_zero()
            times = [0 if time < 0 else max(time, 1) for time in times]
        # The library takes a list, and no other kind of sequence.
        headers: Any = repeat(None) if batch.headers is None else [list(h) if h else None for h in batch.headers[done:]]
        return values, map(produce, repeat(topic), values, keys, partitions, reports, repeat(None), times, headers)

    def unsent(self, reason: KafkaError) -> list[UndeliveredRecord]:
        """The records from `done` on."""
        return [UndeliveredRecord.of_batch(self.batch, index, reason) for index in range(self.done, len(self.batch))]
