"""Owns partitions that are added to a topic while a run without a group reads it. A group gives them out by itself."""

from __future__ import annotations

from collections.abc import Iterable

from confluent_kafka import KafkaException

from kdg.core.records import Offsets, TopicPartition
from kdg.kafka.consumer import KafkaConsumer
from kdg.kafka.partitions import to_library
from kdg.kafka.topic_ids import TopicIds

ASK_SECONDS = 5.0
"""How long the client has to find the leader of a new partition."""


class AddedPartitions:
    """How many partitions each topic had; `take` assigns those that it has got since."""

    def __init__(self, consumer: KafkaConsumer, topic_ids: TopicIds, partitions: Iterable[TopicPartition]) -> None:
        self._consumer = consumer
        self._topic_ids = topic_ids
        self._counts: dict[str, int] = {}
        for topic, number in partitions:
            self._counts[topic] = max(self._counts.get(topic, 0), number + 1)

    def take(self) -> Offsets:
        """Begin to read the new partitions, from their beginning, as a group does (hazard 11); where each begins.

        The beginning is not stored: the next run finds no position of them, and begins there as well.
        """
        counts = self._topic_ids.partitions
        added = [(topic, n) for topic, known in self._counts.items() for n in range(known, counts.get(topic, 0))]
        if not added:
            return {}
        client = self._consumer.client
        try:
            for topic in dict.fromkeys(topic for topic, _number in added):
                client.list_topics(topic, timeout=ASK_SECONDS)  # the client has not seen the new partitions yet
            offsets = self._consumer.beginnings(added)
            client.incremental_assign(to_library(offsets))
        except KafkaException:
            return {}  # a new partition may have no leader yet: asked again by the next READ
        for topic, number in added:
            self._counts[topic] = number + 1
            self._consumer.note(f"{topic}[{number}] was added: it is read from its beginning")
        return offsets
