"""`kdg consume` on a real broker: where it starts, by `-o`, by the group's position, and in an added partition."""

from __future__ import annotations

from pathlib import Path

import pytest
from confluent_kafka.admin import NewPartitions  # type: ignore[attr-defined]  # not in its __all__

from tests.support.kafka import Kafka
from tests.support.processes import QUICK_GROUP, lines
from tests.support.waiting import eventually


@pytest.mark.parametrize(
    ("where", "seen"),
    [("beginning", 10), ("end", 0), ("0", 10), ("7", 3), ("10", 0), ("-4", 4), ("-99", 10)],
)
def test_it_starts_where_o_says(kafka: Kafka, where: str, seen: int) -> None:
    topic = kafka.filled(lines(10))
    assert kafka.ok("consume", topic, "-o", where, "-e").lines == lines(10)[10 - seen :]


def test_start_time_picks_the_first_record(kafka: Kafka) -> None:
    """A time, in ISO 8601 or in milliseconds, starts at the first record of that time or later."""
    topic = kafka.topic()
    noon = 1_767_225_600_000  # 2026-01-01T00:00:00Z
    for number in range(4):
        kafka.produce(topic, [b"%d" % number], timestamp=noon + number * 1000)
    assert kafka.ok("consume", topic, "-e", "-o", "s@2026-01-01T00:00:02Z").out == b"2\n3\n"
    assert kafka.ok("consume", topic, "-e", "-o", f"s@{noon + 2500}").out == b"3\n"
    assert kafka.ok("consume", topic, "-e", "-o", f"s@{noon + 9000}").out == b""
    assert kafka.ok("consume", topic, "-e", "-o", "s@2025-12-31").out == b"0\n1\n2\n3\n"


@pytest.mark.parametrize("where", ["11", "middle", "s@yesterday", "--5"])
def test_wrong_start_is_refused(kafka: Kafka, group: str, where: str) -> None:
    """A wrong start is refused, and nothing is printed or committed."""
    topic = kafka.filled(lines(10))
    done = kafka.kdg("consume", topic, "-o", where, "-e", "-G", group)
    assert done.code == 2
    assert where.removeprefix("s@") in done.err
    assert done.out == b""
    assert kafka.committed(group, topic) == {}


def test_start_applies_only_without_a_position(kafka: Kafka, group: str) -> None:
    """`-o` counts only if the group has no position; otherwise kdg says that it goes on from the position."""
    topic = kafka.filled(lines(10))
    assert kafka.ok("consume", topic, "-G", group, "-c", "4").lines == lines(4)
    done = kafka.ok("consume", topic, "-G", group, "-o", "beginning", "-e")
    assert done.lines == lines(10)[4:]
    assert group in done.err


def test_start_at_end_is_committed_first(kafka: Kafka, group: str) -> None:
    """The start at the end is committed before the first record: a crash before it skips nothing (hazard 11)."""
    topic = kafka.filled(lines(10))
    with kafka.start("consume", topic, "-G", group, "-o", "end", *QUICK_GROUP) as run:
        assert eventually(lambda: kafka.committed(group, topic) == {0: 10})
        run.kill()
    kafka.produce(topic, lines(2, 10))
    assert kafka.ok("consume", topic, "-G", group, "-o", "end", "-c", "2", *QUICK_GROUP).lines == lines(2, 10)


def test_added_partition_of_a_known_topic_is_read_whole(kafka: Kafka, group: str) -> None:
    """A partition that is added to a topic with positions is read from its beginning (hazard 11)."""
    from confluent_kafka.admin import NewPartitions  # type: ignore[attr-defined]  # not in its __all__

    topic = kafka.filled(lines(3))
    kafka.ok("consume", topic, "-G", group, "-o", "end", "-e")
    kafka.admin.create_partitions([NewPartitions(topic, 2)])[topic].result(30)
    assert eventually(lambda: len(kafka.ends(topic)) == 2)
    kafka.produce(topic, [b"old partition", b"new partition"], 2)
    assert sorted(kafka.ok("consume", topic, "-G", group, "-o", "end", "-e").lines) == [
        b"new partition",
        b"old partition",
    ]


@pytest.mark.parametrize("guarantee", ["at-least-once", "exactly-once"])
def test_added_partition_is_read_without_a_group(kafka: Kafka, tmp_path: Path, guarantee: str) -> None:
    """A partition that is added while a run without a group reads is read from its beginning, as in a group."""
    topic, out = kafka.filled([b"a"]), tmp_path / "out"
    args = ["consume", topic, "-g", guarantee, "--output", str(out)]
    with kafka.start(*args) as run:
        assert eventually(lambda: out.exists() and out.read_bytes() == b"a\n")
        kafka.admin.create_partitions([NewPartitions(topic, 3)])[topic].result(30)
        kafka.produce(topic, [b"b", b"c", b"d"], 3)
        assert eventually(lambda: sorted(out.read_bytes().split()) == [b"a", b"b", b"c", b"d"], 20)
        run.signal(15)
        assert run.end(10).code == -15
    if guarantee == "exactly-once":  # the position of an added partition is in the sink
        kafka.produce(topic, [b"e", b"f", b"g"], 3)
        kafka.ok(*args, "-e")
        assert sorted(out.read_bytes().split()) == [b"a", b"b", b"c", b"d", b"e", b"f", b"g"]
