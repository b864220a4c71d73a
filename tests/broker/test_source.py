"""`KafkaSource` alone on a real broker: what happens between two of its calls cannot be timed from outside."""

from __future__ import annotations

import time

import pytest

from kdg.kafka.client import Watch, make_admin, make_consumer
from kdg.kafka.ends import Ends
from kdg.kafka.lookup import Lookup
from kdg.kafka.source import KafkaSource
from kdg.patience import NoSignals, Patience

from .support import Kafka, eventually, lines


@pytest.mark.parametrize("strategy", ["range", "cooperative-sticky"])
def test_an_assignment_that_comes_while_it_closes_does_not_hold_the_closing_up(
    kafka: Kafka, group: str, strategy: str
) -> None:
    """`-e` can be over before the group has given anything out: all was read before."""
    topic, patience, notes = kafka.filled(lines(3)), Patience(NoSignals()), list[str]()
    connection = {"bootstrap.servers": kafka.bootstrap}
    settings = {**connection, "group.id": group, "partition.assignment.strategy": strategy}
    ends = Ends(Lookup(make_admin(connection, Watch()), patience), notes.append)
    source = KafkaSource(
        make_consumer(settings, Watch()), Watch(), patience, ends, group, frozenset(), note=notes.append
    )
    source.subscribe([topic], cooperative=strategy != "range")
    assert eventually(lambda: kafka.owned(group) == 1)
    began = time.monotonic()
    source.close()
    assert (time.monotonic() - began < 3.0, notes) == (True, [])
    assert eventually(lambda: kafka.members(group) == 0)
