"""Owns what a target does with the delivery reports of records that were not delivered."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NoReturn

from confluent_kafka import KafkaError

from kdg.core.ports import Work
from kdg.core.records import Batch
from kdg.kafka.errors import NOT_AUTHORISED, REFUSED, rights, translate
from kdg.kafka.producer import ProducerHandle
from kdg.kafka.refused import Sorting, end_producer, stopped_by, until_stopped
from kdg.kafka.unacknowledged import Unacknowledged
from kdg.kafka.undelivered_records import OnUndelivered, Stopped, UndeliveredRecord, batch_of, of_reports
from kdg.kafka.waiting import FirstRecords, Waiting
from kdg.runtime.deadline import Deadline


@dataclass(slots=True)
class Delivery:
    """The records of one target that the library has taken. For the fields see KafkaTarget.

    waiting: batches that the library has not taken yet. again: makes such a batch of records that come back from it.
    first: how many records may be sent before they are waited for. silence: reports a long wait for records.
    given_up: whether what is not acknowledged counts as undelivered, and nothing is sent again.
    """

    handle: ProducerHandle
    topic: str
    deadline: Deadline
    on_undelivered: OnUndelivered
    sends_again: bool
    stops: bool
    waiting: deque[Waiting]
    again: Callable[[Batch], Waiting]
    first: FirstRecords
    silence: Unacknowledged
    given_up: bool = False
    _denied: bool = False

    @property
    def has_refused(self) -> bool:
        """Whether there are reports of a refused batch, whose records are to be sent again."""
        return self.sends_again and not self.given_up and any(map(stopped_by, self.handle.failed))

    def look(self) -> bool:
        """See KafkaTarget.look."""
        if self.has_refused:
            return True
        if self.handle.failed:
            self.hand_over()
        if len(self.handle.producer):
            self.silence.look()
        return False

    def give_up(self) -> None:
        """Count every record that is not acknowledged by now as undelivered, once."""
        if not self.given_up:
            self.given_up = True
            # A request in flight may still arrive: no transaction may begin with this producer (hazard 1).
            self.handle.watch.suspicious = True
            self.handle.producer.purge()
            self.handle.flush(1.0)
            if self.handle.failed:
                self.hand_over()

    def report(self) -> Work[bool]:
        """Hand over the records of the delivery reports that have come in.

        True if some were of a refused batch, and were sent again.
        """
        if not self.handle.failed:
            return False
        if self.has_refused:
            yield from end_producer(self.handle, self.deadline, self.silence)
            if any(error.code() in REFUSED for error, *_ in self.handle.failed):
                yield from self._send_again()
                return True
        self.hand_over()
        return False

    def hand_over(self) -> None:
        """The same, without sending anything again."""
        failed, self.handle.failed = self.handle.failed, []
        try:
            self.on_undelivered(of_reports(failed))
        finally:
            self.raise_denied(next((error for error, *_ in failed if error.code() in NOT_AUTHORISED), None))

    def _send_again(self) -> Work[None]:
        """Send the records of refused batches again (kdg/kafka/refused.py); what was behind them waits meanwhile."""
        records, self.handle.failed = of_reports(self.handle.failed), []
        again, behind = (records, []) if self.stops else until_stopped(records)
        sorting = Sorting(self.handle, self.topic, self.deadline, self.silence, self.stops)
        self.first.begin_again()
        yield from sorting.run([record for record in again if record.is_refused or record.is_stopped])
        undelivered = [*sorting.refused, *sorting.lost]
        undelivered += [record for record in records if not record.is_refused and not record.is_stopped]
        if behind:
            self._send_before_all(batch_of(behind))
        if undelivered and self.stops:
            self._stop(undelivered, sorting.held)
        if undelivered:
            self.on_undelivered(undelivered)

    def _send_before_all(self, batch: Batch) -> None:
        """Send a batch before those that wait already. They are numbered again: reports are sorted by these numbers."""
        self.waiting.appendleft(self.again(batch))
        for later in islice(self.waiting, 1, None):
            later.reports = self.handle.of_batch(later.batch)

    def refuse(self, record: UndeliveredRecord) -> Work[None]:
        """The library has refused the record before `done` of the first batch that waits."""
        if self.stops and self.sends_again:
            yield from self._stop_before(record)
        self.on_undelivered([record])

    def _stop_before(self, record: UndeliveredRecord) -> Work[None]:
        """The library refuses a record: deliver what was sent before it, and stop there. Raises Stopped."""
        self.waiting[0].done -= 1
        self.silence.begin()
        while self.handle.flush(0.1) and not self.deadline.over():
            self.silence.look()
            yield
        yield from self.report()
        if not len(self.handle.producer):
            self._stop([record], [])

    def _stop(self, undelivered: Sequence[UndeliveredRecord], held: Sequence[UndeliveredRecord]) -> NoReturn:
        """Raises Stopped: these records are not delivered, and neither is what waits. Everything else is."""
        unsent = [record for waiting in self.waiting for record in waiting.unsent(undelivered[0].reason)]
        self.waiting.clear()
        raise Stopped(self.topic, undelivered, [*held, *unsent])

    def raise_denied(self, error: KafkaError | None) -> None:
        """A missing right ends the run, because every other record would fail as well. It is raised once.

        What waits is not delivered either. Raises Unreachable with the right that is missing.
        """
        denied = error or self.handle.watch.denied
        if denied is None or self._denied:
            return
        self._denied = True
        unsent = [record for waiting in self.waiting for record in waiting.unsent(denied)]
        self.waiting.clear()
        try:
            if unsent:
                self.on_undelivered(unsent)
        finally:
            needs = rights(self.topic, "WRITE", identity=self.handle.transactional_id)
            raise translate(denied, f"producing to {self.topic}", needs)
