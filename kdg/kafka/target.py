"""Owns producing to a topic: a whole batch at once, back-pressure, and what becomes of records that were not delivered."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import repeat
from operator import length_hint
from typing import TYPE_CHECKING, Any, Protocol, Self

from confluent_kafka import KafkaError, KafkaException, Message

from kdg.core.ports import TryAgain
from kdg.core.records import Batch, Headers
from kdg.errors import Aborted, Undelivered
from kdg.kafka.client import Watch
from kdg.kafka.errors import HOPELESS_RECORD, NOT_AUTHORISED, describe, error_of, rights, translate
from kdg.runtime.deadline import Deadline

if TYPE_CHECKING:
    from kdg.kafka.library import Clients, ProducerClient

# After one of these, the record may be in the topic all the same (HAZARDS.md: "unknown", not "failed").
OUTCOME_UNKNOWN = frozenset(
    {
        KafkaError._MSG_TIMED_OUT,
        KafkaError._PURGE_INFLIGHT,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError._TIMED_OUT,
        KafkaError._TRANSPORT,
    }
)

COUNTED_FOR = 300.0
"""Seconds; topic.metadata.refresh.interval.ms, after which the library itself notices that partitions were added."""
CAUSE_SECONDS = 1.0
"""How long a producer in error is asked for the report that tells why."""


class RaisedByPoll:
    """Context manager around poll and flush, which raise on a fatal error what says nothing: the error itself comes with the next call.

    2.16 raises SystemError when a callback runs meanwhile (HAZARDS.md), a KafkaException, or a bare KafkaError: that is no
    exception, no `except` catches it, and from Python 3.12 on it comes as a TypeError. `raised`: whether it was so.
    """

    def __init__(self) -> None:
        self.raised = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, _value: object, _traceback: object) -> bool:
        self.raised = kind is KafkaError or kind in (SystemError, KafkaException, TypeError)
        return self.raised


@dataclass(frozen=True, slots=True)
class UndeliveredRecord:
    """A record that is not known to be in the topic. certain: it is known not to be."""

    key: bytes | None
    value: bytes | None
    headers: Headers | None
    timestamp: int
    reason: KafkaError

    @property
    def certain(self) -> bool:
        """Whether it certainly was not stored."""
        return self.reason.code() not in OUTCOME_UNKNOWN


class ProducerHandle:
    """The producer of a run. It can be replaced: `producer` is asked for anew before each use (HAZARDS.md 1)."""

    def __init__(self, settings: dict[str, str], clients: Clients, *, verbose: bool = False) -> None:
        # A cut-off EndTxn is told in the eos log alone (HAZARDS.md 1).
        debug = ",".join(filter(None, [settings.get("debug", ""), "eos"])) if "transactional.id" in settings else None
        self._settings = settings if debug is None else {**settings, "debug": debug}
        self._clients = clients
        self._verbose = verbose
        self.watch = Watch(verbose=verbose)
        self.failed: list[tuple[KafkaError, Message, Headers | None]] = []
        self.producer = self._make()

    @property
    def transactional_id(self) -> str | None:
        """Its identity, where it has one."""
        return self._settings.get("transactional.id")

    def _make(self) -> ProducerClient:
        return self._clients.producer(self._settings, self.watch, self.on_delivery)

    def on_delivery(self, error: KafkaError | None, message: Message, headers: Headers | None = None) -> None:
        """The delivery report, for failures alone; the library's message has lost its headers."""
        if error is not None:
            self.failed.append((error, message, headers))

    def replace(self) -> None:
        """A new producer; what the old one still holds is dropped, its late requests meet a newer epoch."""
        self.producer.purge()
        self.watch = Watch(verbose=self._verbose)
        self.failed = []
        self.producer = self._make()


class OnFailure(Protocol):
    """What becomes of records that were not delivered."""

    def __call__(self, failures: Sequence[UndeliveredRecord]) -> None:
        """Count and keep them, or raise."""


def abort_on_failure(failures: Sequence[UndeliveredRecord]) -> None:
    """In a transaction one missing record undoes the rest. Raises Aborted when trying again would fail alike, else TryAgain."""
    first = telling(failures)
    told = f"{len(failures)} of its records could not be delivered: {name_record(first)}: {describe(first.reason)}"
    if first.reason.code() in HOPELESS_RECORD:
        raise Aborted(
            f"the transaction is aborted: {told}.",
            "Raise the limit that the record breaks (message.max.bytes, max.message.bytes), or leave the record out.",
        )
    raise TryAgain(f"{told}.")  # fmt: skip


def stop_on_failure(failures: Sequence[UndeliveredRecord]) -> None:
    """Where an input position waits for them: it must not move. Raises Undelivered."""
    first = telling(failures)
    raise Undelivered(
        f"{len(failures)} records were not delivered, such as {name_record(first)}: {describe(first.reason)}; the input's position stays before them.",
        "Mend the cause and run it again: with the same group they are read again.",
    )


def telling(failures: Sequence[UndeliveredRecord]) -> UndeliveredRecord:
    """The one that tells most: the broker refuses a whole batch because of its largest record."""
    if failures[0].reason.code() == KafkaError.MSG_SIZE_TOO_LARGE:
        return max(failures, key=lambda failure: len(failure.value or b""))
    return failures[0]


def name_record(failure: UndeliveredRecord) -> str:
    """How a record is named in a message: by its key and its size; values may be secret or long."""
    size = len(failure.value or b"")
    key = "" if failure.key is None else f" with key {failure.key[:40].decode('utf-8', 'backslashreplace')!r}"
    return f"a record of {size} bytes{key}"


@dataclass(slots=True)
class KafkaTarget:
    """Writes batches to a topic. partition: where all records go, -1 for the partitioner's choice.

    keep_partition: records go to the partition in their batch. on_failure is told what was not delivered. partitions: how many
    the topic was seen to have, 0 when nobody looked.
    """

    handle: ProducerHandle
    topic: str
    deadline: Deadline
    on_failure: OnFailure
    partition: int = -1
    keep_partition: bool = False
    partitions: int = 0
    settle_seconds: float | None = None
    note: Callable[[str], None] = lambda _line: None
    most_unsent: int = 0
    """The most records that were here and not yet sent at one time: what a crash could have lost."""
    _counted: float = field(init=False)
    _given_up: bool = field(default=False)
    _denied: bool = field(default=False)

    def __post_init__(self) -> None:
        self._counted = self.deadline.now()

    def write(self, batch: Batch) -> None:
        """Hand the batch to the library; waits while its queue is full."""
        self.most_unsent = max(self.most_unsent, len(self.handle.producer) + len(batch))
        done = 0
        while done < len(batch):
            values, call = self._calls(batch, done)
            try:
                deque(call, maxlen=0)
                done = len(batch)
            except BufferError:
                done = len(batch) - length_hint(values) - 1
                self._make_room()
            except KafkaException as exc:
                done = len(batch) - length_hint(values)
                self._refused(batch, done - 1, error_of(exc))
        self._serve(0)
        self._tell()

    def _calls(self, batch: Batch, done: int) -> tuple[Iterator[bytes | None], Iterator[None]]:
        """The calls for what comes from `done` on, and the iterator whose length tells how far they got."""
        produce = self.handle.producer.produce
        values = iter(batch.values[done:] if done else batch.values)
        if not isinstance(batch.values, list | tuple):  # length_hint is exact for these alone
            values = iter(list(batch.values)[done:])
        keys: Any = repeat(None) if batch.keys is None else batch.keys[done:]
        kept = batch.partitions if self.keep_partition else None
        places: Any = repeat(self._partition()) if kept is None else kept[done:]
        if batch.headers is None and batch.timestamps is None:
            return values, map(produce, repeat(self.topic), values, keys, places)
        times: Any = repeat(0) if batch.timestamps is None else batch.timestamps[done:]
        if batch.timestamps and min(batch.timestamps) < 0:  # a record that has none
            times = [max(t, 0) for t in times]
        # The library takes a list and nothing like one.
        headers: Any = repeat(None) if batch.headers is None else [list(h) if h else None for h in batch.headers[done:]]
        reports: Any = repeat(None)
        if batch.headers is not None:
            reports = [partial(self.handle.on_delivery, headers=h) if h else None for h in headers]
        return values, map(produce, repeat(self.topic), values, keys, places, reports, repeat(None), times, headers)

    def _partition(self) -> int:
        """The partition to send to; -1 for the partitioner's choice.

        Where there is only one, asking the partitioner would be a tenth of what sending a record costs [measured]. That there
        still is only one is looked up as often as the library looks.
        """
        if self.partition >= 0 or self.partitions != 1:
            return self.partition
        now = self.deadline.now()
        if now - self._counted > COUNTED_FOR:
            self._counted, self.partitions = now, self._count()
        return 0 if self.partitions == 1 else -1

    def _count(self) -> int:
        try:
            found = self.handle.producer.list_topics(timeout=1.0).topics.get(self.topic)
        except KafkaException:
            return 0
        return 0 if found is None else len(found.partitions)

    def _refused(self, batch: Batch, index: int, error: KafkaError) -> None:
        """The library did not take one record: too large, no such partition. The fatal error of a producer is raised."""
        if error.fatal() or error.code() in (KafkaError._STATE, KafkaError._FATAL, KafkaError._FENCED):
            self._await_cause()
            if self.handle.watch.denied is not None:
                self._denied_from(batch, index)
            raise TryAgain(f"producing to {self.topic}: {describe(error)}.")
        self.on_failure([_failure_at(batch, index, error)])

    def _await_cause(self) -> None:
        """A producer in error takes no record; why is in the report of an earlier one, which comes a moment later [seen]. Raises what that means."""
        began = self.deadline.now()
        self._serve(0)
        while not self.handle.failed and len(self.handle.producer) and self.deadline.now() - began < CAUSE_SECONDS:
            self._serve(0.05)
        if self.handle.watch.denied is None:
            self._tell()

    def _denied_from(self, batch: Batch, index: int) -> None:
        """The rest of the batch is not delivered, either; raises the error that tells which right is missing."""
        denied = self.handle.watch.denied
        assert denied is not None  # noqa: S101  # the caller has looked
        try:
            self.on_failure([_failure_at(batch, number, denied) for number in range(index, len(batch))])
        finally:
            self._tell_denied(denied)

    def _make_room(self) -> None:
        self._serve(0.01)
        self._tell()
        if self.deadline.over():
            self.give_up()

    def _serve(self, timeout: float) -> None:
        with RaisedByPoll():
            self.handle.producer.poll(timeout)
        if self.handle.watch.fault is not None:
            raise translate(self.handle.watch.fault, f"producing to {self.topic}")

    def _tell(self) -> None:
        if self.handle.failed:
            failed, self.handle.failed = self.handle.failed, []
            try:
                self.on_failure([_failure(*report) for report in failed])
            finally:
                self._tell_denied(next((e for e, *_ in failed if e.code() in NOT_AUTHORISED), None))

    def _tell_denied(self, error: KafkaError | None) -> None:
        """A right that is missing ends the run, once: no other record would fare better."""
        denied = error or self.handle.watch.denied
        if denied is not None and not self._denied:
            self._denied = True
            needs = rights(self.topic, "WRITE", identity=self.handle.transactional_id)
            raise translate(denied, f"producing to {self.topic}", needs)

    def flush(self) -> None:
        """See Target: every delivery report is in."""
        began = self.deadline.now()
        while self._unsent(min(self.deadline.left(self.settle_seconds, began), 0.5)):
            self._tell()
            if self.deadline.over(self.settle_seconds, began):
                self.give_up()
        self._tell()

    def _unsent(self, timeout: float) -> int:
        with RaisedByPoll():
            return int(self.handle.producer.flush(max(timeout, 0.0)))
        return len(self.handle.producer)

    def give_up(self) -> None:
        """What is not acknowledged by now counts as undelivered, each record once."""
        if not self._given_up:
            self._given_up = True
            self.handle.watch.suspicious = (
                True  # a request in flight may still arrive: no transaction goes on with this producer
            )
            self.handle.producer.purge()
            self._unsent(1.0)
            self._tell()

    def close(self) -> None:
        """Nothing is held beyond the process; an unflushed record is dropped, not waited for."""
        if len(self.handle.producer):
            self.handle.producer.purge()


def _failure_at(batch: Batch, index: int, error: KafkaError) -> UndeliveredRecord:
    headers = None if batch.headers is None else batch.headers[index]
    key = None if batch.keys is None else batch.keys[index]
    timestamp = 0 if batch.timestamps is None else batch.timestamps[index]
    return UndeliveredRecord(key, batch.values[index], headers, timestamp, error)


def _failure(error: KafkaError, message: Message, headers: Headers | None) -> UndeliveredRecord:
    _kind, timestamp = message.timestamp()
    key, value = message.key(), message.value()
    return UndeliveredRecord(
        key if isinstance(key, bytes) or key is None else key.encode(),
        value if isinstance(value, bytes) or value is None else value.encode(),
        headers,
        timestamp,
        error,
    )
