"""What each program does at a first start, with whole records, with a refused record, with a position that is gone."""

from __future__ import annotations

from collections import Counter

import pytest
from confluent_kafka import Producer, TopicPartition

from kdg.core.guarantees import GUARANTEES, Guarantee
from tests.support.kafka import Kafka, Record
from tests.support.processes import lines
from tests.support.waiting import eventually

from .running import WELL, start, stop

every_guarantee = pytest.mark.parametrize("guarantee", GUARANTEES, ids=lambda guarantee: guarantee.name)
without_loss = pytest.mark.parametrize(
    "guarantee", [each for each in GUARANTEES if not each.may_lose], ids=lambda guarantee: guarantee.name
)

BORN = 1_700_000_000_000


def whole(records: list[Record]) -> Counter[tuple[object, ...]]:
    """The records without their places."""
    return Counter((r.key, r.value, tuple(r.headers), r.timestamp) for r in records)


def send(kafka: Kafka, topic: str) -> None:
    """Records of every shape, on both partitions."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    headers: list[tuple[str, str | bytes | None]] = [("trace", b"1"), ("trace", b"2"), ("empty", b""), ("null", None)]
    shapes = [(b"key", b"value"), (None, b"value"), (b"", b""), (b"gone", None), (b"\xff\x00", b"\x00\xfe")]
    for number, (key, value) in enumerate(shapes * 20):
        own = headers[: number % 5]
        producer.produce(topic, value, key, number % 2, timestamp=BORN + number, headers=own)
    assert producer.flush(30) == 0


@every_guarantee
def test_new_group_copies_whole_records_and_goes_on(
    kafka: Kafka, client: str, guarantee: Guarantee, group: str
) -> None:
    """A group without positions starts at the beginning; a record keeps key, value, headers and timestamp. After
    SIGTERM the position is committed, and the next run copies only what is new."""
    source, target = kafka.topic(2), kafka.topic(1)
    send(kafka, source)
    with start(kafka, guarantee, client, source, target, group) as run:
        assert eventually(lambda: len(kafka.records(target)) >= 100, 60), run.err
        assert eventually(lambda: kafka.committed(group, source).keys() == {0, 1}, 20), run.err
        stop(run)
    assert whole(kafka.settled_records(target)) == whole(kafka.records(source))
    kafka.produce(source, [b"later"])
    with start(kafka, guarantee, client, source, target, group) as run:
        assert eventually(lambda: b"later" in kafka.values(target), 60), run.err
        stop(run)
    assert whole(kafka.settled_records(target)) == whole(kafka.records(source))


@without_loss
def test_nothing_is_committed_past_a_refused_record(
    kafka: Kafka, client: str, guarantee: Guarantee, group: str
) -> None:
    """One record in a hundred is larger than the target takes. The program ends with an error, again and again, and
    each record before its position is in the target."""
    # Java sends a refused batch of several records again and again for two minutes, if they fit into batch.size; a
    # large record with larger ones behind it is a batch of its own.
    source, target = kafka.topic(1), kafka.topic(1, max_message_bytes="20000")
    kafka.produce(source, [b"%06d" % n + b"x" * (30_000 if n % 100 == 99 else 200) for n in range(1000)])
    for _ in range(2):
        with start(kafka, guarantee, client, source, target, group) as run:
            assert run.ended() not in WELL
            assert run.err
    copied = Counter(int((value or b"")[:6]) for value in kafka.settled_values(target))
    position = kafka.committed(group, source).get(0, 0)
    assert position <= 99
    assert set(range(position)) <= set(copied)
    assert guarantee.may_duplicate or not copied or max(copied.values()) == 1


@every_guarantee
def test_position_that_is_gone_ends_the_program(kafka: Kafka, client: str, guarantee: Guarantee, group: str) -> None:
    """The topic has dropped the records that the group would read next: nothing is skipped without an error."""
    source, target = kafka.filled(lines(100)), kafka.topic(1)
    with start(kafka, guarantee, client, source, target, group) as run:
        assert eventually(lambda: len(kafka.values(target)) >= 100, 60), run.err
        stop(run)
    kafka.produce(source, lines(100, 100))
    kafka.admin.delete_records([TopicPartition(source, 0, 150)])[TopicPartition(source, 0, 150)].result(30)
    with start(kafka, guarantee, client, source, target, group) as run:
        assert run.ended() not in WELL
    assert len(kafka.settled_values(target)) == 100
