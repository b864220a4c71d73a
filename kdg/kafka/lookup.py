"""Owns what is asked of a cluster before a run: which partitions a topic has, where they begin and end, who is in a group."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]  # not in its __all__

from kdg.errors import Unreachable, UsageError
from kdg.kafka.errors import NO_SUCH_TOPIC, error_of, is_passing, rights, translate
from kdg.runtime.deadline import Deadline
from kdg.sources.start_offsets import Start, Where

if TYPE_CHECKING:
    from kdg.kafka.library import AdminClient, ProducerClient

BEING_MADE = frozenset({KafkaError.LEADER_NOT_AVAILABLE, KafkaError.UNKNOWN_TOPIC_OR_PART})
"""What a topic says while the broker is making it."""
MAKING_SECONDS = 5.0
ASK_AGAIN_EVERY = 0.1
RIGHTS_SECONDS = 1.0

Place = tuple[str, int]
Places = dict[Place, int]


@dataclass(frozen=True, slots=True)
class Lookup:
    """Questions to a cluster, each bounded by `timeout` seconds; while leaders change they are asked again."""

    admin: AdminClient
    deadline: Deadline
    timeout: float = 30.0

    def ends(self, partitions: Iterable[Place]) -> Places:
        """The ends as a read_uncommitted reader sees them: acknowledged records behind an open transaction count."""
        return self._offsets(list(partitions), OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED)

    def ends_at(self, partitions: Iterable[Place], milliseconds: int) -> Places:
        """The first offset at or after a time; the end where there is none."""
        return self._at_time(list(partitions), milliseconds)

    def starts(self, partitions: Iterable[Place], start: Start) -> Places:
        """The offset in each partition that `-o` means. Raises UsageError for an offset that a partition does not have."""
        wanted = list(partitions)
        first = self._offsets(wanted, OffsetSpec.earliest(), IsolationLevel.READ_COMMITTED)
        if start.where is Where.BEGINNING:
            return first
        if start.where is Where.TIME:
            return self._at_time(wanted, start.value)
        last = self._offsets(wanted, OffsetSpec.latest(), IsolationLevel.READ_COMMITTED)
        if start.where is Where.END:
            return last
        if start.where is Where.TAIL:
            return {tp: max(last[tp] - start.value, first[tp]) for tp in wanted}
        return {tp: _inside(tp, start.value, first[tp], last[tp]) for tp in wanted}

    def may_use(self, group: str) -> None:
        """Raises Unreachable where the right to a group is missing: asked for its positions, the library only waits."""
        try:
            self.admin.describe_consumer_groups([group], request_timeout=RIGHTS_SECONDS)[group].result()
        except KafkaException as exc:
            error = error_of(exc)
            if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
                raise translate(error, f"using group {group}", rights(group=group)) from exc

    def _at_time(self, wanted: list[Place], milliseconds: int) -> Places:
        found = self._offsets(wanted, OffsetSpec.for_timestamp(milliseconds), IsolationLevel.READ_UNCOMMITTED)
        missing = [tp for tp in wanted if found[tp] < 0]
        return {**found, **(self.ends(missing) if missing else {})}

    def _offsets(self, partitions: Collection[Place], spec: OffsetSpec, isolation: IsolationLevel) -> Places:
        asked = {TopicPartition(topic, partition): spec for topic, partition in partitions}
        if not asked:
            return {}
        began = self.deadline.now()
        while True:
            futures = self.admin.list_offsets(asked, isolation_level=isolation, request_timeout=self.timeout)
            try:
                return {(tp.topic, tp.partition): future.result().offset for tp, future in futures.items()}
            except KafkaException as exc:
                error = error_of(exc)
                if not is_passing(error) or self.deadline.over(self.timeout, began):
                    topics = " ".join(sorted({topic for topic, _partition in partitions}))
                    raise translate(error, f"looking up {topics}", rights(topics, "DESCRIBE")) from exc
                self.admin.poll(ASK_AGAIN_EVERY)


def _inside(tp: Place, offset: int, first: int, last: int) -> int:
    if not first <= offset <= last:
        raise UsageError(
            f"-o {offset} is outside {tp[0]}[{tp[1]}], which holds offsets {first} to {last}.",
            "Use beginning, end, -N, or an offset that it holds; -p chooses partitions.",
        )
    return offset


def partitions_of(
    metadata: Any,
    topic: str,
    brokers: str,
    wanted: Iterable[int] = (),
    making: str = "kdg consume and pipe never make a topic",
) -> list[Place]:
    """The partitions of a topic, or those `wanted` (`-p`). Raises Unreachable when the cluster has no such topic or partition."""
    found = metadata.topics.get(topic)
    if found is None or (found.error is not None and found.error.code() in NO_SUCH_TOPIC) or not found.partitions:
        if found is not None and found.error is not None and found.error.code() not in NO_SUCH_TOPIC:
            raise translate(found.error, f"topic {topic}", rights(topic, "DESCRIBE"))
        raise Unreachable(
            f"no such topic: {topic} at {brokers}.", f"Check the name, and that you may DESCRIBE it; {making}."
        )
    chosen = list(wanted) or sorted(found.partitions)
    absent = [number for number in chosen if number not in found.partitions]
    if absent:
        raise Unreachable(
            f"{topic} has no partition {absent[0]}; it has {len(found.partitions)}.", "Choose -p from 0 up."
        )
    return [(topic, number) for number in chosen]


def place_of(message: Message) -> Place:
    """Where a record, or the event of a partition, was read."""
    return message.topic() or "", message.partition() or 0


def committed_of(positions: Iterable[TopicPartition]) -> Mapping[Place, int]:
    """The stored positions among the library's answer; a negative offset means none is stored."""
    return {(tp.topic, tp.partition): tp.offset for tp in positions if tp.offset >= 0}


def await_topic(producer: ProducerClient, metadata: Any, topic: str, brokers: str, deadline: Deadline) -> Any:
    """The metadata with the topic in it; waits while the broker is making it. Raises Unreachable when there is none."""
    began = deadline.now()
    while True:
        found = metadata.topics.get(topic)
        if found is not None and found.error is None and found.partitions:
            return metadata
        pending = found is not None and found.error is not None and found.error.code() in BEING_MADE
        if not pending or deadline.over(min(deadline.reach, MAKING_SECONDS), began):
            partitions_of(metadata, topic, brokers, making="the broker does not make topics by itself")
        producer.poll(0.05)
        metadata = producer.list_topics(topic, timeout=5.0)
