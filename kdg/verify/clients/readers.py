"""Owns what a read_committed reader is shown while a run is on: the records, or the times at which they come."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from confluent_kafka import Consumer, Message, TopicPartition

from kdg.verify.clients.observer import POLL, Observer, make_consumer

PartitionOffset = tuple[int, int]
"""Partition and offset."""


@dataclass
class LiveReader(Observer):
    """Reads the target topic during the run. values: the value at each (partition, offset)."""

    topic: str
    partitions: int
    values: dict[PartitionOffset, bytes] = field(default_factory=dict, init=False)
    last_seen: float = field(default=0.0, init=False)
    """When the last record came, by time.monotonic()."""
    _consumer: Consumer = field(init=False, repr=False)

    def flows(self, seconds: float) -> bool:
        """Whether a record came in the last `seconds`."""
        return time.monotonic() - self.last_seen <= seconds

    def _open(self) -> None:
        self._consumer = make_consumer(self.connection, "read_committed")
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
        self.values.update((position_of(m), value_of(m)) for m in records)

    def _close(self) -> None:
        self._consumer.close()


@dataclass
class LatencyReader(LiveReader):
    """Keeps the times at which records come, and not the records.

    delays: for each record, when it was produced (milliseconds since 1970) and how many milliseconds later it came.
    arrivals: for each group of records, when it came (time.time()) and how many records it has.
    """

    delays: list[tuple[int, float]] = field(default_factory=list, init=False)
    arrivals: list[tuple[float, int]] = field(default_factory=list, init=False)

    @property
    def count(self) -> int:
        """How many records came."""
        return sum(many for _when, many in list(self.arrivals))

    def _see(self, records: Sequence[Message]) -> None:
        now = time.time()
        produced = [message.timestamp()[1] for message in records]
        self.delays += [(at, now * 1000 - at) for at in produced]
        self.arrivals.append((now, len(records)))


def position_of(message: Message) -> PartitionOffset:
    """Where a record is in its topic."""
    return message.partition() or 0, message.offset() or 0


def value_of(message: Message) -> bytes:
    """The value of a record; a null value is empty."""
    value = message.value()
    return value if isinstance(value, bytes) else (value or "").encode()
