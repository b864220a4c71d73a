"""`^pattern` reads all topics that match, also those that are made while a group reads, under each group protocol."""

from __future__ import annotations

import secrets

import pytest

from kdg.core.guarantees import GUARANTEES, Guarantee
from tests.support.kafka import Kafka
from tests.support.processes import QUICK_GROUP, lines
from tests.support.waiting import eventually

PROTOCOLS = {
    "eager": ("-X", "partition.assignment.strategy=range", *QUICK_GROUP),
    "cooperative": ("-X", "partition.assignment.strategy=cooperative-sticky", *QUICK_GROUP),
    "kip848": ("-X", "group.protocol=consumer"),
}
SOON = ("-X", "topic.metadata.refresh.interval.ms=300")
each_protocol = pytest.mark.parametrize("protocol", PROTOCOLS)


@pytest.fixture
def prefix() -> str:
    """The beginning of the names of a test's topics."""
    return f"p-{secrets.token_hex(5)}-"


def filled(kafka: Kafka, prefix: str, name: str, first: int) -> str:
    """A topic of that name with three records of its own."""
    topic = kafka.topic(name=prefix + name)
    kafka.produce(topic, lines(3, first))
    return topic


@pytest.mark.parametrize("guarantee", GUARANTEES, ids=lambda guarantee: guarantee.short)
def test_pipe_reads_every_topic_that_matches_and_no_other(
    kafka: Kafka, group: str, prefix: str, guarantee: Guarantee
) -> None:
    filled(kafka, prefix, "a", 0)
    filled(kafka, prefix, "b", 3)
    filled(kafka, f"not-{prefix}", "a", 90)
    target = kafka.topic()
    kafka.ok("pipe", f"^{prefix}", target, "-G", group, "-g", guarantee.name, "-e", *QUICK_GROUP)
    assert eventually(lambda: sorted(filter(None, kafka.settled_values(target))) == lines(6))


@each_protocol
def test_a_topic_that_is_made_later_is_read_from_its_beginning(
    kafka: Kafka, group: str, prefix: str, protocol: str
) -> None:
    first = filled(kafka, prefix, "a", 0)
    args = ["consume", f"^{prefix}", "-G", group, "-o", "end", *SOON, *PROTOCOLS[protocol]]
    with kafka.start(*args) as run:
        assert eventually(lambda: kafka.committed(group, first) == {0: 3})
        later = filled(kafka, prefix, "b", 3)
        assert eventually(lambda: kafka.committed(group, later) == {0: 3}), run.err
        kafka.produce(first, lines(1, 6))
        assert eventually(lambda: kafka.committed(group, first) == {0: 4})
        run.signal(15)
        done = run.end(10)
    assert (done.code, done.lines) == (-15, lines(4, 3))


def test_without_a_group_what_matches_at_the_start_is_read(kafka: Kafka, prefix: str) -> None:
    filled(kafka, prefix, "a", 0)
    filled(kafka, prefix, "b", 3)
    assert sorted(kafka.ok("consume", f"^{prefix}.$", "-e").lines) == lines(6)


def test_an_internal_topic_that_is_named_is_read(kafka: Kafka, group: str) -> None:
    """A pattern leaves Kafka's own topics out; the name of one is read, as kcat does, and does not wait for ever."""
    kafka.ok("consume", kafka.filled(lines(3)), "-G", group, "-e")
    done = kafka.ok("consume", "__consumer_offsets", "-e", "-f", "%k\n", timeout=20)
    assert group.encode() in done.out
    args = ["consume", "__consumer_offsets", "^" + kafka.filled(lines(1)), "-e", "-f", "%k\n"]
    assert group.encode() in kafka.ok(*args, timeout=20).out


@pytest.mark.parametrize("stop", ["", "--idle-timeout 2s", "--until 2999-01-01"])
def test_a_pipe_into_a_topic_that_matches_needs_a_bound(kafka: Kafka, group: str, prefix: str, stop: str) -> None:
    """A stop that the copied records put off is none: the topic would grow for as long as the run may work."""
    topic = filled(kafka, prefix, "a", 0)
    done = kafka.kdg("pipe", f"^{prefix}", topic, "-G", group, *stop.split(), "--timeout", "10s")
    assert (done.code, "would read what it writes" in done.err) == (2, True)
    assert kafka.values(topic) == lines(3)


@pytest.mark.parametrize(("bound", "copies"), [("-e", 3), ("-c 7", 7), ("--until 2020-01-01", 0), ("--until now", 3)])
def test_a_pipe_into_a_topic_that_matches_ends_at_its_bound(
    kafka: Kafka, group: str, prefix: str, bound: str, copies: int
) -> None:
    topic = filled(kafka, prefix, "a", 0)
    kafka.ok("pipe", f"^{prefix}", topic, "-G", group, *bound.split(), *QUICK_GROUP)
    assert kafka.values(topic) == (lines(3) * 4)[: 3 + copies]


def test_a_pattern_that_matches_nothing_is_exit_8(kafka: Kafka, group: str, prefix: str) -> None:
    done = kafka.kdg("consume", f"^{prefix}", "-G", group)
    assert (done.code, f"no topic matches ^{prefix}" in done.err) == (8, True)
