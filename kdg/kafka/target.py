"""Owns sending batches to a topic: a whole batch at once, and waiting while the library's queue is full.

What becomes of records that are not delivered: kdg/kafka/undelivered_records.py.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from operator import length_hint

from confluent_kafka import KafkaError, KafkaException

from kdg.core.ports import TryAgain, Work
from kdg.core.records import Batch
from kdg.kafka.delivery import Delivery
from kdg.kafka.errors import describe, error_of
from kdg.kafka.partition_choice import PartitionChoice
from kdg.kafka.producer import ProducerHandle
from kdg.kafka.unacknowledged import Unacknowledged
from kdg.kafka.undelivered_records import LeftOut, OnUndelivered, UndeliveredRecord
from kdg.kafka.waiting import FirstRecords, Waiting
from kdg.runtime.deadline import Deadline

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
    sends_again: whether the records of a refused batch are sent again, until each is delivered or refused alone.
    stops: whether nothing may follow a record that is refused alone.
    settle_seconds: the longest that `flush` may take; None for no limit but the run's deadline.
    note: prints a line for the user.
    unsent: records of the last batch that were not handed to the library, because `write` raised.
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
    sends_again: bool = False
    stops: bool = False
    note: Callable[[str], None] = lambda _line: None
    most_unsent: int = 0
    unsent: int = 0
    _noted_zero: bool = field(default=False)
    _waiting: deque[Waiting] = field(default_factory=deque)
    _choice: PartitionChoice = field(init=False)
    _first: FirstRecords = field(init=False)
    _delivery: Delivery = field(init=False)
    _silence: Unacknowledged = field(init=False)

    def __post_init__(self) -> None:
        self._silence = Unacknowledged(self.handle, self.topic, self.deadline)
        self._choice = PartitionChoice(self.handle, self.topic, self.deadline, self.partition, self.partitions)
        self._first = FirstRecords(self.partitions if self.sends_again and self.handle.stops_when_refused else 0)
        self._delivery = Delivery(
            self.handle,
            self.topic,
            self.deadline,
            self.on_undelivered,
            self.sends_again,
            self.stops,
            self._waiting,
            partial(self._waits, keep_partition=True),
            self._first,
            self._silence,
        )

    # ── sending ──

    def write(self, batch: Batch) -> Work[None]:
        """Put the batch into the library's queue, and wait while the queue is full."""
        self.most_unsent = max(self.most_unsent, len(self.handle.producer) + len(batch))
        self._waiting.append(self._waits(batch, keep_partition=self.keep_partition))
        self._silence.begin()
        try:
            yield from self._send_waiting()
        finally:
            # If it failed, the loop hands the records over again, or ends.
            self.unsent = sum(len(waiting.batch) - waiting.done for waiting in self._waiting)
            self._waiting.clear()

    def _waits(self, batch: Batch, *, keep_partition: bool) -> Waiting:
        return Waiting(batch, keep_partition, self.handle.of_batch(batch), self._note_zero)

    def _send_waiting(self) -> Work[None]:
        """Send what waits, the first batch first. A batch that comes back from the library goes to the front again."""
        while self._waiting:
            yield from self._send(self._waiting[0])
            if not self._waiting:
                self._serve(0)
                yield from self._delivery.report()

    def _send(self, waiting: Waiting) -> Work[None]:
        if self._first.on_their_way:
            yield from self._await_first()
            if self._waiting[0] is not waiting:
                return  # something was refused, and comes first
        most = self._first.most(waiting)
        values, calls = waiting.calls(self.handle.producer.produce, self.topic, self._choice.now(), most)
        end = len(waiting.batch) if most is None else min(waiting.done + most, len(waiting.batch))
        try:
            deque(calls, maxlen=0)  # makes every call, without a Python statement for each record
            waiting.done = end
        except BufferError:
            before, waiting.done = waiting.done, end - length_hint(values) - 1
            if waiting.done > before:
                self._silence.begin()
            yield from self._make_room()
        except KafkaException as exc:
            waiting.done = end - length_hint(values)
            yield from self._refused(waiting, error_of(exc))
        if waiting.done == len(waiting.batch) and self._waiting and self._waiting[0] is waiting:
            self._waiting.popleft()

    def _await_first(self) -> Work[None]:
        self._silence.begin()
        while self.handle.flush(0.1) and not self.deadline.over():
            self.handle.raise_fault(self.topic)
            self._silence.look()
            yield
        self._first.on_their_way = False
        yield from self._delivery.report()

    def _note_zero(self) -> None:
        if not self._noted_zero:
            self._noted_zero = True
            self.note(
                "a record has timestamp 0 (1970-01-01T00:00:00.000Z), which the Kafka client cannot send: it gets 1, "
                "a millisecond later"
            )

    def _make_room(self) -> Work[None]:
        self._serve(0.01)
        self._silence.look()
        yield from self._delivery.report()
        if self.deadline.over():
            self.give_up()
        yield

    def _serve(self, timeout: float) -> None:
        self.handle.serve(timeout)
        self.handle.raise_fault(self.topic)

    def look(self) -> bool:
        """Look at the delivery reports while the run waits for something else, so that a failure is reported at once.

        True if some records are to be sent again: `flush` does that. Raises what `on_undelivered` raises.
        """
        if not len(self.handle.producer):
            self.handle.serve(0)  # a login is renewed there
            return False
        self._serve(0)
        return self._delivery.look()

    # ── records that are not delivered ──

    def _refused(self, waiting: Waiting, error: KafkaError) -> Work[None]:
        """produce() refused the record before `done`: it is too large, its partition does not exist, or all fails."""
        index = waiting.done - 1
        if error.fatal() or error.code() in PRODUCER_FAILED:
            waiting.done = index
            if (yield from self._await_cause()):
                return  # the producer was replaced
            if (denied := self.handle.watch.denied) is not None:
                self._delivery.raise_denied(denied)
            raise TryAgain(f"producing to {self.topic}: {describe(error)}.")
        yield from self._delivery.refuse(UndeliveredRecord.of_batch(waiting.batch, index, error))

    def _await_cause(self) -> Work[bool]:
        """After a fatal error produce() fails without a cause; the cause comes in an earlier record's delivery report.

        True if the cause is a refused batch: its records were sorted out, and the producer replaced. Otherwise raises
        the exception for the cause, if there is one.
        """
        began = self.deadline.now()
        self._serve(0)
        while not self.handle.failed and len(self.handle.producer) and self.deadline.now() - began < CAUSE_SECONDS:
            self._serve(0.05)
        return self.handle.watch.denied is None and (yield from self._delivery.report())

    # ── ending ──

    def flush(self) -> Work[None]:
        """See Target. On return every delivery report has come in, or the time is over and the rest was given up."""
        began = self.deadline.now()
        self._silence.begin()
        while self.handle.flush(min(self.deadline.left(self.settle_seconds, began), 0.5)) or self._waiting:
            yield from self._delivery.report()
            yield from self._send_waiting()
            self._silence.look()
            if self.handle.watch.fault is not None or self.deadline.over(self.settle_seconds, began):
                self.give_up()
                self.handle.raise_fault(self.topic)
            yield
        if (yield from self._delivery.report()):
            yield from self.flush()

    def give_up(self) -> None:
        """Count every record that is not acknowledged by now as undelivered, once."""
        self._delivery.give_up()

    def give_up_rest(self) -> int:
        """After LeftOut was raised: give up as well what is not acknowledged by now, and return how many these are."""
        try:
            self.give_up()
        except LeftOut as more:
            return more.count + self.unsent
        return self.unsent

    def close(self) -> None:
        """Drop the records that were not flushed; wait for none of them."""
        if len(self.handle.producer):
            self.handle.producer.purge()
