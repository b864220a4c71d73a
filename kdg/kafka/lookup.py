"""Owns the questions to a cluster before a run: which partitions a topic has, and where they begin and end.

`Lookup.starts` turns what `-o` means (kdg/sources/start_offsets.py) into an offset in each partition.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from confluent_kafka import IsolationLevel, KafkaError, KafkaException
from confluent_kafka import TopicPartition as LibraryPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]  # not in its __all__

from kdg.core.records import TopicPartition
from kdg.errors import Unreachable, UsageError
from kdg.kafka.errors import NO_SUCH_TOPIC, error_of, rights, translate
from kdg.kafka.leader_epochs import LeaderEpochs
from kdg.kafka.retry import ask_again
from kdg.runtime.deadline import Deadline
from kdg.sources.start_offsets import Start, Where

if TYPE_CHECKING:
    from kdg.kafka.library import AdminClient, ProducerClient

BEING_MADE = frozenset({KafkaError.LEADER_NOT_AVAILABLE, KafkaError.UNKNOWN_TOPIC_OR_PART})
"""The errors of a topic while the broker is making it."""
MAKING_SECONDS = 5.0
ASK_AGAIN_EVERY = 0.1
RIGHTS_SECONDS = 1.0
ANSWER_SECONDS = 5.0
"""How long a broker has to answer one question before it is asked again."""
EPOCH_SECONDS = 1.0
"""How long a broker has to name the leader epoch of a position that is about to be stored."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Questions about partitions. A question without an answer, while leaders change for instance, is asked again.

    timeout: seconds until a question is given up. epochs: `starts` notes the leader epoch of each offset that it finds.
    """

    admin: AdminClient
    deadline: Deadline
    timeout: float = 30.0
    epochs: LeaderEpochs = field(default_factory=LeaderEpochs)

    def ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The offset after the last record of each partition, even behind an open transaction (hazard 10)."""
        return self._offsets(list(partitions), OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED)

    def offsets_at(self, partitions: Iterable[TopicPartition], milliseconds: int) -> dict[TopicPartition, int]:
        """The offset of the first record at or after a time, in ms since the epoch; the end if there is none."""
        return self._offsets_at(partitions, milliseconds, LeaderEpochs())

    def _offsets_at(
        self, partitions: Iterable[TopicPartition], milliseconds: int, epochs: LeaderEpochs
    ) -> dict[TopicPartition, int]:
        wanted = list(partitions)
        found = self._offsets(wanted, OffsetSpec.for_timestamp(milliseconds), IsolationLevel.READ_UNCOMMITTED, epochs)
        missing = [partition for partition in wanted if found[partition] < 0]
        ends = self._offsets(missing, OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED, epochs)
        return {**found, **ends}

    def starts(self, partitions: Iterable[TopicPartition], start: Start) -> dict[TopicPartition, int]:
        """The offset in each partition that `-o` means: for `-o -10` the end minus 10, but at least the beginning.

        The end is that of a read_committed reader. Raises UsageError for an offset that a partition does not have.
        """
        wanted = list(partitions)
        first = self._offsets(wanted, OffsetSpec.earliest(), IsolationLevel.READ_COMMITTED, self.epochs)
        if start.where is Where.BEGINNING:
            return first
        if start.where is Where.TIME:
            return self._offsets_at(wanted, start.value, self.epochs)
        last = self._offsets(wanted, OffsetSpec.latest(), IsolationLevel.READ_COMMITTED, self.epochs)
        if start.where is Where.END:
            return last
        if start.where is Where.TAIL:
            return {partition: max(last[partition] - start.value, first[partition]) for partition in wanted}
        return {partition: _inside(partition, start.value, first[partition], last[partition]) for partition in wanted}

    def may_use(self, group: str) -> None:
        """Raises Unreachable if the right to a group is missing: a question for its positions would only wait."""
        try:
            self.admin.describe_consumer_groups([group], request_timeout=RIGHTS_SECONDS)[group].result()
        except KafkaException as exc:
            error = error_of(exc)
            if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
                raise translate(error, f"using group {group}", rights(group=group)) from exc

    def leader_epochs(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, tuple[int, int | None]]:
        """The end of each partition and the epoch of its leader. A partition without an answer at once is left out."""
        if not partitions:
            return {}
        latest = OffsetSpec.latest()
        asked = {LibraryPartition(topic, partition): latest for topic, partition in partitions}
        isolation = IsolationLevel.READ_UNCOMMITTED
        answers = {}
        for found, future in self.admin.list_offsets(
            asked, isolation_level=isolation, request_timeout=EPOCH_SECONDS
        ).items():
            try:
                answer = future.result(EPOCH_SECONDS + 1)
            except (KafkaException, TimeoutError):
                continue
            answers[found.topic, found.partition] = answer.offset, answer.leader_epoch
        return answers

    def _offsets(
        self,
        partitions: Collection[TopicPartition],
        spec: OffsetSpec,
        isolation: IsolationLevel,
        epochs: LeaderEpochs | None = None,
    ) -> dict[TopicPartition, int]:
        """One offset of each partition. epochs: notes the leader epoch of each."""
        asked = {LibraryPartition(topic, partition): spec for topic, partition in partitions}
        if not asked:
            return {}
        topics = " ".join(sorted({topic for topic, _partition in partitions}))

        def ask() -> dict[TopicPartition, int]:
            futures = self.admin.list_offsets(
                asked, isolation_level=isolation, request_timeout=min(self.timeout, ANSWER_SECONDS)
            )
            answers = {(found.topic, found.partition): future.result() for found, future in futures.items()}
            if epochs is not None:
                for partition, answer in answers.items():
                    epochs.note(partition, answer.leader_epoch)
            return {partition: answer.offset for partition, answer in answers.items()}

        return ask_again(
            ask,
            f"looking up {topics}",
            self.deadline,
            within=self.timeout,
            refused=partial(translate, needs=rights(topics, "DESCRIBE")),
            after_each=lambda: self.admin.poll(ASK_AGAIN_EVERY),
        )


def _inside(partition: TopicPartition, offset: int, first: int, last: int) -> int:
    if not first <= offset <= last:
        raise UsageError(
            f"-o {offset} is outside {partition[0]}[{partition[1]}], which holds offsets {first} to {last}.",
            "Use beginning, end, -N, or an offset in this range; -p chooses partitions.",
        )
    return offset


def partitions_of(
    metadata: Any,
    topic: str,
    brokers: str,
    wanted: Iterable[int] = (),
    making: str = "kdg consume and pipe never make a topic",
) -> list[TopicPartition]:
    """The partitions of a topic, or those `wanted` (`-p`).

    Raises Unreachable if the cluster has no such topic or partition.
    """
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


def await_topic(producer: ProducerClient, metadata: Any, topic: str, brokers: str, deadline: Deadline) -> Any:
    """The metadata with the topic in it; waits while the broker is making the topic.

    Raises Unreachable if the broker does not make it.
    """
    doing, began = f"looking up {topic}", deadline.now()
    while True:
        found = metadata.topics.get(topic)
        if found is not None and found.error is None and found.partitions:
            return metadata
        pending = found is not None and found.error is not None and found.error.code() in BEING_MADE
        if not pending or deadline.over(min(deadline.reach, MAKING_SECONDS), began):
            partitions_of(metadata, topic, brokers, making="the broker does not make topics by itself")
        producer.poll(0.05)
        metadata = ask_again(lambda: producer.list_topics(topic, timeout=1.0), doing, deadline, within=deadline.reach)
