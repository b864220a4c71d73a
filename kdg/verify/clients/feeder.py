"""Owns the records that are fed to a run: they are numbered, so that a lost or a duplicated one can be named."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from kdg.kafka.errors import describe, error_of
from kdg.verify.clients.observer import FLUSH_SECONDS, POLL, Observer, client_settings

TICK = 0.02
"""Seconds between two groups of records."""


@dataclass
class Feeder(Observer):
    """Produces the records `partition:sequence` to each partition in turn, and counts those that are acknowledged.

    rate: records a second, over all partitions. limit: the number of records after which it stops. padding: bytes that
    are added to each value. acknowledged: by partition, the sequence numbers in the order of the acknowledgements.
    refused: how many records were given up, by the text of the error.
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
        """How many records are acknowledged."""
        return sum(map(len, list(self.acknowledged.values())))

    @property
    def finished(self) -> bool:
        """Whether it has sent all records up to its limit."""
        return self.limit is None or self.sent >= self.limit

    def _open(self) -> None:
        self._make_producer()
        self._began = time.monotonic()

    def _make_producer(self) -> None:
        self._producer = Producer(client_settings(self.connection, enable_idempotence=True, acks="all", linger_ms=5))

    def _work(self) -> None:
        due = int((time.monotonic() - self._began) * self.rate)
        due = due if self.limit is None else min(due, self.limit)
        padding = b":" + b"." * (self.padding - 1) if self.padding else b""
        try:
            while self.sent < due and not self._stop.is_set():
                partition, sequence = self.sent % self.partitions, self.sent // self.partitions
                value = b"%d:%d" % (partition, sequence) + padding
                self._producer.produce(self.topic, value, partition=partition, on_delivery=self._report)
                self.sent += 1
        except BufferError:
            self._producer.poll(POLL)
        except KafkaException as exc:
            # The records that this producer still held count as refused; a new producer goes on with the next number.
            self.refused[describe(error_of(exc))] += 1
            self._make_producer()
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


def parse(value: bytes | str | None) -> tuple[int, int]:
    """The partition and the sequence number of a fed record; (-1, -1) for any other value."""
    text = value.decode(errors="replace") if isinstance(value, bytes) else value or ""
    partition, _, sequence = text.partition(":")
    sequence = sequence.partition(":")[0]  # padding follows
    if not (partition.isdecimal() and sequence.isdecimal()):
        return (-1, -1)
    return int(partition), int(sequence)
