"""Memory with records that compress a thousandfold: what one fetch unpacks to is bounded."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from tests.support.kafka import Kafka
from tests.support.processes import KDG

RECORDS = 1000
SIZE = 900_000
MOST = 400_000_000
MEASURED = (
    "import resource, subprocess, sys\n"
    "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)\n"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)
"""A small program starts kdg: the memory of a process includes that of its parent before it was started."""


@pytest.fixture(scope="module")
def compressed(kafka: Kafka) -> Iterator[str]:
    """A topic of about 1 MB, whose records have 900 MB."""
    topic = kafka.topic()
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "compression.type": "gzip", "linger.ms": 0})
    value = b"a" * SIZE
    for _ in range(RECORDS):
        while len(producer) > 20:
            producer.poll(0.1)
        producer.produce(topic, value)
    assert producer.flush(60) == 0
    yield topic
    kafka.admin.delete_topics([topic])[topic].result(30)


@pytest.mark.parametrize("name", ["consume", "pipe", "pipe-eos"])
def test_memory_of_compressed_records(kafka: Kafka, compressed: str, group: str, name: str) -> None:
    """1000 records of 900 KB stay under 400 MB; with the library's default size of a fetch it is 1.4 GB."""
    target = kafka.topic()
    args = {
        "consume": ["consume", compressed],
        "pipe": ["pipe", compressed, target, "-X", "compression.type=gzip"],
        "pipe-eos": ["pipe", compressed, target, "-g", "eos", "-X", "compression.type=gzip"],
    }[name]
    command = [sys.executable, "-c", MEASURED, KDG, *args, "-G", group, "-e", "--timeout", "100s"]
    found = subprocess.run(command, env=kafka.environment(), capture_output=True, check=True, timeout=120)
    assert kafka.committed(group, compressed) == {0: RECORDS}
    assert int(found.stdout) * (1 if sys.platform == "darwin" else 1024) < MOST
