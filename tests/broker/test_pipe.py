"""`kdg pipe` on a real broker: what it keeps of a record, what it settles, and how instances share and take over."""

from __future__ import annotations

import time

import pytest

from kdg.core.guarantees import GUARANTEES, Guarantee
from tests.support.kafka import Kafka
from tests.support.processes import QUICK_GROUP, QUICK_TRANSACTION, lines
from tests.support.waiting import eventually

IDS = [row.name for row in GUARANTEES]
each_guarantee = pytest.mark.parametrize("row", GUARANTEES, ids=IDS)


@each_guarantee
def test_pipe_keeps_whole_records(kafka: Kafka, group: str, row: Guarantee) -> None:
    """Key, value, headers and timestamp are kept; null stays null, and empty stays empty."""
    source, target = kafka.topic(), kafka.topic()
    now = int(time.time() * 1000) - 5000
    shapes: list[tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]] = [
        (b"k", b"v", [("b", b"1"), ("a", b"2"), ("b", b"3"), ("a", None)]),
        (None, None, []),
        (b"", b"", [("", b"")]),
        (b"tombstone", None, [("h", b"\xff\0")]),
        (b"\xff\0", b"\0\n\xff", []),
    ]
    for number, (key, value, headers) in enumerate(shapes):
        kafka.produce(source, [value], key=key, headers=headers, timestamp=now + number)
    kafka.ok("pipe", source, target, "-g", row.name, "-G", group, "-e")
    assert [record[2:] for record in kafka.records(target)] == [record[2:] for record in kafka.records(source)]
    assert kafka.committed(group, source) == {0: len(shapes)}


@each_guarantee
def test_records_keep_their_partition_when_asked(kafka: Kafka, group: str, row: Guarantee) -> None:
    source, target = kafka.filled(lines(30), 3), kafka.topic(3)
    kafka.ok("pipe", source, target, "-g", row.name, "-G", group, "-e", "--keep-partition")
    assert [record[:1] + record[2:4] for record in kafka.records(target)] == [
        record[:1] + record[2:4] for record in kafka.records(source)
    ]


@each_guarantee
def test_c_copies_exactly_as_many_and_the_next_run_goes_on(kafka: Kafka, group: str, row: Guarantee) -> None:
    source, target = kafka.filled(lines(20)), kafka.topic()
    args = ["pipe", source, target, "-g", row.name, "-G", group]
    kafka.ok(*args, "-c", "7")
    assert kafka.settled_values(target) == lines(7)
    assert kafka.committed(group, source) == {0: 7}
    kafka.ok(*args, "-e")
    assert kafka.settled_values(target) == lines(20)


@each_guarantee
def test_it_starts_where_o_says_when_the_group_has_no_position(kafka: Kafka, group: str, row: Guarantee) -> None:
    source, target = kafka.filled(lines(20)), kafka.topic()
    kafka.ok("pipe", source, target, "-g", row.name, "-G", group, "-e", "-o", "-5")
    assert kafka.settled_values(target) == lines(5, 15)


@each_guarantee
def test_pipe_skips_aborted_records(kafka: Kafka, group: str, row: Guarantee) -> None:
    """Records of an aborted transaction are not copied, and the position moves past them."""
    source, target = kafka.filled([b"a"]), kafka.topic()
    producer = kafka.transaction()
    producer.produce(source, b"aborted")
    producer.flush(30)
    producer.abort_transaction(30)
    kafka.ok("pipe", source, target, "-g", row.name, "-G", group, "-e")
    assert kafka.settled_values(target) == [b"a"]
    assert kafka.committed(group, source) == {0: 3}


@each_guarantee
def test_refused_record_is_named_by_pipe(kafka: Kafka, group: str, row: Guarantee) -> None:
    """A record that the target refuses is named; only at-most-once skips it."""
    source, target = kafka.filled([b"a", b"x" * 500_000, b"b"]), kafka.topic(max_message_bytes="100000")
    done = kafka.kdg("pipe", source, target, "-g", row.name, "-G", group, "-e")
    if row.may_lose:
        return  # acks=0: the broker's refusal is not seen, as the row says
    assert done.code == (4 if row.transactional else 3)
    assert "Message size too large" in done.err
    assert kafka.committed(group, source).get(0, 0) <= 1
    assert row.may_duplicate or kafka.settled_values(target) == []


@each_guarantee
def test_a_topic_that_is_not_there_is_exit_8_and_is_not_made(kafka: Kafka, group: str, row: Guarantee) -> None:
    topic = kafka.filled([b"a"])
    for args in (["pipe", topic, "absent-target"], ["pipe", "absent-source", topic]):
        done = kafka.kdg(*args, "-g", row.name, "-G", group, "-e")
        assert done.code == 8
        assert "no such topic: absent" in done.err
    assert kafka.committed(group, topic) == {}
    assert not kafka.exists("absent-target")
    assert not kafka.exists("absent-source")


@each_guarantee
def test_three_instances_and_one_killed(kafka: Kafka, group: str, row: Guarantee) -> None:
    """Three instances share the partitions; when one is killed, the others take over."""
    source, target = kafka.topic(3), kafka.topic()
    args = ["pipe", source, target, "-g", row.name, "-G", group, *QUICK_GROUP]
    args += QUICK_TRANSACTION if row.transactional else ()
    with kafka.start(*args) as one, kafka.start(*args) as two, kafka.start(*args) as three:
        assert eventually(lambda: kafka.members(group) == 3)
        kafka.produce(source, lines(300), 3)
        assert eventually(lambda: len(kafka.values(target)) >= 300)
        one.kill()
        kafka.produce(source, lines(300, 300), 3)
        assert eventually(lambda: sum(kafka.committed(group, source).values()) == 600)
        for run in (two, three):
            run.signal(15)
        assert [run.end(10).code for run in (two, three)] == [-15, -15]
    assert sorted(filter(None, kafka.settled_values(target))) == lines(600)


def test_second_instance_fences_the_first(kafka: Kafka, group: str) -> None:
    """Of two instances with one transactional id the older one exits with 6, and no record is duplicated."""
    source, target = kafka.topic(2), kafka.topic()
    args = ["pipe", source, target, "-g", "eos", "-G", group, "--transactional-id", group, *QUICK_GROUP]
    sent = 0
    with kafka.start(*args) as older:
        kafka.produce(source, lines(2), 2)
        sent = 2
        assert eventually(lambda: len(kafka.values(target)) == 2)
        with kafka.start(*args) as newer:

            def fed_until_the_older_ends() -> bool:
                nonlocal sent
                kafka.produce(source, lines(2, sent), 2)
                sent += 2
                return not older.running

            assert eventually(fed_until_the_older_ends, 20)
            done = older.end()
            assert done.code == 6
            assert "another instance" in done.err
            assert eventually(lambda: len(kafka.values(target)) == sent)
            assert newer.running
            newer.signal(15)
            assert newer.end(10).code == -15
    assert sorted(filter(None, kafka.settled_values(target))) == lines(sent)


def test_second_instance_fences_an_idle_first(kafka: Kafka, group: str) -> None:
    """Of two instances with one transactional id the older one exits with 6, even if it has nothing to do."""
    source, target = kafka.filled(lines(2)), kafka.topic()
    args = ["pipe", source, target, "-g", "eos", "-G", group, "--transactional-id", group, *QUICK_GROUP]
    with kafka.start(*args) as older:
        assert eventually(lambda: kafka.committed(group, source) == {0: 2})
        with kafka.start(*args) as newer:
            assert older.end(20).code == 6
            kafka.produce(source, lines(2, 2))
            assert eventually(lambda: kafka.committed(group, source) == {0: 4})
            newer.signal(15)
            assert newer.end(10).code == -15
    assert kafka.settled_values(target) == lines(4)


def test_killed_instance_is_replaced_within_20_s(kafka: Kafka, group: str) -> None:
    """Under exactly-once, another instance takes over from a killed one within 20 s by default."""
    source, target = kafka.filled(lines(30)), kafka.topic()
    args = ["pipe", source, target, "-g", "eos", "-G", group, "-e", "--batch-records", "10"]
    assert kafka.kdg(*args, "--crash-at", "record-position:2").code == -9
    began = time.monotonic()
    kafka.ok(*args)
    assert time.monotonic() - began < 20 + 3  # and the time to start
    assert kafka.settled_values(target) == lines(30)


def test_named_instance_goes_on_at_once(kafka: Kafka, group: str) -> None:
    """Under exactly-once with a transactional id, the next instance takes over at once."""
    source, target = kafka.filled(lines(30)), kafka.topic()
    args = ["pipe", source, target, "-g", "eos", "-G", group, "-e", "--batch-records", "10", *QUICK_GROUP]
    args += ["--transactional-id", group]
    assert kafka.kdg(*args, "--crash-at", "record-position:2").code == -9
    done = kafka.ok(*args)
    assert done.seconds < 6
    assert kafka.settled_values(target) == lines(30)


def test_a_pipe_into_itself_needs_a_stop(kafka: Kafka, group: str) -> None:
    topic = kafka.filled(lines(3))
    assert kafka.kdg("pipe", topic, topic, "-G", group).code == 2
    kafka.ok("pipe", topic, topic, "-G", group, "-e")
    assert kafka.values(topic) == lines(3) * 2


@each_guarantee
def test_a_timeout_under_steady_flow_settles_what_was_read(kafka: Kafka, group: str, row: Guarantee) -> None:
    """At --timeout there are always records under way. They are settled, and the exit code is that of --timeout."""
    source, target = kafka.topic(), kafka.topic()
    flow = "while seq 3000; do sleep 0.05; done"  # ends with its reader, which is killed
    with kafka.start("produce", source, "-q", "--", "sh", "-c", flow):
        done = kafka.kdg("pipe", source, target, "-G", group, "-g", row.name, "--timeout", "3s")
    assert done.code == 9, done.err
    position = kafka.committed(group, source)[0]
    assert position > 3000
    copied = kafka.settled_values(target)
    assert len(copied) == position
    assert copied == kafka.values(source)[:position]
