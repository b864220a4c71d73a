"""Positions whose records are gone, or whose topic was made again, are exit 7 and never a silent skip (hazard 13)."""

from __future__ import annotations

import signal

import pytest
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import NewPartitions, NewTopic  # type: ignore[attr-defined]  # not in its __all__

from tests.support.hazards import Hazards
from tests.support.processes import QUICK_GROUP, lines
from tests.support.waiting import eventually

COMMANDS = {
    "consume": ("-G", "{group}"),
    "consume-alone": (),
    "pipe-alo": ("{target}", "-G", "{group}"),
    "pipe-eos": ("{target}", "-G", "{group}", "-g", "eos"),
}


def _command(kafka: Hazards, name: str, source: str, group: str) -> list[str]:
    target = kafka.topic() if name.startswith("pipe") else ""
    options = [part.format(group=group, target=target) for part in COMMANDS[name]]
    quick = ("-X", "topic.metadata.refresh.interval.ms=500", *QUICK_GROUP)
    return [name.partition("-")[0], source, *options, *quick]


def _made_again(kafka: Hazards, topic: str, records: int) -> None:
    kafka.admin.delete_topics([topic])[topic].result(30)
    assert eventually(lambda: not kafka.exists(topic))

    def made() -> bool:
        try:
            kafka.admin.create_topics([NewTopic(topic, num_partitions=1)])[topic].result(30)
        except KafkaException:  # the old one is still being deleted
            return False
        return True

    assert eventually(made)
    assert eventually(lambda: kafka.exists(topic))
    kafka.produce(topic, lines(records, 1000))


@pytest.mark.parametrize("records", [5, 30], ids=["shorter", "longer"])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_topic_made_again_while_it_is_read_is_exit_7(kafka: Hazards, group: str, name: str, records: int) -> None:
    topic = kafka.filled(lines(15))
    with kafka.running(*_command(kafka, name, topic, group)) as run:
        if "-G" in COMMANDS[name]:
            assert eventually(lambda: kafka.committed(group, topic) == {0: 15})
        else:
            assert eventually(lambda: run.out.count(b"\n") == 15)
        _made_again(kafka, topic, records)
        assert run.end(20).code == 7


@pytest.mark.usefixtures("repetition")
def test_target_made_again_under_a_transaction(kafka: Hazards) -> None:
    """`produce -g exactly-once`: if its topic is made again before the commit, nothing is visible in the new topic."""
    topic = kafka.topic()
    with kafka.fed("produce", topic, "-g", "eos") as run:
        run.feed(lines(1000))
        assert eventually(lambda: kafka.ends(topic) == {0: 1000})
        _made_again(kafka, topic, 0)
        run.feed(lines(1000, 1000))
        done = run.done()
    assert (done.code, kafka.settled_values(topic)) == (7, []), done
    assert "made again" in done.err


@pytest.mark.usefixtures("repetition")
def test_target_of_a_pipe_made_again(kafka: Hazards, group: str) -> None:
    """The same for the target of a pipe: the group's position stays at the last transaction in the former topic."""
    source, target = kafka.filled(lines(10)), kafka.topic()
    with kafka.running("pipe", source, target, "-G", group, "-g", "eos", *QUICK_GROUP) as run:
        assert eventually(lambda: kafka.committed(group, source) == {0: 10})
        run.signal(signal.SIGSTOP)
        _made_again(kafka, target, 0)
        kafka.produce(source, lines(10, 10))
        run.signal(signal.SIGCONT)
        done = run.end()
    assert (done.code, kafka.settled_values(target), kafka.committed(group, source)) == (7, [], {0: 10}), done


@pytest.mark.parametrize("name", ["consume", "pipe-alo", "pipe-eos"])
def test_deleted_records_are_exit_7(kafka: Hazards, group: str, name: str) -> None:
    """Records that were deleted before the group read them are exit 7."""
    topic = kafka.filled(lines(10))
    command = _command(kafka, name, topic, group)
    kafka.ok(*command, "-c", "3")
    for future in kafka.admin.delete_records([TopicPartition(topic, 0, 6)]).values():
        future.result(30)
    done = kafka.kdg(*command, "-e", "--timeout", "10s")
    assert (done.code, kafka.committed(group, topic)) == (7, {0: 3}), done


@pytest.mark.parametrize("name", ["consume", "pipe-eos"])
def test_partition_added_while_reading(kafka: Hazards, group: str, name: str) -> None:
    """A partition that is added while a group reads is read from its beginning (hazard 11)."""
    topic = kafka.filled(lines(3))
    command = _command(kafka, name, topic, group)
    with kafka.running(*command, "-o", "end") as run:
        assert eventually(lambda: kafka.committed(group, topic) == {0: 3})
        run.signal(signal.SIGSTOP)  # so that there are records in the partition when kdg notices it
        kafka.admin.create_partitions([NewPartitions(topic, 2)])[topic].result(30)
        assert eventually(lambda: len(kafka.ends(topic)) == 2)
        kafka.produce(topic, lines(6, 3), 2)
        run.signal(signal.SIGCONT)
        assert eventually(lambda: kafka.committed(group, topic) == {0: 6, 1: 3})
        run.signal(15)
        done = run.end(10)
        assert done.code == -15
    seen = kafka.settled_values(command[2]) if name.startswith("pipe") else done.lines
    assert sorted(filter(None, seen)) == lines(6, 3)
