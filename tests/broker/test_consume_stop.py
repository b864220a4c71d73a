"""`kdg consume` on a real broker: where it stops, by `-c`, `-e`, `--until`, `--idle-timeout` and `--timeout`."""

from __future__ import annotations

import time

import pytest

from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, GUARANTEES, Guarantee
from tests.support.kafka import Kafka
from tests.support.processes import lines, text
from tests.support.waiting import eventually

IDS = [guarantee.name for guarantee in GUARANTEES]
WITH_GROUP = [AT_MOST_ONCE, AT_LEAST_ONCE]


@pytest.mark.parametrize("guarantee", WITH_GROUP, ids=lambda guarantee: guarantee.name)
def test_c_5_prints_exactly_five_and_commits_exactly_five(kafka: Kafka, group: str, guarantee: Guarantee) -> None:
    topic = kafka.filled(lines(40), 4)
    args = ["consume", topic, "-G", group, "-c", "5", "-g", guarantee.name]
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
    """`-e` also ends in a topic that holds only markers and aborted records (hazard 10)."""
    topic = kafka.topic()
    producer = kafka.transaction()
    producer.produce(topic, b"aborted")
    producer.flush(30)
    producer.abort_transaction(30)
    for options in ([], ["-G", group]):
        assert kafka.ok("consume", topic, "-e", *options).out == b""
    assert kafka.committed(group, topic) == {0: 2}


@pytest.mark.parametrize("guarantee", GUARANTEES, ids=IDS)
def test_e_behind_an_open_transaction_waits_for_it_and_says_so(kafka: Kafka, guarantee: Guarantee) -> None:
    topic = kafka.filled([b"before"])
    producer = kafka.transaction()
    producer.produce(topic, b"inside")
    producer.flush(30)
    kafka.produce(topic, [b"behind"])
    with kafka.start("consume", topic, "-e", "-g", guarantee.name) as run:
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
    """`--until` a time in the past ends before the first record of that time."""
    topic = kafka.topic()
    base = int(time.time() * 1000) - 3_600_000
    for number in range(4):
        kafka.produce(topic, [b"%d" % number], timestamp=base + number * 1000)
    for options in ([], ["-G", group]):
        assert kafka.ok("consume", topic, "--until", str(base + 2000), *options).out == b"0\n1\n"
    assert kafka.committed(group, topic) == {0: 2}


def test_times_relative_to_now(kafka: Kafka, group: str) -> None:
    """`-o s@-1h` begins an hour ago, and `--until now` ends with what is there."""
    topic = kafka.topic()
    now = int(time.time() * 1000)
    for number, hours in enumerate((3, 2, -1)):
        kafka.produce(topic, [b"%d" % number], timestamp=now - hours * 3_600_000)
    assert kafka.ok("consume", topic, "-o", "s@-2.5h", "-G", group, "--until", "now", timeout=20).out == b"1\n"
    assert kafka.committed(group, topic) == {0: 2}


def test_a_time_in_seconds_is_refused(kafka: Kafka) -> None:
    """Read as milliseconds it would be a day in 1970: everything would be read, or nothing."""
    topic = kafka.filled(lines(3))
    for option, word in (("-o", f"s@{int(time.time())}"), ("--until", "20261124"), ("-o", "s@1969-12-31")):
        done = kafka.kdg("consume", topic, "-e" if option == "-o" else "-q", option, word)
        assert (done.code, done.out, word in done.err) == (2, b"", True), done.err


def test_until_a_future_time(kafka: Kafka, group: str) -> None:
    """`--until` a time in the future ends when it comes, and does not read later records."""
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


@pytest.mark.parametrize("guarantee", GUARANTEES, ids=IDS)
@pytest.mark.parametrize("stop", [("-c", "5"), ("--until", "2999-01-01")])
def test_stop_not_reached_is_exit_9(kafka: Kafka, guarantee: Guarantee, stop: tuple[str, str]) -> None:
    """If the stop is not reached within the timeout, the exit code is 9, and the records that came are printed."""
    topic = kafka.filled(lines(2))
    done = kafka.kdg("consume", topic, *stop, "--timeout", "1500ms", "-g", guarantee.name)
    assert done.code == 9
    assert done.lines == lines(2)
    assert "--timeout" in done.err


def test_what_was_printed_before_the_timeout_is_committed(kafka: Kafka, group: str) -> None:
    topic = kafka.filled(lines(2))
    done = kafka.kdg("consume", topic, "-c", "5", "--timeout", "2s", "-G", group)
    assert done.code == 9
    assert done.lines == lines(2)
    assert kafka.committed(group, topic) == {0: 2}
