"""Owns saying what a run that reads nothing waits for, where that is more than records that nobody has sent."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from confluent_kafka import KafkaException
from confluent_kafka import TopicPartition as LibraryPartition

from kdg.core.records import Offsets, TopicPartition
from kdg.kafka.consumer import KafkaConsumer
from kdg.kafka.end_of_run import EndOfRun
from kdg.kafka.errors import describe
from kdg.kafka.topic_ids import TopicIds


class _Cause(NamedTuple):
    """Why nothing comes, as Deadline.report_wait says it. kind: one wait lasts as long as its kind is the same."""

    kind: str
    why: str
    end: str


@dataclass(slots=True)
class Silence:
    """A wait of a source, as Deadline.report_wait reports it: for a broker, for partitions, for other instances."""

    consumer: KafkaConsumer
    topic_ids: TopicIds
    end: EndOfRun
    _kind: str = field(default="", init=False)
    _since: float = field(default=0.0, init=False)

    def look(self, *, quiet: bool, owned: Offsets) -> None:
        """After a fetch. quiet: it brought nothing. owned: the position in each partition of this instance."""
        deadline = self.consumer.deadline
        cause = self._cause(owned) if quiet else None
        kind = "" if cause is None else cause.kind
        if kind != self._kind:
            self._kind, self._since = kind, deadline.now()
            deadline.wait_ended("reading")
        if cause is not None:
            since = self.topic_ids.silent_since or self._since
            deadline.report_wait("reading", since, cause.why, cause.end)

    def _cause(self, owned: Offsets) -> _Cause | None:
        group = self.consumer.group
        if self.topic_ids.silent_since is not None:
            last = self.consumer.watch.last
            cause = "" if last is None else f": {describe(last)}"
            return _Cause("broker", f"no broker answers{cause}", "it goes on when one does")
        if not owned:
            end = "it ends when another member leaves, or when all have come back to the group after a change"
            if self.end.stop_offsets.are_set:
                end = "it ends when another member leaves or comes back, or when the others have read all"
            return _Cause("group", f"group {group} has given no partition to this instance", end)
        if leaderless := self.topic_ids.leaderless & owned.keys():
            return _Cause(
                "leader", f"{_shown(leaderless)} has no leader", "it goes on when a broker with a replica runs"
            )
        if others := self.end.left_to_others:
            return _Cause(
                "others",
                f"other instances of group {group} have not read all ({others})",
                "it ends when they have, or when they leave the group",
            )
        return None if self.end.stop_offsets.are_set else self._hidden(owned)

    def _hidden(self, owned: Offsets) -> _Cause | None:
        """The cause if records are there that this reader may not see. With a stop offset, StopOffsets says so."""
        for partition, position in owned.items():
            with suppress(KafkaException):  # the library has not fetched from it yet
                end = self.consumer.client.get_watermark_offsets(LibraryPartition(*partition), cached=True)[1]
                if end > position:
                    why = f"{_shown([partition])} is readable up to {position}, and its end is {end}"
                    return _Cause("transaction", f"a transaction is open: {why}", "its commit or its timeout ends it")
        return None


def _shown(partitions: Collection[TopicPartition]) -> str:
    topic, number = min(partitions)
    return f"{topic}[{number}]" + (f" (and {len(partitions) - 1} more)" if len(partitions) > 1 else "")
