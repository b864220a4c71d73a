"""Owns showing a sink's progress in a Kafka group, for those who watch its lag. It promises nothing: the sink's positions count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException, TopicPartition

from kdg.core.ports import Transaction
from kdg.core.records import Position
from kdg.kafka.errors import describe, error_of
from kdg.runtime.deadline import Deadline

if TYPE_CHECKING:
    from kdg.kafka.library import ConsumerClient

LAST_SECONDS = 3.0


@dataclass(slots=True)
class Mirror:
    """A Transaction around the sink's, whose positions the group shows afterwards."""

    sink: Transaction
    consumer: ConsumerClient
    group: str
    note: Callable[[str], None]
    deadline: Deadline
    _recorded: dict[tuple[str, int], int] = field(default_factory=dict)
    _shown: dict[tuple[str, int], int] = field(default_factory=dict)

    def begin(self) -> None:
        """See Transaction."""
        self._recorded = {}
        self.sink.begin()

    def record(self, positions: Sequence[Position]) -> None:
        """See Transaction."""
        self.sink.record(positions)
        self._recorded.update({(p.topic, p.partition): p.offset for p in positions})

    def commit(self) -> None:
        """See Transaction; nobody waits for the group."""
        self.sink.commit()
        self._shown.update(self._recorded)
        if self._recorded:
            self.consumer.commit(offsets=_offsets(self._recorded), asynchronous=True)

    def abort(self) -> None:
        """See Transaction."""
        self.sink.abort()

    def recycle(self) -> None:
        """See Transaction."""
        self.sink.recycle()

    def close(self) -> None:
        """Show the last positions; a group that does not take them is told of, and no more."""
        if not self._shown:
            return
        commit = partial(self.consumer.commit, offsets=_offsets(self._shown), asynchronous=False)
        try:
            self.deadline.bounded(commit, LAST_SECONDS)
        except KafkaException as exc:
            self.note(f"group {self.group} does not show the progress: {describe(error_of(exc))}; the sink has it")
        except TimeoutError:
            self.note(f"group {self.group} does not show the progress: no answer within {LAST_SECONDS:g} s")


def _offsets(positions: dict[tuple[str, int], int]) -> list[TopicPartition]:
    return [TopicPartition(topic, partition, offset) for (topic, partition), offset in positions.items()]
