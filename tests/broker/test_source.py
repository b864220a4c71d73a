"""`KafkaSource` alone on a real broker: what happens between two of its calls cannot be timed from outside."""

from __future__ import annotations

import time

import pytest

from kdg.kafka.client import Watch, make_admin, make_consumer
from kdg.kafka.lookup import Lookup
from kdg.kafka.source import KafkaSource
from kdg.kafka.stop_offsets import StopOffsets
from kdg.runtime.deadline import Deadline, NoSignals
from tests.support.kafka import Kafka
from tests.support.processes import lines
from tests.support.waiting import eventually


@pytest.mark.parametrize("strategy", ["range", "cooperative-sticky"])
def test_assignment_while_closing_does_not_block(kafka: Kafka, group: str, strategy: str) -> None:
    """`-e` can be over before the group has given anything out: all was read before."""
    topic, deadline, notes = kafka.filled(lines(3)), Deadline(NoSignals()), list[str]()
    connection = {"bootstrap.servers": kafka.bootstrap}
    settings = {**connection, "group.id": group, "partition.assignment.strategy": strategy}
    ends = StopOffsets(Lookup(make_admin(connection, Watch()), deadline), notes.append)
    source = KafkaSource(
        make_consumer(settings, Watch()), Watch(), deadline, ends, group, frozenset(), note=notes.append
    )
    source.subscribe([topic], cooperative=strategy != "range")
    assert eventually(lambda: kafka.owned(group) == 1)
    began = time.monotonic()
    source.close()
    assert (time.monotonic() - began < 3.0, notes) == (True, [])
    assert eventually(lambda: kafka.members(group) == 0)
