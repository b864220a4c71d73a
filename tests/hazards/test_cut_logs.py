"""A log that lost acknowledged records and was written again is exit 7, and never a silent skip (hazard 27)."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition

from tests.support.hazards import Hazards
from tests.support.kafka import Kafka
from tests.support.processes import Done, lines
from tests.support.waiting import answered, eventually

COMMANDS = {
    "consume": ("consume", "{source}", "-G", "{group}"),
    "consume-p": ("consume", "{source}", "-G", "{group}", "-p", "0"),
    "pipe-alo": ("pipe", "{source}", "{target}", "-G", "{group}"),
    "pipe-eos": ("pipe", "{source}", "{target}", "-G", "{group}", "-g", "eos"),
    "output": ("consume", "{source}", "-g", "eos", "--output", "{folder}/out"),
    "sqlite": ("consume", "{source}", "-g", "eos", "--sqlite", "{folder}/db"),
}
HEAD = struct.Struct(">qi")
"""The beginning of a batch in a log: its first offset, and the bytes that follow."""


def _command(kafka: Kafka, name: str, source: str, group: str, folder: Path) -> list[str]:
    target = kafka.topic() if name.startswith("pipe") else ""
    words = {"source": source, "group": group, "target": target, "folder": folder}
    return [part.format(**words) for part in COMMANDS[name]] + ["-e", "--timeout", "20s"]


def _batches(kafka: Kafka, topic: str, values: list[bytes]) -> None:
    """These values in batches of five."""
    for first in range(0, len(values), 5):
        kafka.produce(topic, values[first : first + 5])


def _cut(kafka: Hazards, topic: str, offset: int) -> None:
    """The broker loses the end of the log, as in a crash of its machine before the disk had it, and starts again."""
    kafka.broker.kill()
    for log in kafka.broker._node.data.glob(f"{topic}-0/*.log"):  # noqa: SLF001  # where its files are
        data, end = log.read_bytes(), 0
        while end < len(data):
            first, size = HEAD.unpack_from(data, end)
            if first >= offset:
                break
            end += HEAD.size + size
        os.truncate(log, end)
    kafka.restart()
    assert eventually(lambda: answered(lambda: kafka.ends(topic)) == {0: offset})


def _delete_before(kafka: Kafka, topic: str, offset: int) -> None:
    place = TopicPartition(topic, 0, offset)
    # The client has to learn first who leads after the restart.
    answered(lambda: kafka.admin.delete_records([place])[place].result(30))


def _refused(done: Done, name: str) -> None:
    assert done.code == 7, done
    assert "20, but the log was cut off at 10" in done.err, done
    if name == "consume":
        assert "--to-offset 10" in done.err, done


@pytest.mark.usefixtures("repetition")
@pytest.mark.parametrize("name", COMMANDS)
def test_position_beyond_a_cut_log_is_exit_7(kafka: Hazards, group: str, name: str, tmp_path: Path) -> None:
    """Position 20, the log cut off at 10 and written to 25 again: 15 records would be half skipped."""
    topic = kafka.topic()
    _batches(kafka, topic, lines(20))
    command = _command(kafka, name, topic, group, tmp_path)
    kafka.ok(*command)
    if name == "pipe-eos":
        kafka.settled_values(command[2])  # the markers of the transaction are written
    _cut(kafka, topic, 10)
    _batches(kafka, topic, lines(15, 101))
    done = kafka.kdg(*command)
    assert done.out == b""
    _refused(done, name)


@pytest.mark.parametrize("name", ["consume", "pipe-eos", "output"])
def test_log_that_lost_nothing_is_read_on(kafka: Hazards, group: str, name: str, tmp_path: Path) -> None:
    """A new leader epoch alone is nothing: in a log that ends with a commit marker of a newer epoch than its records,
    and in one whose records were all deleted."""
    topic = kafka.topic()
    command = _command(kafka, name, topic, group, tmp_path)
    producer = kafka.transaction()
    for value in lines(5):
        producer.produce(topic, value)
    assert producer.flush(30) == 0
    kafka.broker.kill()
    kafka.restart()
    answered(lambda: producer.commit_transaction(30))
    for round_ in range(2):
        kafka.ok(*command)
        kafka.ok(*command)
        if round_ == 0:
            end = kafka.ends(topic)[0]
            _delete_before(kafka, topic, end)
            kafka.broker.kill()
            kafka.restart()
            answered(lambda: kafka.ends(topic))
    kafka.produce(topic, lines(5, 5))
    done = kafka.ok(*command)
    assert "read 5" in done.err, done
