"""A group that does not take this instance: the run ends within seconds, and names the setting."""

from __future__ import annotations

import pytest

from kdg.sandbox import Sandbox
from tests.support.kafka import Kafka
from tests.support.processes import lines
from tests.support.waiting import eventually

SOON = 10.0
"""Seconds; the commands give no --timeout."""


@pytest.mark.parametrize("command", ["consume", "pipe"])
def test_session_timeout_out_of_range_is_exit_2(kafka: Kafka, group: str, command: str) -> None:
    """A session.timeout.ms that the broker does not allow ends the run with its value, and is not waited for."""
    topic = kafka.filled(lines(3))
    target = [kafka.topic()] if command == "pipe" else []
    done = kafka.kdg(command, topic, *target, "-G", group, "-e", "-X", "session.timeout.ms=2000000")
    assert done.code == 2
    assert "session.timeout.ms=2000000" in done.err
    assert "group.max.session.timeout.ms" in done.err
    assert done.seconds < SOON


def test_other_assignment_strategy_is_exit_2(kafka: Kafka, group: str) -> None:
    """A member whose strategy the others do not have is refused with exit 2 and both settings."""
    topic = kafka.filled(lines(3))
    eager = ["-X", "partition.assignment.strategy=range"]
    with kafka.start("consume", topic, "-G", group, *eager):
        assert eventually(lambda: kafka.owned(group) == 1)
        done = kafka.kdg("consume", topic, "-G", group, "-X", "partition.assignment.strategy=cooperative-sticky")
    assert done.code == 2
    assert "partition.assignment.strategy=cooperative-sticky" in done.err
    assert done.seconds < SOON


def test_full_group_is_exit_1(group: str) -> None:
    """A group with group.max.size members takes no other: exit 1 with the name of the broker's setting."""
    with Sandbox(properties={"group.max.size": "1"}) as sandbox:
        kafka = Kafka(sandbox.bootstrap)
        topic = kafka.filled(lines(3), 2)
        with kafka.start("consume", topic, "-G", group):
            assert eventually(lambda: kafka.owned(group) == 2)
            done = kafka.kdg("consume", topic, "-G", group)
    assert done.code == 1
    assert "group.max.size" in done.err
    assert done.seconds < SOON
