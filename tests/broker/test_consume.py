"""`kdg consume` on a real broker: what it prints, how a group goes on, and what happens when stdout fails."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, GUARANTEES, Guarantee
from tests.support.kafka import Kafka
from tests.support.machine import needs_dev_full
from tests.support.processes import lines
from tests.support.waiting import eventually

IDS = [guarantee.name for guarantee in GUARANTEES]
WITH_GROUP = [AT_MOST_ONCE, AT_LEAST_ONCE]


# ── what it prints ──


def test_keys_nulls_and_a_chosen_delimiter_are_printed(kafka: Kafka) -> None:
    topic = kafka.topic()
    for key, value in ((b"k", b"v"), (None, b""), (b"", None)):
        kafka.produce(topic, [value], key=key)
    assert kafka.ok("consume", topic, "-e").out == b"v\n\n\n"
    assert kafka.ok("consume", topic, "-e", "-K", ":", "-D", r"\0").out == b"k:v\0:\0:\0"
    assert kafka.ok("consume", topic, "-e", "-K", ":", "-Z").out == b"k:v\nNULL:\n:NULL\n"


def test_a_format_prints_kcats_tokens(kafka: Kafka) -> None:
    topic = kafka.topic(2)
    kafka.produce(topic, [b"v"], key=b"k", headers=[("a", b"1"), ("b", b"2")], timestamp=1_700_000_000_123)
    kafka.produce(topic, [None])
    out = kafka.ok("consume", topic, "-e", "-f", r"%t %p %o %k %K %s %S %R %T %h|\n").out
    first, second = out.split(b"|\n")[:2]
    assert first == f"{topic} 0 0 k 1 v 1 ".encode() + b"\0\0\0\1" + b" 1700000000123 a=1,b=2"
    assert second.startswith(f"{topic} 0 1  -1  -1 ".encode() + b"\xff\xff\xff\xff ")


def test_json_holds_every_field_of_a_record(kafka: Kafka) -> None:
    topic = kafka.topic(2)
    headers = [("h", b"1"), ("h", None), ("b", b"\xff")]
    kafka.produce(topic, [b"\xff\x00"], key=b"", headers=headers, timestamp=1_700_000_000_123)
    (line,) = kafka.ok("consume", topic, "-e", "-J").lines
    assert json.loads(line) == {
        "topic": topic,
        "partition": 0,
        "offset": 0,
        "timestamp": 1_700_000_000_123,
        "key": "",
        "value": {"base64": "/wA="},
        "headers": [["h", "1"], ["h", None], ["b", {"base64": "/w=="}]],
    }


def test_any_bytes_survive_from_consume_into_produce_as_json(kafka: Kafka) -> None:
    source, target = kafka.topic(), kafka.topic()
    now = int(time.time() * 1000)
    shapes: list[tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]] = [
        (b"k", b"v", [("a", b"1"), ("a", b"2"), ("a", None), ("", b"")]),
        (None, None, []),
        (b"", b"", [("bin", bytes(range(256)))]),
        (bytes(range(256)), bytes(reversed(range(256))), []),
        (b"\n", "ключ\u2028\x7f".encode(), [("имя", "é".encode())]),
        (b"k", None, [("tombstone", b"\0")]),
    ]
    for number, (key, value, headers) in enumerate(shapes):
        kafka.produce(source, [value], key=key, headers=headers, timestamp=now + number)
    kafka.ok("produce", target, "-J", input=kafka.ok("consume", source, "-e", "-J").out)
    assert kafka.records(target) == kafka.records(source)


def test_several_topics_and_chosen_partitions(kafka: Kafka) -> None:
    one, two = kafka.filled(lines(4), 2), kafka.filled(lines(4, 4), 2)
    assert sorted(kafka.ok("consume", one, two, "-e").lines) == lines(8)
    assert sorted(kafka.ok("consume", one, two, "-e", "-p", "1").lines) == [*lines(4)[1::2], *lines(4, 4)[1::2]]


@pytest.mark.parametrize("guarantee", GUARANTEES, ids=IDS)
def test_records_of_an_aborted_transaction_are_not_printed(kafka: Kafka, guarantee: Guarantee) -> None:
    topic = kafka.filled([b"a"])
    producer = kafka.transaction()
    producer.produce(topic, b"aborted")
    producer.flush(30)
    producer.abort_transaction(30)
    kafka.produce(topic, [b"b"])
    assert kafka.ok("consume", topic, "-e", "-g", guarantee.name).out == b"a\nb\n"


# ── groups ──


@pytest.mark.parametrize("guarantee", WITH_GROUP, ids=lambda guarantee: guarantee.name)
def test_a_group_goes_on_where_it_stopped(kafka: Kafka, group: str, guarantee: Guarantee) -> None:
    topic = kafka.filled(lines(10))
    args = ["consume", topic, "-G", group, "-e", "-g", guarantee.name]
    assert kafka.ok(*args).lines == lines(10)
    assert kafka.ok(*args).lines == []
    kafka.produce(topic, lines(3, 10))
    assert kafka.ok(*args).lines == lines(3, 10)


def test_two_members_share_and_both_end(kafka: Kafka, group: str) -> None:
    """Two members of a group share the partitions of a topic, and both stop at the end."""
    topic = kafka.filled(lines(20_000), 2)
    args = ["consume", topic, "-G", group, "-e", "--batch-records", "100"]
    with kafka.start(*args) as one, kafka.start(*args) as two:
        ends = [one.end(), two.end()]
    assert [done.code for done in ends] == [0, 0]
    assert sorted([*ends[0].lines, *ends[1].lines]) == lines(20_000)
    assert sum(kafka.committed(group, topic).values()) == 20_000


def test_a_single_record_gets_through_at_once(kafka: Kafka, group: str) -> None:
    topic = kafka.topic()
    with kafka.start("consume", topic, "-G", group) as run:
        assert eventually(lambda: kafka.members(group) == 1 and kafka.committed(group, topic) == {0: 0})
        kafka.produce(topic, [b"warm"])
        assert eventually(lambda: run.out == b"warm\n")
        began = time.monotonic()
        kafka.produce(topic, [b"one"])
        assert eventually(lambda: run.out == b"warm\none\n")
        assert eventually(lambda: kafka.committed(group, topic) == {0: 2})
        assert time.monotonic() - began < 1.0


# ── when stdout fails ──


@needs_dev_full
@pytest.mark.parametrize("start", ["beginning", "3"])
def test_full_disk_is_exit_1(kafka: Kafka, group: str, start: str) -> None:
    """A full disk is exit 1, and nothing is committed beyond the start."""
    topic = kafka.filled(lines(20))
    with Path("/dev/full").open("wb") as full:
        run = kafka.start("consume", "-G", group, "-c", "10", topic, "-o", start, stdout=full.fileno())
        with run:
            done = run.end()
    assert done.code == 1
    assert "stdout" in done.err
    assert kafka.committed(group, topic).get(0, 0) == (0 if start == "beginning" else 3)
    assert (
        kafka.ok("consume", "-G", group, "-c", "10", topic, "-o", start).lines
        == lines(20)[int(start == "3") * 3 :][:10]
    )


def test_reader_gone_without_a_group(kafka: Kafka) -> None:
    """Without a group it is not an error that the reader of stdout has seen enough."""
    topic = kafka.filled(lines(30_000))
    with kafka.start("consume", topic, "-e", stdout=subprocess.PIPE) as run:
        assert run.process.stdout
        assert run.process.stdout.read(14) == lines(1)[0] + b"\n"
        run.process.stdout.close()
        assert run.end().code == 0


def test_reader_gone_with_a_group_is_exit_141(kafka: Kafka, group: str) -> None:
    """With a group a reader that goes away is exit 141, and the records that it did not take come again."""
    topic = kafka.filled(lines(30_000))
    args = ["consume", topic, "-e", "-G", group, "--batch-records", "1000"]
    with kafka.start(*args, stdout=subprocess.PIPE) as run:
        assert run.process.stdout
        assert run.process.stdout.read(14) == lines(1)[0] + b"\n"
        run.process.stdout.close()
        done = run.end()
    assert done.code == 141
    # The bytes in the pipe were lost with its reader, and kdg warned of this; the batch that failed is not committed.
    assert "pipe" in done.err
    position = kafka.committed(group, topic)[0]
    assert position % 1000 == 0
    assert position * 14 <= 14 + 2 * 65536 + 14_000
    assert kafka.ok(*args).lines == lines(30_000)[position:]


def test_output_to_a_file_warns_of_nothing(kafka: Kafka, group: str) -> None:
    topic = kafka.filled(lines(2))
    with kafka.start("consume", topic, "-e", "-G", group) as run:
        done = run.end()
    assert "lost" not in done.err
