"""Owns sending batches to a topic: a whole batch at once, and waiting while the library's queue is full.

What becomes of records that are not delivered: kdg/kafka/undelivered_records.py.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import repeat
from operator import length_hint
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from kdg.core.ports import TryAgain, Work
from kdg.core.records import Batch
from kdg.kafka.errors import NOT_AUTHORISED, describe, error_of, rights, translate
from kdg.kafka.producer import ProducerHandle
from kdg.kafka.undelivered_records import OnUndelivered, UndeliveredRecord
from kdg.runtime.deadline import Deadline

COUNTED_FOR = 300.0
"""Seconds until the partitions are counted again: topic.metadata.refresh.interval.ms, when the library looks, too."""
CAUSE_SECONDS = 1.0
"""How long to wait for the delivery report that names the cause of a fatal error."""
PRODUCER_FAILED = frozenset({KafkaError._STATE, KafkaError._FATAL, KafkaError._FENCED})
"""What produce() raises after a fatal error."""


@dataclass(slots=True)
class KafkaTarget:
    """Writes batches to a topic.

    on_undelivered: called with the records that were not delivered; it may raise.
    partition: where all records go; -1 lets the partitioner choose.
    keep_partition: send each record to the partition number in its batch.
    partitions: how many the topic was seen to have; 0 if nobody has looked.
    settle_seconds: the longest that `flush` may take; None for no limit but the run's deadline.
    most_unsent: the most records without a delivery report at one time: a crash could have lost so many.
    """

    handle: ProducerHandle
    topic: str
    deadline: Deadline
    on_undelivered: OnUndelivered
    partition: int = -1
    keep_partition: bool = False
    partitions: int = 0
    settle_seconds: float | None = None
    note: Callable[[str], None] = lambda _line: None
    most_unsent: int = 0
    _counted: float = field(init=False)
    _given_up: bool = field(default=False)
    _denied: bool = field(default=False)

    def __post_init__(self) -> None:
        self._counted = self.deadline.now()

    # ── sending ──

    def write(self, batch: Batch) -> Work[None]:
        """Put the batch into the library's queue, and wait while the queue is full."""
        self.most_unsent = max(self.most_unsent, len(self.handle.producer) + len(batch))
        done = 0
        while done < len(batch):
            values, calls = self._calls(batch, done)
            try:
                deque(calls, maxlen=0)  # makes every call, without a Python statement for each record
                done = len(batch)
            except BufferError:
                done = len(batch) - length_hint(values) - 1
                self._make_room()
                yield
            except KafkaException as exc:
                done = len(batch) - length_hint(values)
                self._refused(batch, done - 1, error_of(exc))
        self._serve(0)
        self._report_undelivered()

    def _calls(self, batch: Batch, done: int) -> tuple[Iterator[bytes | None], Iterator[None]]:
        """The calls for the records from `done` on, and the iterator whose length shows how many are left."""
        produce = self.handle.producer.produce
        values = iter(batch.values[done:] if done else batch.values)
        if not isinstance(batch.values, list | tuple):  # length_hint is exact for these alone
            values = iter(list(batch.values)[done:])
        keys: Any = repeat(None) if batch.keys is None else batch.keys[done:]
        kept = batch.partitions if self.keep_partition else None
        partitions: Any = repeat(self._partition()) if kept is None else kept[done:]
        if batch.headers is None and batch.timestamps is None:
            return values, map(produce, repeat(self.topic), values, keys, partitions)
        times: Any = repeat(0) if batch.timestamps is None else batch.timestamps[done:]
        if batch.timestamps and min(batch.timestamps) < 0:  # negative: the record has no timestamp
            times = [max(t, 0) for t in times]
        # The library takes a list, and no other kind of sequence.
        headers: Any = repeat(None) if batch.headers is None else [list(h) if h else None for h in batch.headers[done:]]
        reports: Any = repeat(None)
        if batch.headers is not None:
            reports = [partial(self.handle.on_delivery, headers=h) if h else None for h in headers]
        return values, map(produce, repeat(self.topic), values, keys, partitions, reports, repeat(None), times, headers)

    def _partition(self) -> int:
        """The partition to send to; -1 lets the partitioner choose.

        If there is only one partition, the partitioner would be a tenth of what sending a record costs [measured].
        Whether there is still only one is looked up as often as the library looks.
        """
        if self.partition >= 0 or self.partitions != 1:
            return self.partition
        now = self.deadline.now()
        if now - self._counted > COUNTED_FOR:
            self._counted, self.partitions = now, self._count_partitions()
        return 0 if self.partitions == 1 else -1

    def _count_partitions(self) -> int:
        try:
            found = self.handle.producer.list_topics(timeout=1.0).topics.get(self.topic)
        except KafkaException:
            return 0
        return 0 if found is None else len(found.partitions)

    def _make_room(self) -> None:
        self._serve(0.01)
        self._report_undelivered()
        if self.deadline.over():
            self.give_up()

    def _serve(self, timeout: float) -> None:
        self.handle.serve(timeout)
        if self.handle.watch.fault is not None:
            raise self.handle.watch.no_token or translate(self.handle.watch.fault, f"producing to {self.topic}")

    # ── records that are not delivered ──

    def _refused(self, batch: Batch, index: int, error: KafkaError) -> None:
        """produce() refused a record: it is too large, its partition does not exist, or the producer has failed."""
        if error.fatal() or error.code() in PRODUCER_FAILED:
            self._await_cause()
            if self.handle.watch.denied is not None:
                self._denied_from(batch, index)
            raise TryAgain(f"producing to {self.topic}: {describe(error)}.")
        self.on_undelivered([UndeliveredRecord.of_batch(batch, index, error)])

    def _await_cause(self) -> None:
        """After a fatal error produce() fails without a cause; the cause comes in an earlier record's delivery report.

        Raises the exception for that cause.
        """
        began = self.deadline.now()
        self._serve(0)
        while not self.handle.failed and len(self.handle.producer) and self.deadline.now() - began < CAUSE_SECONDS:
            self._serve(0.05)
        if self.handle.watch.denied is None:
            self._report_undelivered()

    def _denied_from(self, batch: Batch, index: int) -> None:
        """The rest of the batch is not delivered either. Raises Unreachable with the right that is missing."""
        denied = self.handle.watch.denied
        assert denied is not None  # noqa: S101  # the caller has looked
        try:
            self.on_undelivered(
                [UndeliveredRecord.of_batch(batch, number, denied) for number in range(index, len(batch))]
            )
        finally:
            self._raise_denied(denied)

    def _report_undelivered(self) -> None:
        """Hand over the records of the delivery reports that have come in."""
        if self.handle.failed:
            failed, self.handle.failed = self.handle.failed, []
            try:
                self.on_undelivered([UndeliveredRecord.of_report(*report) for report in failed])
            finally:
                self._raise_denied(next((error for error, *_ in failed if error.code() in NOT_AUTHORISED), None))

    def _raise_denied(self, error: KafkaError | None) -> None:
        """A missing right ends the run, because every other record would fail as well. It is raised once."""
        denied = error or self.handle.watch.denied
        if denied is not None and not self._denied:
            self._denied = True
            needs = rights(self.topic, "WRITE", identity=self.handle.transactional_id)
            raise translate(denied, f"producing to {self.topic}", needs)

    # ── ending ──

    def flush(self) -> Work[None]:
        """See Target. On return every delivery report has come in, or the time is over and the rest was given up."""
        began = self.deadline.now()
        while self.handle.flush(min(self.deadline.left(self.settle_seconds, began), 0.5)):
            self._report_undelivered()
            if self.deadline.over(self.settle_seconds, began):
                self.give_up()
            yield
        self._report_undelivered()

    def give_up(self) -> None:
        """Count every record that is not acknowledged by now as undelivered, once."""
        if not self._given_up:
            self._given_up = True
            # A request in flight may still arrive: no transaction may begin with this producer (hazard 1).
            self.handle.watch.suspicious = True
            self.handle.producer.purge()
            self.handle.flush(1.0)
            self._report_undelivered()

    def close(self) -> None:
        """Drop the records that were not flushed; wait for none of them."""
        if len(self.handle.producer):
            self.handle.producer.purge()
