"""Bytes that a disk has damaged: the run ends before them, and names the place; nothing wrong is handed out."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from kdg.sandbox import Broker, Sandbox
from tests.support.kafka import Kafka
from tests.support.processes import lines

REPETITIONS = 20
BATCH = 10
"""Records of a batch; the third batch of each topic is damaged."""
GOOD = 2 * BATCH


def _fill(bootstrap: str, topic: str, codec: str) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 100, "compression.type": codec})
    values = lines(4 * BATCH)
    for first in range(0, len(values), BATCH):
        for value in values[first : first + BATCH]:
            producer.produce(topic, value, partition=0)
        assert producer.flush(30) == 0


def _segment(broker: Broker, topic: str) -> Path:
    return next((broker._node.folder / "data" / f"{topic}-0").glob("*.log"))  # noqa: SLF001  # a disk has no interface


def _damage(segment: Path, seed: int) -> None:
    """Flip one bit of the third batch: of a value, or of the compressed bytes."""
    data = bytearray(segment.read_bytes())
    batches = [0]
    while batches[-1] + 12 < len(data):
        batches.append(batches[-1] + 12 + int.from_bytes(data[batches[-1] + 8 : batches[-1] + 12], "big"))
    value = data.find(lines(1, GOOD + seed % BATCH)[0], batches[2], batches[3])
    place = value + seed % 13 if value > 0 else batches[2] + 61 + seed % (batches[3] - batches[2] - 61)
    data[place] ^= 1 << seed % 8
    segment.write_bytes(data)


@pytest.fixture(scope="module")
def damaged() -> Iterator[tuple[Kafka, list[str]]]:
    """Topics of a broker that was stopped, whose disk has flipped a bit in each, and that was started again."""
    with Sandbox() as sandbox:
        (broker,), kafka = sandbox.brokers, Kafka(sandbox.bootstrap)
        topics = [kafka.topic() for _ in range(REPETITIONS)]
        for number, topic in enumerate(topics):
            _fill(sandbox.bootstrap, topic, ("none", "gzip", "lz4")[number % 3])
        broker.stop()
        for seed, topic in enumerate(topics):
            _damage(_segment(broker, topic), seed)
        broker.start()
        broker.wait_ready()
        time.sleep(0.5)
        yield kafka, topics


def _ended_at(err: str, topic: str) -> None:
    assert re.search(rf"reading {topic}\[0\]@{GOOD}: the bytes there are damaged: .*\(_BAD_(MSG|COMPRESSION)\)", err), (
        err
    )


@pytest.mark.parametrize("number", range(REPETITIONS))
def test_consume_stops_before_damaged_bytes(damaged: tuple[Kafka, list[str]], group: str, number: int) -> None:
    """The batches before the damage are handed out and settled, none from it on; the exit is 1, also the next time."""
    kafka, topics = damaged
    topic = topics[number]
    done = kafka.kdg("consume", topic, "-G", group, "-e", "--timeout", "30s")
    assert (done.code, done.lines) == (1, lines(GOOD))
    _ended_at(done.err, topic)
    assert kafka.committed(group, topic) == {0: GOOD}
    again = kafka.kdg("consume", topic, "-G", group, "-e", "--timeout", "30s")
    assert (again.code, again.lines) == (1, [])
    _ended_at(again.err, topic)


@pytest.mark.parametrize("guarantee", ["amo", "alo", "eos"])
def test_pipe_stops_before_damaged_bytes(damaged: tuple[Kafka, list[str]], group: str, guarantee: str) -> None:
    """Under each guarantee a pipe copies what is before the damage, once, and ends with exit 1."""
    kafka, topics = damaged
    source, target = topics[0], kafka.topic()
    done = kafka.kdg("pipe", source, target, "-g", guarantee, "-G", group, "-e", "--timeout", "30s")
    assert done.code == 1
    _ended_at(done.err, source)
    assert kafka.settled_values(target) == lines(GOOD)
    assert kafka.committed(group, source) == {0: GOOD}


def test_without_a_group_the_records_before_are_printed(damaged: tuple[Kafka, list[str]]) -> None:
    """Without a position to settle, the records before the damage are printed as well."""
    kafka, topics = damaged
    done = kafka.kdg("consume", topics[1], "-e", "--timeout", "30s")
    assert (done.code, done.lines) == (1, lines(GOOD))
    _ended_at(done.err, topics[1])
