"""Owns showing a sink's progress in a Kafka group, so that tools that watch the group's lag see it.

The sink keeps the positions that count. Those of the group are a copy, and a failed commit is only noted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException

from kdg.core.ports import Transaction
from kdg.core.records import Position, TopicPartition
from kdg.kafka.errors import describe, error_of
from kdg.kafka.partitions import position_to_library
from kdg.runtime.deadline import Deadline

if TYPE_CHECKING:
    from kdg.kafka.library import ConsumerClient

LAST_SECONDS = 3.0
"""How long the last commit may take."""


@dataclass(slots=True)
class LagMirror:
    """A Transaction that performs the sink's, and then commits the same positions to a group."""

    sink: Transaction
    consumer: ConsumerClient
    group: str
    note: Callable[[str], None]
    deadline: Deadline
    _recorded: dict[TopicPartition, Position] = field(default_factory=dict)
    _shown: dict[TopicPartition, Position] = field(default_factory=dict)

    def begin(self) -> None:
        """See Transaction."""
        self._recorded = {}
        self.sink.begin()

    def record(self, positions: Sequence[Position]) -> None:
        """See Transaction."""
        self.sink.record(positions)
        self._recorded.update({(p.topic, p.partition): p for p in positions})

    def commit(self) -> None:
        """See Transaction. The run does not wait for the group."""
        self.sink.commit()
        self._shown.update(self._recorded)
        if self._recorded:
            self.consumer.commit(offsets=list(map(position_to_library, self._recorded.values())), asynchronous=True)

    def abort(self) -> None:
        """See Transaction."""
        self.sink.abort()

    def recycle(self) -> None:
        """See Transaction."""
        self.sink.recycle()

    def close(self) -> None:
        """Commit the last positions. If the group does not take them, a note says so."""
        if not self._shown:
            return
        commit = partial(
            self.consumer.commit, offsets=list(map(position_to_library, self._shown.values())), asynchronous=False
        )
        try:
            self.deadline.bounded(commit, LAST_SECONDS)
        except KafkaException as exc:
            self.note(f"group {self.group} does not show the progress: {describe(error_of(exc))}; the sink has it")
        except TimeoutError:
            self.note(f"group {self.group} does not show the progress: no answer within {LAST_SECONDS:g} s")
