"""Owns the eyes and hands of a run under faults: a feeder, a live reader, a watch on positions, and the reading at the end.

Plain clients in threads of their own, with nothing of kdg's source and target in them: what they say is held against those.
Each survives brokers that go away; what it cannot survive stands in `failure`.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # not in its __all__

from kdg.errors import KdgError
from kdg.kafka.errors import describe, error_of

Failures = (KdgError, KafkaException)
"""What keeps a run from having a result."""

Row = tuple[int, int]
"""Partition and offset."""

Where = Mapping[str, str]
"""What reaches the cluster: bootstrap.servers, and what its security asks for."""

LATEST: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # carries no annotations

TICK = 0.02  # seconds between two bunches of records
POLL = 0.1
POSITIONS_EVERY = 0.5
FLUSH_SECONDS = 90.0


def _silent(*_: object) -> None:
    """The library's own log, and errors that mend themselves."""


def _config(where: Where, **more: Any) -> dict[str, Any]:
    named = {name.replace("_", "."): value for name, value in more.items()}
    return {**where, "error_cb": _silent, "logger": _Mute(), **named}


class _Mute:
    """A logger for confluent_kafka that drops what it is given."""

    log = staticmethod(_silent)


def _consumer(where: Where, isolation: str, group: str = "kdg-verify-reader") -> Consumer:
    return Consumer(
        _config(
            where,
            group_id=group,
            enable_auto_commit=False,
            enable_partition_eof=True,
            isolation_level=isolation,
            auto_offset_reset="earliest",
            fetch_wait_max_ms=50,
        )
    )


@dataclass
class _Thread:
    """Runs `_work` again and again until `stop`; an exception ends it and is kept in `failure`."""

    where: Where
    failure: Exception | None = field(default=None, init=False)
    _stop: threading.Event = field(default_factory=threading.Event, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)
    _hurry: bool = field(default=False, init=False)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name=type(self).__name__, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop(hurry=kind is not None)

    def stop(self, *, hurry: bool = False) -> None:
        """Let it finish, and wait for it; hurry: what it would still do does not count any more."""
        self._hurry = hurry
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5.0 if hurry else FLUSH_SECONDS + 10)

    def _run(self) -> None:
        try:
            self._open()
            while not self._stop.is_set():
                self._work()
            self._close()
        except Exception as exc:  # noqa: BLE001  # told by whoever holds it
            self.failure = exc

    def _open(self) -> None:
        raise NotImplementedError

    def _work(self) -> None:
        raise NotImplementedError

    def _close(self) -> None:
        raise NotImplementedError


@dataclass
class Feeder(_Thread):
    """Numbered records, `partition:sequence`, to each partition in turn, `rate` a second in all; counts what is acknowledged.

    limit: no more than so many. padding: bytes that are added to each value. acknowledged: by partition, in the order of
    the acknowledgements. refused: how many were given up.
    """

    topic: str
    partitions: int
    rate: int
    limit: int | None = None
    padding: int = 0
    acknowledged: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list), init=False)
    refused: Counter[str] = field(default_factory=Counter, init=False)
    sent: int = field(default=0, init=False)
    _began: float = field(default=0.0, init=False)
    _producer: Producer = field(init=False, repr=False)

    @property
    def count(self) -> int:
        """How many are acknowledged."""
        return sum(map(len, list(self.acknowledged.values())))

    @property
    def through(self) -> bool:
        """Whether it has sent all that it is to send."""
        return self.limit is None or self.sent >= self.limit

    def _open(self) -> None:
        self._make()
        self._began = time.monotonic()

    def _make(self) -> None:
        self._producer = Producer(_config(self.where, enable_idempotence=True, acks="all", linger_ms=5))

    def _work(self) -> None:
        due = int((time.monotonic() - self._began) * self.rate)
        due = due if self.limit is None else min(due, self.limit)
        filling = b":" + b"." * (self.padding - 1) if self.padding else b""
        try:
            while self.sent < due and not self._stop.is_set():
                partition, sequence = self.sent % self.partitions, self.sent // self.partitions
                value = b"%d:%d" % (partition, sequence) + filling
                self._producer.produce(self.topic, value, partition=partition, on_delivery=self._report)
                self.sent += 1
        except BufferError:
            self._producer.poll(POLL)
        except KafkaException as exc:
            # What it still held counts as refused; the numbers go on with another producer.
            self.refused[describe(error_of(exc))] += 1
            self._make()
        self._producer.poll(TICK)
        time.sleep(TICK)

    def _report(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            partition, sequence = parse(message.value())
            self.acknowledged[partition].append(sequence)
        else:
            self.refused[describe(error)] += 1

    def _close(self) -> None:
        if self._producer.flush(0.1 if self._hurry else FLUSH_SECONDS):
            self._producer.purge()
            self._producer.flush(1)


@dataclass
class LiveReader(_Thread):
    """Sees what a read_committed reader is shown while the run is on. rows: the value at each (partition, offset)."""

    topic: str
    partitions: int
    rows: dict[Row, bytes] = field(default_factory=dict, init=False)
    last_seen: float = field(default=0.0, init=False)
    """When it last saw a record, of time.monotonic()."""
    _consumer: Consumer = field(init=False, repr=False)

    def flows(self, within: float) -> bool:
        """Whether it saw a record in the last `within` seconds."""
        return time.monotonic() - self.last_seen <= within

    def _open(self) -> None:
        self._consumer = _consumer(self.where, "read_committed")
        self._consumer.assign([TopicPartition(self.topic, p, 0) for p in range(self.partitions)])

    def _work(self) -> None:
        # consume() with a timeout would hold records back until the timeout is over.
        first = self._consumer.poll(POLL)
        messages = [] if first is None else [first, *self._consumer.consume(10_000, 0)]
        records = [m for m in messages if m.error() is None]
        if records:
            self._see(records)
            self.last_seen = time.monotonic()

    def _see(self, records: Sequence[Message]) -> None:
        self.rows.update((_row(m), _value(m)) for m in records)

    def _close(self) -> None:
        self._consumer.close()


@dataclass
class Stopwatch(LiveReader):
    """Keeps when records came instead of the records.

    delays: (milliseconds since 1970 at which a record was produced, milliseconds until it came here). arrivals: (time.time(), how many).
    """

    delays: list[tuple[int, float]] = field(default_factory=list, init=False)
    arrivals: list[tuple[float, int]] = field(default_factory=list, init=False)

    @property
    def count(self) -> int:
        """How many came."""
        return sum(many for _when, many in list(self.arrivals))

    def _see(self, records: Sequence[Message]) -> None:
        now = time.time()
        made = [message.timestamp()[1] for message in records]
        self.delays += [(at, now * 1000 - at) for at in made]
        self.arrivals.append((now, len(records)))


@dataclass
class PositionWatch(_Thread):
    """Looks at a group's committed positions without ever joining it. back: (partition, from, to) of each that went back."""

    group: str
    topic: str
    partitions: int
    positions: dict[int, int] = field(default_factory=dict, init=False)
    back: list[tuple[int, int, int]] = field(default_factory=list, init=False)
    _consumer: Consumer = field(init=False, repr=False)

    def _open(self) -> None:
        # read_uncommitted: does not wait for pending transactions, whose positions do not count yet.
        self._consumer = _consumer(self.where, "read_uncommitted", self.group)

    def _work(self) -> None:
        with suppress(KafkaException):  # nobody there just now
            asked = [TopicPartition(self.topic, p) for p in range(self.partitions)]
            for tp in self._consumer.committed(asked, timeout=POSITIONS_EVERY * 2):
                if tp.error is None:
                    self._note(tp.partition, max(tp.offset, -1))
        self._consumer.poll(0)
        self._stop.wait(POSITIONS_EVERY)

    def _note(self, partition: int, offset: int) -> None:
        before = self.positions.get(partition, -1)
        if offset < before:
            self.back.append((partition, before, offset))
        self.positions[partition] = offset

    def _close(self) -> None:
        self._consumer.close()


def parse(value: bytes | str | None) -> tuple[int, int]:
    """The partition and the sequence number of a fed record; (-1, -1) for anything else."""
    text = value.decode(errors="replace") if isinstance(value, bytes) else value or ""
    partition, _, sequence = text.partition(":")
    sequence = sequence.partition(":")[0]  # what follows is padding
    if not (partition.isdecimal() and sequence.isdecimal()):
        return (-1, -1)
    return int(partition), int(sequence)


def sequences(rows: Mapping[Row, bytes]) -> dict[int, list[list[int]]]:
    """By the partition that a record was fed to: its sequence numbers, for each partition where some are, by offset."""
    found: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for place in sorted(rows):
        partition, sequence = parse(rows[place])
        found[partition][place[0]].append(sequence)
    return {partition: list(places.values()) for partition, places in found.items()}


def ends(where: Where, topic: str, partitions: int, *, committed: bool = False) -> dict[int, int]:
    """Where each partition ends; committed: for a read_committed reader. Raises KafkaException."""
    admin = AdminClient(_config(where))
    isolation = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
    asked = {TopicPartition(topic, p): LATEST for p in range(partitions)}
    futures = admin.list_offsets(asked, isolation_level=isolation, request_timeout=10)
    return {tp.partition: future.result(15).offset for tp, future in futures.items()}


def eventually(what: Callable[[], bool], seconds: float, every: float = 0.2) -> bool:
    """Whether it holds within the time; an error of the library counts as not yet."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(KafkaException):
            if what():
                return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(every)


def no_transaction_open(where: Where, topic: str, partitions: int) -> bool:
    """Whether a read_committed reader may see everything."""
    return ends(where, topic, partitions) == ends(where, topic, partitions, committed=True)


def read_all(
    where: Where,
    topic: str,
    partitions: int,
    seconds: float = 120.0,
    between: Callable[[], None] = lambda: None,
) -> dict[Row, bytes]:
    """The topic as a fresh read_committed reader sees it now, from its beginning to its end; `between` is called every 0.1 s.

    Raises KdgError when that takes longer.
    """
    until = ends(where, topic, partitions, committed=True)
    consumer = _consumer(where, "read_committed")
    try:
        consumer.assign([TopicPartition(topic, p, 0) for p in range(partitions)])
        rows: dict[Row, bytes] = {}
        left = set(range(partitions))
        deadline = time.monotonic() + seconds
        while left:
            if time.monotonic() > deadline:
                raise KdgError(f"{topic} could not be read to its end within {seconds:g} s.")
            between()
            messages = consumer.consume(10_000, POLL)
            rows.update({_row(m): _value(m) for m in messages if m.error() is None})
            left -= {p for p, offset in map(_row, filter(_is_eof, messages)) if offset >= until[p]}
        return rows
    finally:
        consumer.close()


def _is_eof(message: Message) -> bool:
    error = message.error()
    return error is not None and error.code() == KafkaError._PARTITION_EOF


def _row(message: Message) -> Row:
    return message.partition() or 0, message.offset() or 0


def _value(message: Message) -> bytes:
    value = message.value()
    return value if isinstance(value, bytes) else (value or "").encode()
