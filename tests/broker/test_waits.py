"""What kdg waits for is said after 5 s, and an address that cannot be reached is not waited for at length."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]  # not in its __all__

from kdg.sandbox import Sandbox
from tests.support.kafka import Kafka
from tests.support.processes import KDG, QUICK_GROUP, Fed, Run, lines, text
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


def paused(sandbox: Sandbox, run: Run, says: str) -> bool:
    """Whether a run says within 12 s of the broker's standstill that it waits."""
    sandbox.brokers[0].pause()
    try:
        return eventually(lambda: any(says in line and "waiting for" in line for line in run.err.splitlines()), 12)
    finally:
        sandbox.brokers[0].resume()


@pytest.fixture(scope="module")
def frozen() -> Iterator[Sandbox]:
    """A broker that tests pause."""
    with Sandbox() as sandbox:
        yield sandbox


def test_broker_that_does_not_answer_at_the_start_is_named(frozen: Sandbox) -> None:
    """The first question of a run has no answer."""
    kafka = Kafka(frozen.bootstrap)
    topic = kafka.topic()
    frozen.brokers[0].pause()
    try:
        with kafka.start("produce", topic) as run:
            assert eventually(lambda: "waiting for" in run.err, 20)
            assert "connecting to" in run.err
    finally:
        frozen.brokers[0].resume()


@pytest.mark.parametrize("records", [1, 2_000], ids=["first", "more"])
def test_acknowledgement_that_does_not_come_is_named(frozen: Sandbox, records: int) -> None:
    """Records that no broker acknowledges at the end of the input are counted, and what would end the wait is said."""
    kafka = Kafka(frozen.bootstrap)
    topic = kafka.topic()
    with Fed([KDG, "produce", topic], kafka.environment(), subprocess.PIPE, None) as run:
        run.feed(lines(1))
        assert eventually(lambda: kafka.values(topic) == lines(1))
        frozen.brokers[0].pause()
        try:
            run.feed(lines(records, 1))
            run.close_input()
            assert eventually(lambda: "not acknowledged" in run.err, 15)
            assert f"producing to {topic}: waiting for" in run.err
            assert "message.timeout.ms" in run.err
        finally:
            frozen.brokers[0].resume()
        assert run.end().code == 0
        assert sorted(value or b"" for value in kafka.values(topic)) == lines(records + 1)


def test_queue_that_stays_full_is_named(frozen: Sandbox) -> None:
    """The client takes no more records, because no broker acknowledges those that it has."""
    kafka = Kafka(frozen.bootstrap)
    topic = kafka.topic()
    small = ("-X", "queue.buffering.max.messages=100")
    with Fed([KDG, "produce", topic, *small], kafka.environment(), subprocess.PIPE, None) as run:
        run.feed(lines(1))
        assert eventually(lambda: kafka.values(topic) == lines(1))
        frozen.brokers[0].pause()
        try:
            run.feed(lines(500, 1))
            assert eventually(lambda: "not acknowledged" in run.err, 15)
        finally:
            frozen.brokers[0].resume()
        assert run.done().code == 0


def test_commit_without_an_answer_is_named(frozen: Sandbox, group: str) -> None:
    """At-least-once: the broker stands still while a batch is committed."""
    kafka = Kafka(frozen.bootstrap)
    topic = kafka.filled(lines(3))
    # Pausing takes less than a second; then kdg asks for 5 s whether the topic is the same, before it commits.
    slow = ("--", "sh", "-c", "cat; sleep 1")
    with kafka.start("consume", topic, "-G", group, *slow) as run:
        assert eventually(lambda: run.out == text(lines(3)))
        assert paused(frozen, run, f"committing the position of group {group}")
        assert eventually(lambda: kafka.committed(group, topic) == {0: 3})


def test_transaction_without_an_answer_is_named(frozen: Sandbox) -> None:
    """Exactly-once: the broker stands still while a transaction is to be ended (for pipe: hazards/test_delayed.py)."""
    kafka = Kafka(frozen.bootstrap)
    target = kafka.topic()
    with Fed([KDG, "produce", target, "-g", "eos"], kafka.environment(), subprocess.PIPE, None) as run:
        run.feed(lines(3))
        assert eventually(lambda: sum(kafka.ends(target).values()) == 3)
        frozen.brokers[0].pause()
        run.close_input()
        assert paused(frozen, run, "commit")
        assert run.end().code == 0
        assert kafka.values(target) == lines(3)


def test_other_instances_that_have_not_read_all_are_named(kafka: Kafka, group: str) -> None:
    """`-e` in a group: the instance that is done says whom it waits for."""
    topic, command = kafka.filled(lines(20), 2), ["consume", "-G", group, "-e", "--batch-records", "1"]
    slow = ("--", "sh", "-c", "cat; sleep 4")
    with kafka.start(*command, topic, *slow) as other:
        assert eventually(lambda: other.out != b"")
        with kafka.start(*command, topic) as run:
            says = f"other instances of group {group} have not read all"
            assert eventually(lambda: says in run.err, 40)
            assert f"{topic}[" in run.err
            assert " of 10" in run.err


def test_open_transaction_is_named_without_an_end(kafka: Kafka) -> None:
    """A run that reads on and on says that the rest is behind an open transaction; an idle topic is no wait."""
    topic = kafka.filled(lines(3))
    with kafka.start("consume", topic) as run:
        assert eventually(lambda: run.out == text(lines(3)))
        writer = kafka.transaction()
        writer.produce(topic, b"hidden")
        writer.flush(30)
        assert eventually(lambda: "a transaction is open" in run.err, 15)
        assert f"{topic}[0] is readable up to 3, and its end is 4" in run.err
        writer.commit_transaction()
        assert eventually(lambda: run.out == text([*lines(3), b"hidden"]))


def test_partition_without_a_leader_is_named() -> None:
    """A broker goes away that has the only replica of a partition; the others answer."""
    with Sandbox(brokers=3) as sandbox:
        kafka = Kafka(sandbox.bootstrap)
        topic = "without-a-replica"
        kafka.admin.create_topics([NewTopic(topic, num_partitions=8, replication_factor=1)])[topic].result(30)
        kafka.produce(topic, lines(8), 8)
        with kafka.start("consume", topic) as run:
            assert eventually(lambda: len(run.out) == len(text(lines(8))))
            sandbox.brokers[1].kill()
            assert eventually(lambda: "has no leader" in run.err, 40)


def test_command_that_takes_long_is_named_once(kafka: Kafka, group: str) -> None:
    """`-- CMD`: the first batch that takes longer than 5 s is one line, with its offsets."""
    topic = kafka.filled(lines(2))
    done = kafka.ok("consume", topic, "-G", group, "-e", "--batch-records", "1", "--", "sh", "-c", "sleep 6")
    says = [line for line in done.err.splitlines() if "waiting for" in line]
    assert len(says) == 1
    assert f"{topic}[0] offsets 0 to 0" in says[0]
