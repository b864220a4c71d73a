"""Partitions move while a transaction is open: it is settled or dropped, and never committed by a former owner."""

from __future__ import annotations

import subprocess

import pytest

from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, Guarantee
from tests.support.hazards import LONG, PARTITIONS, Feeder, Hazards
from tests.support.processes import QUICK_GROUP, QUICK_TRANSACTION, lines
from tests.support.proxy import Api
from tests.support.waiting import eventually

PROTOCOLS = {
    "eager": ("-X", "partition.assignment.strategy=range", *QUICK_GROUP),
    "cooperative": ("-X", "partition.assignment.strategy=cooperative-sticky", *QUICK_GROUP),
    "kip848": ("-X", "group.protocol=consumer"),
}
each_protocol = pytest.mark.parametrize("protocol", PROTOCOLS)
MANY = 50_000
"""More records than fit into a pipe."""
OUT_OF_POLL = ("-X", "session.timeout.ms=1000", "-X", "max.poll.interval.ms=1000", "-X", "heartbeat.interval.ms=300")


def _share(kafka: Hazards, group: str, protocol: str) -> tuple[list[list[bytes | None]], int]:
    """A second and a third pipe join one with an open transaction, which is killed.

    The records of each partition of the output, and how many records were sent.
    """
    source, target = kafka.topic(PARTITIONS), kafka.topic(PARTITIONS)
    args = ["pipe", source, target, "-g", "eos", "-G", group, "--keep-partition", *LONG]
    args += [*PROTOCOLS[protocol], *QUICK_TRANSACTION]
    with Feeder(kafka, source) as feeder, kafka.running(*args) as one:
        assert eventually(lambda: kafka.is_open(target))
        with kafka.running(*args) as two:
            assert eventually(lambda: kafka.members(group) == 2)
            with kafka.running(*args) as three:
                assert eventually(lambda: kafka.members(group) == 3)
                assert eventually(lambda: kafka.is_open(target))
                one.kill()
                assert eventually(lambda: kafka.members(group) == 2)
                feeder.stop()
                assert eventually(lambda: sum(kafka.committed(group, source).values()) >= feeder.sent)
                for run in (two, three):
                    run.signal(15)
                assert [run.end(10).code for run in (two, three)] == [-15, -15]
    kafka.settled_values(target)
    records = kafka.records(target)
    return [[r.value for r in records if r.partition == p] for p in range(PARTITIONS)], feeder.sent


@each_protocol
def test_pipes_joining_and_killed_keep_each_record_once(kafka: Hazards, group: str, protocol: str) -> None:
    """Pipes that join, and are killed with a transaction open, write each record once and in order."""
    outputs, sent = _share(kafka, group, protocol)
    assert outputs == [lines(sent)[p::PARTITIONS] for p in range(PARTITIONS)]


def _out_of_poll(kafka: Hazards, group: str) -> list[bytes | None]:
    """The output of a pipe that waits for acknowledgements beyond max.poll.interval.ms, and of its successor."""
    source, target = kafka.filled(lines(3)), kafka.topic()
    args = ["pipe", source, target, "-g", "eos", "-G", group, *OUT_OF_POLL]
    held = kafka.proxy.hold(Api.PRODUCE, group.encode())
    with kafka.running(*args) as older:
        held.wait()
        with kafka.running(*args) as newer:
            assert eventually(lambda: kafka.committed(group, source) == {0: 3})
            held.release()
            kafka.produce(source, lines(3, 3))
            assert eventually(lambda: kafka.committed(group, source) == {0: 6})
            for run in (older, newer):
                run.signal(15)
            assert [run.end(10).code for run in (older, newer)] == [-15, -15]
    return kafka.settled_values(target)


def test_what_another_took_over_is_dropped(kafka: Hazards, group: str) -> None:
    """A pipe drops the records that it still holds when another has taken over (hazard 4)."""
    assert _out_of_poll(kafka, group) == lines(6)


def _join(kafka: Hazards, group: str, protocol: str, mutant: str = "") -> tuple[list[bytes | None], list[bytes]]:
    """A second pipe joins one with an open transaction, reads on, and both end. The output and the input."""
    source, target = kafka.topic(PARTITIONS), kafka.topic(PARTITIONS)
    args = ["pipe", source, target, "-g", "eos", "-G", group, "--keep-partition", *PROTOCOLS[protocol]]
    args += ["-X", "transaction.timeout.ms=120000"]
    first = [*args, "--batch-interval", "90s", "--batch-records", "1000000", "--transactional-id", f"{group}-one"]
    with Feeder(kafka, source) as feeder, kafka.running(*first, mutant=mutant) as one:
        assert eventually(lambda: kafka.is_open(target))
        writing = kafka.proxy.hold(Api.ADD_PARTITIONS_TO_TXN, f"{group}-two".encode())
        with kafka.running(*args, *LONG, "--transactional-id", f"{group}-two", mutant=mutant) as two:
            writing.wait().release()
            feeder.stop()
            for run in (one, two):
                run.signal(15)
            assert [run.end(10).code for run in (one, two)] == [-15, -15]
    kafka.ok(*args, "-e")
    return kafka.settled_values(target), lines(feeder.sent)


@each_protocol
def test_open_transaction_is_settled_on_revoke(kafka: Hazards, group: str, protocol: str) -> None:
    """A transaction that is open when partitions are revoked is settled before they leave (hazard 4)."""
    seen, sent = _join(kafka, group, protocol)
    assert sorted(filter(None, seen)) == sent


@pytest.mark.parametrize("protocol", ["eager"])  # with the other protocols the interleaving does not come every time
def test_mutant_no_settling_on_revoke(kafka: Hazards, group: str, protocol: str) -> None:
    """Without settling on revoke, and with metadata taken late, records are duplicated."""
    seen, sent = _join(kafka, group, protocol, "unsettled-and-late")
    assert sorted(filter(None, seen)) != sent


@pytest.mark.parametrize("guarantee", [AT_MOST_ONCE, AT_LEAST_ONCE], ids=lambda guarantee: guarantee.short)
def test_blocked_consumer_stays_a_member_and_loses_nothing(kafka: Hazards, group: str, guarantee: Guarantee) -> None:
    """A consumer that its reader blocks for longer than max.poll.interval.ms stays a member, and loses nothing."""
    sent = lines(MANY)
    source = kafka.filled(sent, 2)
    args = ["consume", source, "-g", guarantee.name, "-G", group, *OUT_OF_POLL]
    with kafka.start(*args, stdout=subprocess.PIPE) as run:
        assert run.process.stdout is not None
        assert eventually(lambda: kafka.members(group) == 1)
        # The pipe is full. Without polls the group would expel the member after one second.
        assert not eventually(lambda: kafka.members(group) == 0, 4.0)
        seen: set[bytes] = set()
        while len(seen) < len(sent):
            seen.add(run.process.stdout.readline()[:-1])
        assert kafka.members(group) == 1
        assert eventually(lambda: sum(kafka.committed(group, source).values()) == len(sent))
        run.signal(15)
        assert run.end(10).code == -15
    assert seen == set(sent)


def test_topic_of_a_thousand_partitions(kafka: Hazards, group: str) -> None:
    """A topic of a thousand partitions is read and piped like any other."""
    sent = lines(3000)
    source, target = kafka.filled(sent, 1000), kafka.topic()
    for protocol in ("classic", "consumer"):
        named = f"{group}-{protocol}"
        kafka.ok("pipe", source, target, "-g", "eos", "-G", named, "-e", "-X", f"group.protocol={protocol}")
        assert sum(kafka.committed(named, source).values()) == len(sent)
    assert sorted(filter(None, kafka.settled_values(target))) == sorted([*sent, *sent])
