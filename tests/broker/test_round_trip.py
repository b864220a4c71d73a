"""`consume -J | produce -J` copies every kind of record unchanged.

KDG_ROUND_TRIP=100000 is the long form (`make peers`).
"""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.support.kafka import Kafka
from tests.support.processes import KDG

from .records import filled, told

COUNT = int(os.environ.get("KDG_ROUND_TRIP", "5000"))  # read here: the tests run without the KDG_* of the machine


@pytest.mark.parametrize("options", ["", "--key-encoding hex --value-encoding base64"])
def test_json_printed_is_json_sent(kafka: Kafka, options: str) -> None:
    """produce -J sends again, unchanged, what consume -J printed."""
    topic, copy = filled(kafka, COUNT), kafka.topic(3, retention_ms="-1")
    script = f"{KDG} consume {topic} -e -q -J {options} | {KDG} produce {copy} -q -J --keep-partition {options}"
    done = subprocess.run(["sh", "-c", script], env=kafka.environment(), capture_output=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr.decode()
    there = told(kafka, copy)
    assert len(there) == COUNT
    assert there == told(kafka, topic)


@pytest.mark.parametrize(
    ("guarantee", "sent"),
    [("at-least-once", [b"a", b"b"]), ("exactly-once", [])],
)
def test_malformed_record_is_named_by_its_line(kafka: Kafka, guarantee: str, sent: list[bytes]) -> None:
    """The records before the wrong line are sent; in one transaction, none of them is visible."""
    topic = kafka.topic()
    script = '(printf \'{"value":"a"}\\n{"value":"b"}\\n\'; sleep 1; printf \'{"value":7}\\n{"value":"c"}\\n\')'
    done = kafka.kdg("produce", topic, "-J", "-g", guarantee, "--", "sh", "-c", script)
    assert done.code == 2, done
    assert "line 3: " in done.err
    assert f"{len(sent)} records to {topic}" in done.err
    assert kafka.values(topic) == sent
