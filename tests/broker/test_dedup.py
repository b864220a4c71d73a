"""Deduplication on a real broker: records sent twice, kills, crashes at a step.

KDG_SINK_RECORDS=1000000 is the long form.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from kdg.core.guarantees import GUARANTEES
from tests.support.destinations import in_file, in_table
from tests.support.kafka import Kafka
from tests.support.processes import QUICK_GROUP, lines

KILLS = 20
PARTITIONS = 3
each_guarantee = pytest.mark.parametrize("guarantee", GUARANTEES, ids=[each.name for each in GUARANTEES])

RECORDS = int(os.environ.get("KDG_SINK_RECORDS", "30000"))


def sent_twice(kafka: Kafka, topic: str, count: int) -> list[bytes]:
    """Send each record twice under one id: later, and to another partition. Returns the values, each once."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": kafka.bootstrap, "linger.ms": 5})
    for number in range(count + 500):
        for copy, at in ((0, number), (1, number - 500)):
            if 0 <= at < count:
                headers: list[tuple[str, str | bytes | None]] = [("id", b"id-%d" % at)]
                producer.produce(topic, b"record %07d" % at, partition=(at + copy) % PARTITIONS, headers=headers)
        if number % 1000 == 0:
            producer.flush(30)
    assert producer.flush(30) == 0
    return [b"record %07d" % number for number in range(count)]


@pytest.mark.timeout(900)
def test_records_sent_twice_are_stored_once(kafka: Kafka, group: str, tmp_path: Path, moments: random.Random) -> None:
    """Records that were sent twice are in the table once, through three kills."""
    destination, topic = in_table(tmp_path), kafka.topic(PARTITIONS)
    sent = sent_twice(kafka, topic, RECORDS)
    args = ["consume", topic, "-G", group, "-e", "--dedup-by", "header:id", *QUICK_GROUP, *destination.args]
    for _ in range(3):
        before = destination.settled()
        with kafka.start(*args, "--batch-records", "200") as run:
            assert destination.moves_on(before, run)
            time.sleep(moments.uniform(0, 0.1))  # the random moment: nothing is waited for
            run.kill()
    assert len(destination.found()) < len(sent), "the kills have to hit while records flow"
    kafka.ok(*args, timeout=600)
    assert sorted(destination.found()) == sent


def test_dedup_store_drops_across_runs(kafka: Kafka, group: str, tmp_path: Path) -> None:
    """--dedup-store drops duplicates across runs; the summary and the report count them."""
    topic, target, store = kafka.topic(PARTITIONS), kafka.topic(), str(tmp_path / "store")
    sent = sent_twice(kafka, topic, 1000)
    args = ["pipe", topic, target, "-G", group, "--dedup-by", "header:id", "--dedup-store", store, *QUICK_GROUP]
    assert kafka.kdg(*args, "-e", "--batch-records", "300", "--crash-at", "mark:3").code == -9
    done = kafka.ok(*args, "-e", "--report", "-")
    report = json.loads(done.err.splitlines()[-1])
    assert report["read"] == report["written"] + report["duplicates_dropped"]
    assert f"dropped {report['duplicates_dropped']} duplicates" in done.err
    # The last batch was marked as seen but not committed when kdg was killed: it is read again, and dropped.
    assert sorted(filter(None, kafka.values(target))) == sent


@pytest.mark.parametrize(("step", "duplicates"), [("flush:2", 3), ("mark:2", 0)])
def test_crash_between_flush_and_mark(kafka: Kafka, group: str, tmp_path: Path, step: str, duplicates: int) -> None:
    """A crash after the flush duplicates the batch, because it is not marked yet; a crash after the mark does not."""
    topic, destination = kafka.filled(lines(9)), in_file(tmp_path)
    args = ["consume", topic, "-G", group, "-e", "--batch-records", "3", "--dedup-by", "position", *QUICK_GROUP]
    args += ["--dedup-store", str(tmp_path / "store"), *destination.args]
    assert kafka.kdg(*args, "--crash-at", step).code == -9
    kafka.ok(*args)
    found = Counter(destination.found())
    assert sorted(found) == lines(9)
    assert found.total() - len(found) == duplicates


@pytest.mark.parametrize(("by", "step"), [("position", "flush:2"), ("value", "flush:2"), ("value", "write:2")])
def test_sqlite_dedup_survives_a_crash(kafka: Kafka, group: str, tmp_path: Path, by: str, step: str) -> None:
    topic, destination = kafka.filled(lines(9)), in_table(tmp_path)
    args = [
        "consume",
        topic,
        "-G",
        group,
        "-e",
        "--batch-records",
        "3",
        "--dedup-by",
        by,
        *QUICK_GROUP,
        *destination.args,
    ]
    assert kafka.kdg(*args, "--crash-at", step).code == -9
    kafka.ok(*args)
    assert destination.found() == lines(9)
