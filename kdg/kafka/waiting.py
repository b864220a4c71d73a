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
        self, produce: Callable[..., None], topic: str, partition: int, most: int | None = None
    ) -> tuple[Iterator[bytes | None], Iterator[None]]:
        """The calls for the records from `done` on, and the iterator whose length shows how many are left.

        partition: for a batch that names none; -1 lets the partitioner choose. most: the most records; None for all.
        """
        batch, done = self.batch, self.done
        part = batch.values if not done and most is None else batch.values[done : None if most is None else done + most]
        values = iter(part if isinstance(part, list | tuple) else list(part))  # length_hint is exact for these alone
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


FIRST = 16
"""Records that are sent and waited for before anything else, and for each partition."""
FIRST_BYTES = 5_000
"""At most so many bytes of keys and values at once, or one record: these are one batch in each partition."""


class FirstRecords:
    """The first records of a producer, of which only one batch in a partition may be on its way.

    If the first batch of a producer in a partition is refused, the broker has not seen this producer there, and accepts
    a later batch with any sequence number (ProducerAppendInfo.checkSequence): it would overtake. So the first records
    are waited for before more are sent: 16, then as many as were sent already, until each partition should have had
    one.

    on_their_way: some were sent and not waited for yet.
    """

    __slots__ = ("_all", "_left", "on_their_way")

    def __init__(self, partitions: int) -> None:
        self._all = FIRST * partitions
        self._left = self._all
        self.on_their_way = False

    def begin_again(self) -> None:
        """There is a new producer."""
        self._left = self._all
        self.on_their_way = False

    def most(self, waiting: Waiting) -> int | None:
        """How many records of the batch may be sent before all of them are waited for; None if that is over."""
        if self._left <= 0:
            return None
        most = min(max(self._all - self._left, FIRST), self._left, max(len(waiting.batch) - waiting.done, 1))
        while most > 1 and _size(waiting.batch, waiting.done, most) > FIRST_BYTES:
            most //= 2
        self._left -= most
        self.on_their_way = True
        return most


def _size(batch: Batch, begin: int, count: int) -> int:
    keys = None if batch.keys is None else batch.keys[begin : begin + count]
    return Batch(batch.values[begin : begin + count], keys).size
