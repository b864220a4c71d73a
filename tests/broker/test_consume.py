"""`kdg consume` on a real broker: where it starts and stops, what it prints, what it commits and what it does not."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, GUARANTEES, Guarantee
from tests.support.kafka import Kafka
from tests.support.processes import QUICK_GROUP, lines, text
from tests.support.waiting import eventually

IDS = [row.name for row in GUARANTEES]
WITH_GROUP = [AT_MOST_ONCE, AT_LEAST_ONCE]


# ── what it prints ──


def test_keys_nulls_and_a_delimiter_of_ones_own_are_printed(kafka: Kafka) -> None:
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


@pytest.mark.parametrize("row", GUARANTEES, ids=IDS)
def test_records_of_an_aborted_transaction_are_not_printed(kafka: Kafka, row: Guarantee) -> None:
    topic = kafka.filled([b"a"])
    producer = kafka.transaction()
    producer.produce(topic, b"aborted")
    producer.flush(30)
    producer.abort_transaction(30)
    kafka.produce(topic, [b"b"])
    assert kafka.ok("consume", topic, "-e", "-g", row.name).out == b"a\nb\n"


# ── where it starts ──


@pytest.mark.parametrize(
    ("where", "seen"),
    [("beginning", 10), ("end", 0), ("0", 10), ("7", 3), ("10", 0), ("-4", 4), ("-99", 10)],
)
def test_it_starts_where_o_says(kafka: Kafka, where: str, seen: int) -> None:
    topic = kafka.filled(lines(10))
    assert kafka.ok("consume", topic, "-o", where, "-e").lines == lines(10)[10 - seen :]


def test_start_time_picks_the_first_record(kafka: Kafka) -> None:
    """A start in time is the first record of that time or later as iso or milliseconds."""
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
    """A wrong start is refused and nothing is printed or committed."""
    topic = kafka.filled(lines(10))
    done = kafka.kdg("consume", topic, "-o", where, "-e", "-G", group)
    assert done.code == 2
    assert where.removeprefix("s@") in done.err
    assert done.out == b""
    assert kafka.committed(group, topic) == {}


def test_start_applies_only_without_a_position(kafka: Kafka, group: str) -> None:
    """A start counts only where the group has no position and it says so."""
    topic = kafka.filled(lines(10))
    assert kafka.ok("consume", topic, "-G", group, "-c", "4").lines == lines(4)
    done = kafka.ok("consume", topic, "-G", group, "-o", "beginning", "-e")
    assert done.lines == lines(10)[4:]
    assert group in done.err


def test_start_at_end_is_committed_first(kafka: Kafka, group: str) -> None:
    """A start at the end is committed before the first record so that a kill then skips nothing."""
    topic = kafka.filled(lines(10))
    with kafka.start("consume", topic, "-G", group, "-o", "end", *QUICK_GROUP) as run:
        assert eventually(lambda: kafka.committed(group, topic) == {0: 10})
        run.kill()
    kafka.produce(topic, lines(2, 10))
    assert kafka.ok("consume", topic, "-G", group, "-o", "end", "-c", "2", *QUICK_GROUP).lines == lines(2, 10)


def test_added_partition_of_a_known_topic_is_read_whole(kafka: Kafka, group: str) -> None:
    """A partition added to a topic that the group knows begins at its beginning."""
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


# ── where it stops ──


@pytest.mark.parametrize("row", WITH_GROUP, ids=lambda row: row.name)
def test_c_5_prints_exactly_five_and_commits_exactly_five(kafka: Kafka, group: str, row: Guarantee) -> None:
    topic = kafka.filled(lines(40), 4)
    args = ["consume", topic, "-G", group, "-c", "5", "-g", row.name]
    first = kafka.ok(*args)
    assert len(first.lines) == 5
    assert sum(kafka.committed(group, topic).values()) == 5
    second = kafka.ok(*args)
    assert sum(kafka.committed(group, topic).values()) == 10
    assert len({*first.lines, *second.lines}) == 10


def test_c_without_a_group_prints_exactly_as_many(kafka: Kafka) -> None:
    topic = kafka.filled(lines(30_000))
    assert kafka.ok("consume", topic, "-c", "12345").lines == lines(12345)


@pytest.mark.parametrize("partitions", [1, 3])
def test_e_of_an_empty_topic_ends_at_once(kafka: Kafka, group: str, partitions: int) -> None:
    topic = kafka.topic(partitions)
    for options in ([], ["-G", group]):
        done = kafka.ok("consume", topic, "-e", *options)
        assert done.out == b""
        assert done.seconds < 4


def test_exit_at_end_of_markers_alone(kafka: Kafka, group: str) -> None:
    """E of a topic with nothing but markers and aborted records ends."""
    topic = kafka.topic()
    producer = kafka.transaction()
    producer.produce(topic, b"aborted")
    producer.flush(30)
    producer.abort_transaction(30)
    for options in ([], ["-G", group]):
        assert kafka.ok("consume", topic, "-e", *options).out == b""
    assert kafka.committed(group, topic) == {0: 2}


@pytest.mark.parametrize("row", GUARANTEES, ids=IDS)
def test_e_behind_an_open_transaction_waits_for_it_and_says_so(kafka: Kafka, row: Guarantee) -> None:
    topic = kafka.filled([b"before"])
    producer = kafka.transaction()
    producer.produce(topic, b"inside")
    producer.flush(30)
    kafka.produce(topic, [b"behind"])
    with kafka.start("consume", topic, "-e", "-g", row.name) as run:
        assert eventually(lambda: "waiting for an open transaction" in run.err)
        assert run.running
        assert run.out == b"before\n"
        producer.commit_transaction(30)
        done = run.end(10)
    assert done.code == 0
    assert done.out == b"before\ninside\nbehind\n"


def test_e_takes_the_ends_at_the_start(kafka: Kafka) -> None:
    topic = kafka.filled([b"before"])
    producer = kafka.transaction()
    producer.produce(topic, b"inside")
    producer.flush(30)
    with kafka.start("consume", topic, "-e") as run:
        assert eventually(lambda: "waiting for an open transaction" in run.err)
        kafka.produce(topic, [b"later"])
        producer.commit_transaction(30)
        assert run.end(10).out == b"before\ninside\n"


def test_until_a_past_time(kafka: Kafka, group: str) -> None:
    """Until a time that is past ends before the first record of it."""
    topic = kafka.topic()
    base = int(time.time() * 1000) - 3_600_000
    for number in range(4):
        kafka.produce(topic, [b"%d" % number], timestamp=base + number * 1000)
    for options in ([], ["-G", group]):
        assert kafka.ok("consume", topic, "--until", str(base + 2000), *options).out == b"0\n1\n"
    assert kafka.committed(group, topic) == {0: 2}


def test_until_a_future_time(kafka: Kafka, group: str) -> None:
    """Until a time to come ends by itself and leaves what is later."""
    topic = kafka.filled([b"now"])
    until = int(time.time() * 1000) + 2500
    kafka.produce(topic, [b"later"], timestamp=until + 60_000)
    done = kafka.ok("consume", topic, "-G", group, "--until", str(until), timeout=20)
    assert done.out == b"now\n"
    assert time.time() * 1000 >= until
    assert done.seconds < 10
    assert kafka.committed(group, topic) == {0: 1}


def test_idle_timeout_ends_when_nothing_came_for_so_long(kafka: Kafka, group: str) -> None:
    topic = kafka.filled(lines(3))
    with kafka.start("consume", topic, "-G", group, "--idle-timeout", "1500ms") as run:
        assert eventually(lambda: run.out == text(lines(3)))
        kafka.produce(topic, lines(1, 3))
        done = run.end(10)
    assert done.code == 0
    assert done.out == text(lines(4))
    assert kafka.committed(group, topic) == {0: 4}


@pytest.mark.parametrize("row", GUARANTEES, ids=IDS)
@pytest.mark.parametrize("stop", [("-c", "5"), ("--until", "2999-01-01")])
def test_stop_not_reached_is_exit_9(kafka: Kafka, row: Guarantee, stop: tuple[str, str]) -> None:
    """A stop that is not reached within the timeout is exit 9 and what came is printed."""
    topic = kafka.filled(lines(2))
    done = kafka.kdg("consume", topic, *stop, "--timeout", "1500ms", "-g", row.name)
    assert done.code == 9
    assert done.lines == lines(2)
    assert "--timeout" in done.err


def test_what_was_printed_before_the_timeout_is_committed(kafka: Kafka, group: str) -> None:
    topic = kafka.filled(lines(2))
    done = kafka.kdg("consume", topic, "-c", "5", "--timeout", "2s", "-G", group)
    assert done.code == 9
    assert done.lines == lines(2)
    assert kafka.committed(group, topic) == {0: 2}


# ── groups ──


@pytest.mark.parametrize("row", WITH_GROUP, ids=lambda row: row.name)
def test_a_group_goes_on_where_it_stopped(kafka: Kafka, group: str, row: Guarantee) -> None:
    topic = kafka.filled(lines(10))
    args = ["consume", topic, "-G", group, "-e", "-g", row.name]
    assert kafka.ok(*args).lines == lines(10)
    assert kafka.ok(*args).lines == []
    kafka.produce(topic, lines(3, 10))
    assert kafka.ok(*args).lines == lines(3, 10)


def test_two_members_share_and_both_end(kafka: Kafka, group: str) -> None:
    """Two members of a group share its partitions and both end at the end."""
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


@pytest.mark.parametrize("start", ["beginning", "3"])
def test_full_disk_is_exit_1(kafka: Kafka, group: str, start: str) -> None:
    """A full disk is exit 1 and nothing is committed beyond the start."""
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
    """Without a group a reader that has seen enough is no failure."""
    topic = kafka.filled(lines(30_000))
    with kafka.start("consume", topic, "-e", stdout=subprocess.PIPE) as run:
        assert run.process.stdout
        assert run.process.stdout.read(14) == lines(1)[0] + b"\n"
        run.process.stdout.close()
        assert run.end().code == 0


def test_reader_gone_with_a_group_is_exit_141(kafka: Kafka, group: str) -> None:
    """With a group a reader that goes away is exit 141 and nothing it did not take is lost."""
    topic = kafka.filled(lines(30_000))
    args = ["consume", topic, "-e", "-G", group, "--batch-records", "1000"]
    with kafka.start(*args, stdout=subprocess.PIPE) as run:
        assert run.process.stdout
        assert run.process.stdout.read(14) == lines(1)[0] + b"\n"
        run.process.stdout.close()
        done = run.end()
    assert done.code == 141
    # What the pipe had taken when its reader went away is lost, and kdg warned of it; the batch that failed is not committed.
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
