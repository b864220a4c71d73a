"""Records of every shape from a seed, and the way in for a plain producer."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from confluent_kafka import Producer

from tests.support.kafka import Kafka

_ODD = (
    *(b"", b"\x00", b"\n", b"\r\n", b"\x7f", b'"', b"\\", b"null", b'{"base64":"AA=="}', b"\xff\xfe", b"\xed\xa0\x80"),
    *("ä\U0010ffff€".encode(), b" ", b"%s%b"),
)
_LETTERS = "abcäöü€\U0001f600\n\t\"'\\{}[],: "
NOW = 1_790_000_000_000


def data(rng: random.Random) -> bytes | None:
    """A value: null, empty, odd bytes, any bytes, or text."""
    kind = rng.randrange(5)
    if kind == 0:
        return None
    if kind == 1:
        return rng.choice(_ODD)
    if kind == 2:
        return rng.randbytes(rng.randrange(40))
    return "".join(rng.choices(_LETTERS, k=rng.randrange(20))).encode()


def headers(rng: random.Random) -> list[tuple[str, bytes | None]] | None:
    """Headers: often none. Names repeat, and their order counts."""
    if rng.randrange(2):
        return None
    return [(rng.choice(["a", "b", "ä", "", 'x"y']), data(rng)) for _ in range(rng.randrange(1, 5))]


def records(count: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """The arguments of `Producer.produce`, without the partition."""
    rng = random.Random(seed)  # noqa: S311  # no secret
    for _ in range(count):
        yield {"key": data(rng), "value": data(rng), "headers": headers(rng), "timestamp": rng.randrange(1, NOW)}


def filled(kafka: Kafka, count: int, partitions: int = 3, seed: int = 1) -> str:
    """A topic with these records."""
    topic = kafka.topic(partitions, retention_ms="-1")
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "linger.ms": 20})
    for number, record in enumerate(records(count, seed)):
        producer.produce(topic, partition=number % partitions, **record)
        if number % 10_000 == 0:
            producer.flush(60)
    assert producer.flush(60) == 0
    return topic


def told(kafka: Kafka, topic: str) -> list[tuple[object, ...]]:
    """The records without their offsets, partition by partition, in order."""
    return [(r.partition, r.key, r.value, r.headers, r.timestamp) for r in kafka.records(topic)]
