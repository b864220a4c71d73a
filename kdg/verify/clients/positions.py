"""Owns the watch over the positions that the workers' group commits. A position may never move back."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from confluent_kafka import Consumer, KafkaException, TopicPartition

from kdg.verify.clients.observer import Observer, make_consumer

EVERY = 0.5
"""Seconds between two looks."""


@dataclass
class PositionWatch(Observer):
    """Reads a group's committed positions and never joins the group.

    positions: the latest, by partition; -1 where the group has none. moved_back: (partition, from, to) for each move
    back.
    """

    group: str
    topic: str
    partitions: int
    positions: dict[int, int] = field(default_factory=dict, init=False)
    moved_back: list[tuple[int, int, int]] = field(default_factory=list, init=False)
    _consumer: Consumer = field(init=False, repr=False)

    def _open(self) -> None:
        # read_uncommitted, because a read_committed client waits for pending transactions, whose positions do not count
        # yet.
        self._consumer = make_consumer(self.connection, "read_uncommitted", self.group)

    def _work(self) -> None:
        with suppress(KafkaException):  # no broker answers at the moment
            wanted = [TopicPartition(self.topic, p) for p in range(self.partitions)]
            for tp in self._consumer.committed(wanted, timeout=EVERY * 2):
                if tp.error is None:
                    self._record(tp.partition, max(tp.offset, -1))
        self._consumer.poll(0)
        self._stop.wait(EVERY)

    def _record(self, partition: int, offset: int) -> None:
        before = self.positions.get(partition, -1)
        if offset < before:
            self.moved_back.append((partition, before, offset))
        self.positions[partition] = offset

    def _close(self) -> None:
        self._consumer.close()
