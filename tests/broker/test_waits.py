"""What kdg waits for is said after 5 s, and an address that cannot be reached is not waited for at length."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kdg.sandbox import Sandbox
from tests.support.kafka import Kafka
from tests.support.processes import QUICK_GROUP, lines, text
from tests.support.waiting import eventually

ELSEWHERE = "127.0.0.1:9"
"""The discard port: nobody listens."""
COMMANDS = {
    "produce": ["produce", "t"],
    "produce eos": ["produce", "t", "-g", "eos"],
    "consume": ["consume", "t", "-e"],
    "consume in a group": ["consume", "t", "-G", "g"],
    "pipe": ["pipe", "t", "u", "-G", "g", "-e"],
    "check": ["check", "--topic", "t"],
}


@pytest.fixture(scope="module")
def misplaced() -> Iterator[Kafka]:
    """A broker that advertises an address at which nobody listens."""
    with Sandbox(properties={"advertised.listeners": f"CLIENTS://{ELSEWHERE}"}) as sandbox:
        yield Kafka(sandbox.bootstrap)


@pytest.mark.parametrize("name", COMMANDS)
def test_advertised_address_that_cannot_be_reached(misplaced: Kafka, name: str) -> None:
    """Exit 8 within 30 s, with the address that the broker advertises and the name of the setting."""
    done = misplaced.kdg(*COMMANDS[name], input=text(lines(3)))
    assert done.code == 8
    assert ELSEWHERE in done.err
    assert "advertised.listeners" in done.err
    assert done.seconds < 30


def test_instance_without_a_partition_says_so(kafka: Kafka, group: str) -> None:
    """More instances than partitions: the one without a partition says after 5 s what it waits for; -q is silent."""
    topic, command = kafka.filled(lines(3)), ["consume", "-G", group, *QUICK_GROUP]
    with (
        kafka.start(*command, topic) as one,
        kafka.start(*command, topic) as other,
        kafka.start(*command, topic, "-q") as quiet,
    ):
        assert eventually(lambda: kafka.members(group) == 3)
        says = f"group {group} has given no partition"
        assert eventually(lambda: says in one.err or says in other.err, 30)
        assert quiet.err == ""


def test_broker_that_is_away_is_named() -> None:
    """A broker that goes away under consume and produce is named within 20 s, and an idle topic is not."""
    with Sandbox() as sandbox:
        kafka = Kafka(sandbox.bootstrap)
        topic = kafka.filled(lines(3))
        with kafka.start("consume", topic) as run:
            assert eventually(lambda: run.out == text(lines(3)))
            assert not eventually(lambda: "waiting" in run.err, 7)
            sandbox.brokers[0].kill()
            assert eventually(lambda: "no broker answers" in run.err, 30)


def test_acknowledgement_that_does_not_come_is_named() -> None:
    """Records that no broker acknowledges are named after 5 s."""
    with Sandbox() as sandbox:
        kafka = Kafka(sandbox.bootstrap)
        topic = kafka.topic()
        sandbox.brokers[0].pause()
        try:
            with kafka.start("produce", topic, "-b", sandbox.bootstrap, stdin=-3) as run:
                assert eventually(lambda: "waiting for" in run.err, 20)
                assert "connecting to" in run.err
        finally:
            sandbox.brokers[0].resume()
