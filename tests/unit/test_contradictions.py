"""The installed librdkafka refuses what the table of contradictions says, and accepts settings that are close to it."""

from __future__ import annotations

import pytest

from kdg.check.reading import readings
from kdg.core.guarantees import Role
from kdg.errors import UsageError
from kdg.kafka.client import validate
from kdg.settings.conflicts import CONTRADICTIONS, LIBRDKAFKA, Contradiction

P, C = Role.PRODUCER, Role.CONSUMER
REFUSED: dict[tuple[str, ...], str] = {
    ("enable.idempotence", "acks"): "enable.idempotence=true acks=1",
    ("enable.idempotence", "message.send.max.retries"): "enable.idempotence=true message.send.max.retries=0",
    ("enable.idempotence", "max.in.flight.requests.per.connection"): (
        "enable.idempotence=true max.in.flight.requests.per.connection=6"
    ),
    ("transactional.id", "enable.idempotence"): "transactional.id=a enable.idempotence=false",
    ("enable.gapless.guarantee", "enable.idempotence"): "enable.gapless.guarantee=true enable.idempotence=false",
    ("enable.idempotence", "queuing.strategy"): "enable.idempotence=true queuing.strategy=lifo",
    ("transactional.id", "message.timeout.ms", "transaction.timeout.ms"): "transactional.id=a message.timeout.ms=70000",
    ("transactional.id", "socket.timeout.ms", "transaction.timeout.ms"): (
        "transactional.id=a socket.timeout.ms=60200 transaction.timeout.ms=60000"
    ),
    ("message.timeout.ms", "linger.ms"): "message.timeout.ms=1000 linger.ms=1000",
    ("max.poll.interval.ms", "session.timeout.ms"): "group.id=g max.poll.interval.ms=10000 session.timeout.ms=20000",
    ("group.protocol", "session.timeout.ms", "heartbeat.interval.ms", "partition.assignment.strategy"): (
        "group.id=g group.protocol=consumer session.timeout.ms=20000"
    ),
    ("enable.idempotence", "queue.buffering.backpressure.threshold"): (
        "enable.idempotence=true queue.buffering.backpressure.threshold=2"
    ),
    ("group.protocol", "group.protocol.type"): "group.id=g group.protocol=consumer group.protocol.type=consumer",
    ("fetch.max.bytes", "message.max.bytes"): "group.id=g fetch.max.bytes=1000 message.max.bytes=2000",
    ("receive.message.max.bytes", "fetch.max.bytes"): (
        "group.id=g receive.message.max.bytes=2000000 fetch.max.bytes=2000000"
    ),
    ("reconnect.backoff.max.ms", "reconnect.backoff.ms"): (
        "group.id=g reconnect.backoff.max.ms=10 reconnect.backoff.ms=20"
    ),
    ("ssl.keystore.location", "ssl.keystore.password"): "group.id=g ssl.keystore.location=k",
    ("partition.assignment.strategy",): "group.id=g partition.assignment.strategy=range,cooperative-sticky",
}
BY_LIBRDKAFKA = [row for row in CONTRADICTIONS if LIBRDKAFKA in row.clients and row.names != ("group.id",)]
"""An empty group.id aborts the process with confluent-kafka 2.16: it is not tried here."""


def settings(text: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in text.split())


@pytest.mark.parametrize("row", BY_LIBRDKAFKA, ids=lambda row: "+".join(row.names))
def test_librdkafka_refuses_what_the_table_says_and_only_that(row: Contradiction) -> None:
    given = settings(REFUSED[row.names])
    (reading,) = readings(given, LIBRDKAFKA, row.role)
    assert row.holds(reading)
    with pytest.raises(UsageError):
        validate(given, row.role)


@pytest.mark.parametrize(
    ("role", "text"),
    [
        (P, "transactional.id=a"),
        (P, "enable.idempotence=true acks=all max.in.flight.requests.per.connection=5"),
        (P, "transactional.id=a message.timeout.ms=60000 socket.timeout.ms=60000"),
        (P, "linger.ms=999 message.timeout.ms=1000"),
        (P, "acks=0 message.send.max.retries=5"),
        (C, "group.id=g group.protocol=consumer"),
        (C, "group.id=g heartbeat.interval.ms=50000"),
        (C, "group.id=g partition.assignment.strategy=range,roundrobin"),
    ],
)
def test_what_librdkafka_takes_is_no_contradiction(role: Role, text: str) -> None:
    given = settings(text)
    (reading,) = readings(given, LIBRDKAFKA, role)
    rows = [row for row in CONTRADICTIONS if row.role is role and LIBRDKAFKA in row.clients]
    assert [row.says for row in rows if row.holds(reading)] == []
    validate(given, role)
