"""Owns finding the records that a broker refuses: a refused batch is halved and sent again until each stands alone.

A broker refuses a whole batch because of one record, or because the batch itself is too large for the topic. Nothing
of a refused batch is in the topic. In each partition one group of records is on its way at a time, and it is exactly
one batch, so no record overtakes another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message

from kdg.core.ports import Work
from kdg.kafka.errors import REFUSED, STOPPED, error_of
from kdg.kafka.producer import LARGEST_BATCH, ProducerHandle
from kdg.kafka.sent import Report
from kdg.kafka.unacknowledged import Unacknowledged
from kdg.kafka.undelivered_records import UndeliveredRecord
from kdg.runtime.deadline import Deadline

ONE_BATCH: Mapping[str, str] = {
    "enable.idempotence": "false",
    "enable.gapless.guarantee": "false",
    "max.in.flight.requests.per.connection": "1",
    "linger.ms": "4000",
    "batch.num.messages": "1000000",
}
"""Settings with which all records between two flushes become one batch in each partition; a flush does not linger.

Without idempotence: after each refused batch an idempotent producer asks for another epoch, and with several partitions
it can then send nothing for minutes [seen]. One request at a time keeps the order; a batch whose answer is lost may be
there twice.
"""
SETTLE_SECONDS = 10.0
"""How long a producer that has stopped may take for what is still on its way."""
OVERHEAD = 64
"""Bytes of a record besides key, value and headers, at most; and of a batch."""


def stopped_by(report: Report) -> bool:
    """Whether a report says that a batch was refused, or that its record was waiting behind such a batch."""
    return report[0].code() in REFUSED or report[0].code() in STOPPED


def end_producer(handle: ProducerHandle, deadline: Deadline, silence: Unacknowledged) -> Work[None]:
    """Wait until each record has its report. What waits to be sent is dropped, and reported as such."""
    began = deadline.now()
    silence.begin()
    while handle.flush(0.1):
        silence.look()
        # After a fatal error the library itself forgets some records that wait [seen].
        handle.producer.purge(in_flight=deadline.over(SETTLE_SECONDS, began))
        yield


def until_stopped(
    records: Iterable[UndeliveredRecord],
) -> tuple[list[UndeliveredRecord], list[UndeliveredRecord]]:
    """In each partition the records before the first one that was waiting, and that one with all that follow.

    A batch behind a refused one can be refused as well: the broker looks at its size before its sequence number [seen].
    """
    before: list[UndeliveredRecord] = []
    behind: list[UndeliveredRecord] = []
    stopped: set[int] = set()
    for record in records:
        if record.is_stopped:
            stopped.add(record.partition)
        waits = record.partition in stopped and (record.is_stopped or record.is_refused)
        (behind if waits else before).append(record)
    return before, behind


@dataclass(slots=True)
class _Halved:
    """A group that was refused as too large and halved. left: its records without an outcome yet."""

    size: int
    left: int
    clean: bool = True


@dataclass(slots=True)
class _Group:
    records: Sequence[UndeliveredRecord]
    parents: tuple[_Halved, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of keys and values: a batch of these records has more, so that a bound of this size is a safe one."""
        return sum(len(record.key or b"") + len(record.value or b"") for record in self.records)


@dataclass(slots=True)
class Sorting:
    """Sends refused records again, through a producer of its own kind: see ONE_BATCH.

    first_only: in each partition, stop at the first record that is refused alone; `held` are the records after it.
    refused: the records that are refused alone. lost: records without a certain outcome. bound: a batch of this many
    bytes fits into the topic, if batches turned out to be too large as such.
    """

    handle: ProducerHandle
    topic: str
    deadline: Deadline
    silence: Unacknowledged
    first_only: bool = False
    refused: list[UndeliveredRecord] = field(default_factory=list)
    held: list[UndeliveredRecord] = field(default_factory=list)
    lost: list[UndeliveredRecord] = field(default_factory=list)
    bound: int | None = None

    def run(self, records: Iterable[UndeliveredRecord]) -> Work[None]:
        """Send the records until each is delivered, or refused alone, or the time is over; replace the producer."""
        self.handle.replace(ONE_BATCH)
        self.handle.warm(self.topic)
        try:
            yield from self._run(records)
        finally:
            if self.bound is not None:
                self.handle.bound(self.bound)
            self.handle.replace()
        self.handle.warm(self.topic)

    def _run(self, records: Iterable[UndeliveredRecord]) -> Work[None]:
        lanes: dict[int, deque[_Group]] = {}
        most = min(int(self.handle.setting(name) or LARGEST_BATCH) for name in ("batch.size", "message.max.bytes"))
        for partition, of_partition in _by_partition(records).items():
            lanes[partition] = deque(_groups(of_partition, most))
        while any(lanes.values()):
            failed = yield from self._send([lane[0] for lane in lanes.values() if lane])
            if failed is None:
                late = KafkaError(KafkaError._MSG_TIMED_OUT)
                self.lost += [r.because(late) for lane in lanes.values() for group in lane for r in group.records]
                return
            for partition, lane in lanes.items():
                if lane:
                    self._judge(lane, failed.get(partition, []))

    def _send(self, groups: Sequence[_Group]) -> Work[Mapping[int, list[UndeliveredRecord]] | None]:
        """Send one group to each partition. The records that failed, by partition; None if the time is over."""
        failed: list[UndeliveredRecord] = []
        for group in groups:
            for record in group.records:
                self._produce(record, partial(_note, failed, record))
        self.silence.begin()
        while self.handle.flush(min(self.deadline.left(), 0.1)):
            self.silence.look()
            if self.deadline.over():
                return None
            yield
        return _by_partition(failed)

    def _produce(self, record: UndeliveredRecord, report: Callable[[KafkaError | None, Message], None]) -> None:
        while True:
            try:
                self.handle.producer.produce(
                    self.topic,
                    record.value,
                    record.key,
                    record.partition,
                    report,
                    None,
                    record.time_to_send,
                    list(record.headers) if record.headers else None,
                )
            except BufferError:
                self.handle.serve(0.05)
            except KafkaException as exc:
                report(error_of(exc), Message())
                return
            else:
                return

    def _judge(self, lane: deque[_Group], failed: Sequence[UndeliveredRecord]) -> None:
        """Decide about the first group of a partition after it was sent."""
        group = lane.popleft()
        codes = {record.reason.code() for record in failed}
        self._done(group, len(group.records) - len(failed), ok=True)
        if not failed:
            return
        if not all(record.is_refused for record in failed):
            self.lost += failed
            self._done(group, len(failed), ok=False)
        elif len(group.records) == 1:
            self._alone(lane, group, failed)
        elif KafkaError._INVALID_DIFFERENT_RECORD in codes:  # the broker has named the records that it refuses
            innocent = [record for record in failed if record.reason.code() == KafkaError._INVALID_DIFFERENT_RECORD]
            named = [record for record in failed if record not in innocent]
            if self.first_only:
                self._before_first(lane, group, failed, named)
                return
            self.refused += named
            self._done(group, len(named), ok=False)
            lane.appendleft(_Group(innocent, group.parents))
        elif len(failed) < len(group.records):
            lane.appendleft(_Group(failed, group.parents))
        else:
            self._halve(lane, group, too_large=KafkaError.MSG_SIZE_TOO_LARGE in codes)

    def _alone(self, lane: deque[_Group], group: _Group, failed: Sequence[UndeliveredRecord]) -> None:
        self.refused += failed
        self._done(group, 1, ok=False)
        if self.first_only:
            self.held += [record for later in lane for record in later.records]
            lane.clear()

    def _before_first(
        self,
        lane: deque[_Group],
        group: _Group,
        failed: Sequence[UndeliveredRecord],
        named: Sequence[UndeliveredRecord],
    ) -> None:
        """What comes before the first named record is sent; that record is then sent alone, and the rest is held."""
        first = failed.index(named[0])
        later = [
            _Group(part, group.parents) for part in (failed[:first], failed[first : first + 1], failed[first + 1 :])
        ]
        lane.extendleft(part for part in reversed(later) if part.records)

    def _halve(self, lane: deque[_Group], group: _Group, *, too_large: bool) -> None:
        middle = len(group.records) // 2
        parents = (*group.parents, _Halved(group.size, len(group.records))) if too_large else group.parents
        lane.appendleft(_Group(group.records[middle:], parents))
        lane.appendleft(_Group(group.records[:middle], parents))

    def _done(self, group: _Group, count: int, *, ok: bool) -> None:
        """So many records of the group have their outcome."""
        for parent in group.parents:
            parent.left -= count
            parent.clean = parent.clean and (ok or not count)
            if not parent.left and parent.clean:  # every record fits, and together they did not
                self.bound = max(min(self.bound or parent.size, parent.size // 2), 1)


def _note(
    failed: list[UndeliveredRecord], record: UndeliveredRecord, error: KafkaError | None, _report: Message
) -> None:
    if error is not None:
        failed.append(record.because(error))


def _by_partition(records: Iterable[UndeliveredRecord]) -> dict[int, list[UndeliveredRecord]]:
    found: dict[int, list[UndeliveredRecord]] = {}
    for record in records:
        found.setdefault(record.partition, []).append(record)
    return found


def _groups(records: Sequence[UndeliveredRecord], most: int) -> Iterable[_Group]:
    """Groups of consecutive records that fit into one batch of the library."""
    group: list[UndeliveredRecord] = []
    size = OVERHEAD
    for record in records:
        if group and size + _size(record) > most:
            yield _Group(group)
            group, size = [], OVERHEAD
        group.append(record)
        size += _size(record)
    if group:
        yield _Group(group)


def _size(record: UndeliveredRecord) -> int:
    """Bytes of the record in a batch, at most."""
    headers = sum(len(name) * 4 + len(value or b"") + 10 for name, value in record.headers or ())
    return OVERHEAD + len(record.key or b"") + len(record.value or b"") + headers
