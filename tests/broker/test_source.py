"""`KafkaSource` alone on a real broker: what happens between two of its calls cannot be timed from outside."""

from __future__ import annotations

import time

import pytest

from kdg.kafka.client import Watch, make_admin, make_consumer
from kdg.kafka.consumer import KafkaConsumer
from kdg.kafka.lookup import Lookup
from kdg.kafka.membership import Subscription
from kdg.kafka.source import KafkaSource
from kdg.kafka.stop_offsets import StopOffsets
from kdg.kafka.topic_ids import TopicIds
from kdg.runtime.deadline import Deadline, NoSignals
from tests.support.kafka import Kafka
from tests.support.processes import lines
from tests.support.waiting import eventually


@pytest.mark.parametrize("strategy", ["range", "cooperative-sticky"])
def test_assignment_while_closing_does_not_block(kafka: Kafka, group: str, strategy: str) -> None:
    """`-e` can be over before the group has given out any partition, because all was read before."""
    topic, deadline, notes = kafka.filled(lines(3)), Deadline(NoSignals()), list[str]()
    connection = {"bootstrap.servers": kafka.bootstrap}
    settings = {**connection, "group.id": group, "partition.assignment.strategy": strategy}
    admin = make_admin(connection, Watch())
    lookup = Lookup(admin, deadline)
    client = make_consumer(settings, Watch())
    consumer = KafkaConsumer(client, Watch(), deadline, lookup, group, notes.append)
    topics = Subscription([topic], {}, cooperative=strategy != "range")
    source = KafkaSource(consumer, topics, StopOffsets(lookup, notes.append), TopicIds(admin, {topic}), frozenset())
    source.begin(lambda _event: None)
    assert eventually(lambda: kafka.owned(group) == 1)
    began = time.monotonic()
    source.close()
    assert (time.monotonic() - began < 3.0, notes) == (True, [])
    assert eventually(lambda: kafka.members(group) == 0)
