"""The model and a real broker, for the scripts that are played on both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from kdg.sandbox import Sandbox
from tests.support.kafka import Kafka
from tests.support.waiting import answered

from .broker_side import Broker
from .model_side import Model
from .sides import Side

QUICK = {
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "100",
    "group.consumer.min.heartbeat.interval.ms": "100",
    "group.consumer.heartbeat.interval.ms": "100",
}


@pytest.fixture(scope="package")
def _kafka() -> Iterator[Kafka]:
    with Sandbox(properties=QUICK) as sandbox:
        _find_coordinators(sandbox.bootstrap)
        yield Kafka(sandbox.bootstrap)


def _find_coordinators(brokers: str) -> None:
    """Ask for both coordinators, so that Kafka creates their topics; the single requests of the scripts do not ask."""
    producer = Producer({"bootstrap.servers": brokers, "transactional.id": "first"})
    producer.init_transactions(30)
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "first"})
    answered(lambda: consumer.committed([TopicPartition("none", 0)], timeout=30))
    consumer.close()


@pytest.fixture(params=["model", "broker"])
def side(request: pytest.FixtureRequest) -> Iterator[Side]:
    """The model, then the broker, which is started for the first script that uses it."""
    if request.param == "model":
        yield Model()
        return
    broker = Broker(request.getfixturevalue("_kafka"))
    yield broker
    broker.close()
