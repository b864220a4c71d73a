"""Owns rules that are checked while a history runs.

A broken rule is reported even if another protection prevented damage.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kdg.core.records import TopicPartition
from kdg.core.state import Control

if TYPE_CHECKING:
    from .process import Process


class Conduct:
    """The rules that were broken, in words."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self._began: dict[Process, int] = {}

    def begun(self, process: Process) -> None:
        """A transaction begins. Its generation is remembered."""
        if process.consumer is not None:
            self._began[process] = process.consumer.generation

    def settles(self, process: Process, places: Iterable[TopicPartition]) -> None:
        """Positions are sent to the broker. Rule: only positions of partitions that the process owns (hazard 4)."""
        consumer = process.consumer
        if consumer is None or not consumer.callbacks:
            return
        lost = consumer.losing
        for place in places:
            if place not in consumer.owned or place in lost:
                self.broken.append(f"{process.name} settles {place[0]}[{place[1]}], which it does not own any more")

    def records(self, process: Process, generation: int) -> None:
        """Positions are added to a transaction. Rule: not in a younger generation than it began in (hazard 4)."""
        if generation > self._began.get(process, generation):
            self.broken.append(
                f"{process.name} records positions as generation {generation}, which is younger than its transaction"
            )

    def answered(self, process: Process, kind: str, places: Iterable[TopicPartition]) -> None:
        """A callback has returned. Rule: no transaction is open after partitions were given back or lost (hazard 4)."""
        state = process.pump.state if process.pump is not None else None
        if kind != "assign" and state is not None and state.open and state.todo[:1] != (Control.FINISH,):
            self.broken.append(f"{process.name} keeps its transaction open although its partitions are gone")
