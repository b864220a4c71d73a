"""Positions that Kafka would delete while a run waits: those of a group without members are stored again."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, Guarantee
from tests.support.kafka import Kafka
from tests.support.processes import lines, text
from tests.support.waiting import eventually

OFTEN = "import kdg.core.refresh; kdg.core.refresh.REFRESH_SECONDS = 1.0; from kdg.__main__ import main; main()"
"""kdg, which stores old positions again each second, and not each ten minutes."""
OFTEN_KDG = [sys.executable, "-c", OFTEN]


def expire(kafka: Kafka, group: str) -> None:
    """Delete the positions of a group, as the broker does after offsets.retention.minutes."""
    kafka.admin.delete_consumer_groups([group])[group].result(30)


@pytest.mark.parametrize("guarantee", [AT_MOST_ONCE, AT_LEAST_ONCE], ids=lambda each: each.name)
def test_position_of_assigned_partitions_is_stored_again(kafka: Kafka, group: str, guarantee: Guarantee) -> None:
    """With -p a group has no members, and its positions expire while the run waits for records."""
    topic = kafka.filled(lines(10), 2)
    args = ["consume", topic, "-G", group, "-g", guarantee.name, "-p", "0", "-p", "1"]
    with kafka.start(*args, argv=OFTEN_KDG) as run:
        assert eventually(lambda: kafka.committed(group, topic) == {0: 5, 1: 5})
        expire(kafka, group)
        assert eventually(lambda: kafka.committed(group, topic) == {0: 5, 1: 5})
        run.kill()
    assert kafka.ok(*args, "-e").out == b""


def test_position_of_resume_is_stored_again(kafka: Kafka, group: str) -> None:
    """The group of --resume has no members; without its position, the whole input would be sent again."""
    topic, args = kafka.topic(), ["-g", "eos", "--resume", group]
    with kafka.start("produce", topic, *args, stdin=subprocess.PIPE, argv=OFTEN_KDG) as run:
        assert run.process.stdin is not None
        run.process.stdin.write(text(lines(3)))
        run.process.stdin.flush()
        assert eventually(lambda: len(kafka.values(topic)) == 3)
        expire(kafka, f"kdg.produce.{group}")
        assert eventually(lambda: kafka.committed(f"kdg.produce.{group}", topic) != {})
        run.kill()
    kafka.ok("produce", topic, *args, input=text(lines(4)))
    assert kafka.settled_values(topic) == lines(4)
