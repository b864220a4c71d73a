"""A real broker refuses records: only these are not delivered, they are named, and the others keep their order."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from kdg.core.ports import carry_out
from kdg.core.records import Batch
from kdg.kafka import undelivered_records
from kdg.kafka.producer import ProducerHandle
from kdg.kafka.target import KafkaTarget
from kdg.kafka.undelivered_records import UndeliveredRecord
from kdg.runs.clients import LibraryClients
from kdg.runtime.deadline import Deadline, NoSignals
from kdg.sandbox import Sandbox
from tests.support.kafka import Kafka
from tests.support.processes import lines, text
from tests.support.waiting import eventually

COMPACT: dict[str, Any] = {"cleanup_policy": "compact"}
LONG_AGO: dict[str, Any] = {"message_timestamp_before_max_ms": "3600000"}
SMALL: dict[str, Any] = {"max_message_bytes": "10000"}


@pytest.mark.parametrize("options", [(), ("--acks", "leader"), ("-z", "gzip")], ids=["all", "leader", "gzip"])
def test_batch_too_large_for_the_topic_is_halved(kafka: Kafka, options: tuple[str, ...]) -> None:
    """At-least-once: records that fit arrive, once and in order, although the client's batches do not fit."""
    topic = kafka.topic(**SMALL)
    sent = [b"%06d" % number + b"x" * 94 for number in range(50_000)]
    kafka.ok("produce", topic, "-q", *options, input=text(sent))  # with -q, nobody looks the limit up
    arrived = kafka.values(topic)
    assert sorted(filter(None, arrived)) == sent
    if options != ("--acks", "leader"):
        assert arrived == sent


REFUSED_LINES: dict[str, tuple[dict[str, Any], Callable[[int], bytes], tuple[str, ...]]] = {
    "no key": (COMPACT, lambda number: b"%06d" % number, ("-K", ":")),
    "timestamp": (LONG_AGO, lambda number: b'{"key":"k","value":"%06d","timestamp":0}' % number, ("-J",)),
    "size": (SMALL, lambda number: b"k:%06d" % number + b"x" * 20_000, ("-K", ":")),
}


@pytest.mark.parametrize("why", REFUSED_LINES)
@pytest.mark.parametrize("every", [100, 5000])
def test_only_refused_records_are_undelivered(kafka: Kafka, tmp_path: Path, why: str, every: int) -> None:
    """One record in a hundred, or two in ten thousand: the others arrive in order, those are named and kept."""
    config, bad, options = REFUSED_LINES[why]
    topic, kept, count = kafka.topic(3, **config), tmp_path / "kept", 10_000 if every > 1000 else 3000
    good = b'{"key":"k%d","value":"%06d"}' if "-J" in options else b"k%d:%06d"
    sent = [bad(number) if number % every == 57 else good % (number % 9, number) for number in range(count)]
    refused = [line for number, line in enumerate(sent) if number % every == 57]
    done = kafka.kdg("produce", topic, *options, "--undelivered", str(kept), input=text(sent), timeout=120)
    assert done.code == 3
    assert f"{len(refused)} records were not delivered, such as line 58, a record of" in done.err
    of_partition: dict[int, list[bytes]] = {}
    for record in kafka.records(topic):
        of_partition.setdefault(record.partition, []).append(record.value or b"")
    assert all(values == sorted(values) for values in of_partition.values())
    numbers = sorted(int(value) for values in of_partition.values() for value in values)
    assert numbers == [number for number in range(count) if number % every != 57]
    if why != "timestamp":  # the others may change places between partitions
        assert sorted(kept.read_bytes().splitlines()) == sorted(refused)
    assert len(kept.read_bytes().splitlines()) == len(refused)
    again = kafka.kdg("produce", topic, str(kept), *options, timeout=120)
    assert again.code == 3
    assert f"{len(refused)} records were not delivered, such as line 1, " in again.err
    assert len(kafka.values(topic)) == len(numbers)


def test_record_sent_again_keeps_headers_and_timestamp(kafka: Kafka) -> None:
    """What a delivery report does not say of a record is sent again with it."""
    topic = kafka.topic(**SMALL)
    rows = [
        {"key": "k", "value": f"{n:06}" + "x" * 90, "headers": [["n", str(n)], ["n", None]], "timestamp": 10**12 + n}
        for n in range(1000)
    ]
    kafka.ok("produce", topic, "-J", input=text(json.dumps(row).encode() for row in rows))
    seen = [(r.timestamp - 10**12, r.headers, r.value) for r in kafka.records(topic)]
    assert seen == [(n, [("n", b"%d" % n), ("n", None)], b"%06d" % n + b"x" * 90) for n in range(1000)]


def test_order_test_notices_a_sender_without_order(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the setting that stops the producer, or with another order of sending again, order is lost."""
    topic = kafka.topic(**SMALL)

    real = undelivered_records.of_reports
    monkeypatch.setattr("kdg.kafka.delivery.of_reports", lambda reports: real(reports)[::-1])
    settings = {"bootstrap.servers": kafka.bootstrap, "acks": "all", "enable.idempotence": "true"}
    handle = ProducerHandle(settings, LibraryClients())
    failed: list[UndeliveredRecord] = []

    def keep(records: Sequence[UndeliveredRecord]) -> None:
        failed.extend(records)

    target = KafkaTarget(handle, topic, Deadline(NoSignals()), keep, sends_again=True)
    sent = [b"%06d" % number + b"x" * 94 for number in range(1000)]
    carry_out(target.write(Batch(values=sent)))
    carry_out(target.flush())
    arrived = kafka.values(topic)
    assert not failed
    assert sorted(filter(None, arrived)) == sent
    assert arrived != sent


def test_pipe_stops_before_a_refused_record(kafka: Kafka, group: str) -> None:
    """A pipe names the record that the target does not take, settles what comes before, and doubles nothing there."""
    source, target = kafka.topic(2), kafka.topic(2, **SMALL)
    values = [b"%06d" % number + (b"x" * 20_000 if number == 701 else b"x" * 50) for number in range(1000)]
    kafka.produce(source, values, partitions=2)
    place = f"{source}[1]@350"
    for _start in range(3):
        before = len(kafka.values(target))
        done = kafka.kdg("pipe", source, target, "-G", group, "-e", "--keep-partition")
        assert done.code == 3, done
        assert place in done.err
        assert f", wrote {len(kafka.values(target)) - before} to {target}" in done.err
        assert kafka.committed(group, source)[1] == 350
    arrived = [record for record in kafka.records(target) if record.partition == 1]
    assert [record.value for record in arrived] == values[1:701:2]
    command = done.err.split("leave the record out: ")[1].strip().splitlines()[0]
    assert command.startswith("-- jq -c 'select(")
    select = command.removeprefix("-- jq -c ").strip("'")
    kafka.ok("pipe", source, target, "-G", group, "-e", "--keep-partition", "--", "jq", "-c", select)
    assert sorted({record.value or b"" for record in kafka.records(target)}) == sorted(
        v for v in values if len(v) < 100
    )


@pytest.mark.parametrize("guarantee", ["alo", "eos"])
def test_refused_record_of_a_command_names_its_batch(kafka: Kafka, group: str, guarantee: str) -> None:
    """`pipe -- CMD`: only CMD knows from which record it made this one, but the batch is known; the counts are true."""
    source = kafka.filled([b"%03d" % n + b"x" * (20_000 if n == 7 else 50) for n in range(10)])
    topic = kafka.topic(**SMALL)
    done = kafka.kdg("pipe", source, topic, "-G", group, "-g", guarantee, "-e", "--", "jq", "-c", ".")
    assert done.code == (3 if guarantee == "alo" else 4), done
    assert f"record 8 printed by jq from {source}[0] offsets 0 to 9, a record of 20003 bytes" in done.err
    if guarantee == "alo":
        assert f"read 10, wrote {len(kafka.values(topic))} to {topic}" in done.err
        assert kafka.committed(group, source) == {0: 0}


def test_pipe_counts_what_was_delivered(group: str) -> None:
    """The target's broker goes away: the summary counts the records that were delivered before."""
    with Sandbox() as sandbox:
        kafka = Kafka(sandbox.bootstrap)
        source, target = kafka.filled(lines(20)), kafka.topic()
        slow = ("-X", "message.timeout.ms=3000", "--batch-records", "1", "--", "sh", "-c", "cat; sleep 0.5")
        with kafka.start("pipe", source, target, "-G", group, *slow) as run:
            assert eventually(lambda: len(kafka.values(target)) > 2)
            sandbox.brokers[0].pause()
            done = run.end(60)
            sandbox.brokers[0].resume()
        assert done.code == 3, done
        settled = kafka.committed(group, source)[0]
        counted = re.search(r"read (\d+), wrote (\d+) to", done.err)
        assert counted is not None
        assert settled <= int(counted[2]) < int(counted[1]) <= settled + 1


def test_pipe_into_a_topic_of_small_batches(kafka: Kafka, group: str) -> None:
    """At-least-once: a pipe into a topic that refuses the client's batches ends with 0, nothing lost or doubled."""
    values = [b"%06d" % number + b"x" * 94 for number in range(5000)]
    source, target = kafka.filled(values), kafka.topic(**SMALL)
    kafka.ok("pipe", source, target, "-G", group, "-e")
    assert kafka.values(target) == values


def test_timestamp_zero_stays_in_1970(kafka: Kafka, group: str) -> None:
    """The client cannot send timestamp 0: it becomes 1, and the user reads of it."""
    topic, copy = kafka.topic(), kafka.topic()
    done = kafka.ok(
        "produce", topic, "-J", input=b'{"value":"a","timestamp":0}\n{"value":"b"}\n{"value":"c","timestamp":7}\n'
    )
    times = [record.timestamp for record in kafka.records(topic)]
    assert (times[0], times[2]) == (1, 7)
    assert times[1] > 10**12
    assert "timestamp 0 (1970-01-01T00:00:00.000Z)" in done.err
    kafka.ok("pipe", topic, copy, "-G", group, "-e")
    assert [record.timestamp for record in kafka.records(copy)] == times


def test_header_name_that_is_not_utf8_stops_the_pipe(kafka: Kafka, group: str) -> None:
    """The client cannot return such a header: what comes before it is settled, its place and a way on are named."""
    source, target = kafka.topic(), kafka.topic()
    for value, options in ((b"a", []), (b"b", [b"-H", b"\xff\xfe=1"]), (b"c", [])):
        subprocess.run(["kcat", "-P", "-b", kafka.bootstrap, "-t", source, *options], input=value, check=True)
    for _start in range(2):
        done = kafka.kdg("pipe", source, target, "-G", group, "-e")
        assert done.code == 1, done
        assert f"{source}[0]@1 has a header whose name is not UTF-8" in done.err
        assert "defect" not in done.err
        assert kafka.committed(group, source) == {0: 1}
    assert kafka.values(target) == [b"a"]
    look = done.err.split("see its value: kdg ")[1].split(". To go on")[0]
    assert kafka.ok(*look.split()).out == b"b\n"
    kafka.ok("consume", source, "-G", f"{group}-2", "-e")
    assert kafka.kdg("consume", source, "-J", "-e").code == 1


def test_header_name_that_is_not_utf8_is_refused(kafka: Kafka) -> None:
    """The client would crash on such a name."""
    done = kafka.kdg("produce", kafka.topic(), "-H", "\udcff=1", input=b"a\n")
    assert done.code == 2
    assert "not UTF-8" in done.err


@pytest.mark.parametrize("why", REFUSED_LINES)
@pytest.mark.parametrize("options", [("-q",), ("--resume", "NAME")], ids=["whole", "resume"])
def test_exactly_once_names_the_refused_record(kafka: Kafka, group: str, why: str, options: tuple[str, ...]) -> None:
    """Exactly-once: the record that is refused alone is named with its line, and nothing of its batch is visible."""
    config, bad, form = REFUSED_LINES[why]
    topic = kafka.topic(**config)
    good = b'{"key":"k%d","value":"%06d"}' if "-J" in form else b"k%d:%06d"
    sent = [bad(number) if number == 333 else good % (number % 9, number) for number in range(1000)]
    options = tuple(group if option == "NAME" else option for option in options)
    done = kafka.kdg("produce", topic, "-g", "eos", *options, *form, input=text(sent), timeout=120)
    assert done.code == 4, done
    assert f"{topic} does not take line 334, a record of " in done.err
    assert kafka.settled_values(topic) == []


def test_exactly_once_pipe_names_the_refused_record(kafka: Kafka, group: str) -> None:
    """Exactly-once: a pipe names the place of the record and how to leave it out; without it, all arrive once."""
    source, target = kafka.topic(), kafka.topic(**SMALL)
    values = [b"%06d" % number + (b"x" * 20_000 if number == 701 else b"x" * 50) for number in range(1000)]
    kafka.produce(source, values)
    done = kafka.kdg("pipe", source, target, "-G", group, "-g", "eos", "-e")
    assert done.code == 4, done
    assert f"{target} does not take {source}[0]@701, a record of 20006 bytes" in done.err
    select = done.err.split("leave the record out: -- jq -c ")[1].splitlines()[0].strip("'")
    kafka.ok("pipe", source, target, "-G", group, "-g", "eos", "-e", "--", "jq", "-c", select)
    assert kafka.settled_values(target) == [value for value in values if len(value) < 100]


def test_exactly_once_into_a_topic_of_small_batches(kafka: Kafka) -> None:
    """Exactly-once: batches fit the topic's limit; if nobody has looked it up, the message says which size fits."""
    sent = [b"%06d" % number + b"x" * 94 for number in range(3000)]
    topic = kafka.topic(**SMALL)
    kafka.ok("produce", topic, "-g", "eos", input=text(sent))
    assert kafka.settled_values(topic) == sent
    topic = kafka.topic(**SMALL)
    done = kafka.kdg("produce", topic, "-g", "eos", "-q", input=text(sent))
    assert done.code == 4
    size = done.err.split("Use smaller batches: -X ")[1].split()[0]
    assert kafka.settled_values(topic) == []
    kafka.ok("produce", topic, "-g", "eos", "-q", "-X", size, input=text(sent))
    assert kafka.settled_values(topic) == sent
