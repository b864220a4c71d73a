"""Instances that are stopped for too long: their transaction times out, or others take over, and then they go on."""

from __future__ import annotations

import signal

import pytest

from kdg.core.guarantees import AT_LEAST_ONCE, EXACTLY_ONCE, Guarantee
from tests.support.hazards import LONG, PARTITIONS, Feeder, Hazards
from tests.support.processes import QUICK_GROUP, QUICK_TRANSACTION, lines
from tests.support.proxy import Api
from tests.support.waiting import eventually

BOTH = pytest.mark.parametrize("guarantee", [AT_LEAST_ONCE, EXACTLY_ONCE], ids=lambda guarantee: guarantee.short)


@BOTH
def test_frozen_pipe_loses_nothing_when_it_wakes(kafka: Hazards, group: str, guarantee: Guarantee) -> None:
    """A pipe whose partitions were taken over while it was frozen loses nothing when it wakes up."""
    source, target = kafka.topic(PARTITIONS), kafka.topic(PARTITIONS)
    args = ["pipe", source, target, "-g", guarantee.name, "-G", group, "--keep-partition", *QUICK_GROUP]
    args += QUICK_TRANSACTION if guarantee.transactional else ()
    with Feeder(kafka, source) as feeder, kafka.running(*args, *LONG) as older:
        assert eventually(lambda: sum(kafka.ends(target).values()) > 0)
        older.signal(signal.SIGSTOP)
        with kafka.running(*args) as newer:
            assert eventually(lambda: all(kafka.committed(group, source).get(p, 0) > 0 for p in range(PARTITIONS)))
            older.signal(signal.SIGCONT)
            assert eventually(lambda: kafka.members(group) == 2)
            feeder.stop()
            assert eventually(lambda: sum(kafka.committed(group, source).values()) == feeder.sent)
            for run in (older, newer):
                run.signal(signal.SIGTERM)
            assert [run.end(10).code for run in (older, newer)] == [-15, -15]
    seen = kafka.settled_values(target)
    assert set(seen) == set(lines(feeder.sent))
    assert guarantee.may_duplicate or len(seen) == feeder.sent


def test_frozen_consumer_loses_nothing_when_it_wakes(kafka: Hazards, group: str) -> None:
    """A consumer whose partitions were taken over while it was frozen loses nothing when it wakes up."""
    source = kafka.topic(PARTITIONS)
    args = ["consume", source, "-G", group, *QUICK_GROUP]
    with Feeder(kafka, source) as feeder, kafka.running(*args, *LONG) as older:
        assert eventually(lambda: older.out != b"")
        older.signal(signal.SIGSTOP)
        with kafka.running(*args) as newer:
            assert eventually(lambda: all(kafka.committed(group, source).get(p, 0) > 0 for p in range(PARTITIONS)))
            older.signal(signal.SIGCONT)
            assert eventually(lambda: kafka.members(group) == 2)
            feeder.stop()
            assert eventually(lambda: sum(kafka.committed(group, source).values()) == feeder.sent)
            for run in (older, newer):
                run.signal(signal.SIGTERM)
            done = [run.end(10) for run in (older, newer)]
    assert [each.code for each in done] == [-15, -15]
    assert {*done[0].lines, *done[1].lines} == set(lines(feeder.sent))


def test_frozen_pipe_outlives_its_transaction(kafka: Hazards, group: str) -> None:
    """A pipe whose transaction timed out while it was frozen goes on and duplicates nothing (hazard 19)."""
    source, target = kafka.topic(PARTITIONS), kafka.topic(PARTITIONS)
    args = ["pipe", source, target, "-g", "eos", "-G", group, *QUICK_GROUP, "-X", "transaction.timeout.ms=1000"]
    with Feeder(kafka, source) as feeder, kafka.running(*args, *LONG) as run:
        assert eventually(lambda: kafka.is_open(target))
        run.signal(signal.SIGSTOP)
        assert eventually(lambda: not kafka.is_open(target))
        feeder.stop()
        run.signal(signal.SIGCONT)
        assert eventually(lambda: sum(kafka.committed(group, source).values()) == feeder.sent), run.err
        run.signal(signal.SIGTERM)
        assert run.end(10).code == -15
    assert sorted(filter(None, kafka.settled_values(target))) == lines(feeder.sent)


@pytest.mark.parametrize("held", [(), LONG], ids=["nothing open", "a transaction open"])
def test_frozen_named_pipe_goes_on(kafka: Hazards, group: str, held: tuple[str, ...]) -> None:
    """A pipe with a transactional id that its group gave up goes on and duplicates nothing (hazard 23)."""
    source, target = kafka.topic(PARTITIONS), kafka.topic(PARTITIONS)
    args = ["pipe", source, target, "-g", "eos", "-G", group, "--transactional-id", group, *QUICK_GROUP, *held]
    with kafka.running(*args) as run:
        with Feeder(kafka, source) as feeder:
            assert eventually(lambda: kafka.is_open(target) if held else bool(kafka.values(target)))
            if not held:
                feeder.stop()
                assert eventually(lambda: sum(kafka.committed(group, source).values()) == feeder.sent)
            run.signal(signal.SIGSTOP)
            assert eventually(lambda: kafka.members(group) == 0)
            run.signal(signal.SIGCONT)
            assert eventually(lambda: kafka.members(group) == 1), run.err
        kafka.produce(source, lines(PARTITIONS, feeder.sent), PARTITIONS)
        sent = feeder.sent + PARTITIONS
        assert eventually(lambda: sum(kafka.committed(group, source).values()) == sent), run.err
        run.signal(signal.SIGTERM)
        assert run.end(10).code == -15
    assert sorted(filter(None, kafka.settled_values(target))) == lines(sent)


@pytest.mark.parametrize("api", [Api.ADD_OFFSETS_TO_TXN, Api.TXN_OFFSET_COMMIT, Api.END_TXN], ids=lambda api: api.name)
def test_frozen_resume_outlives_its_transaction(kafka: Hazards, group: str, api: Api) -> None:
    """A run with --resume whose transaction timed out goes on or says so; the next run duplicates nothing."""
    topic = kafka.topic()
    args = ["produce", topic, "-g", "eos", "--resume", group, "-X", "transaction.timeout.ms=1000"]
    with kafka.fed(*args) as run:
        run.feed(lines(3))
        assert eventually(lambda: kafka.values(topic) == lines(3))
        held = kafka.proxy.hold(api, group.encode())
        run.feed(lines(3, 3))
        held.wait()
        run.signal(signal.SIGSTOP)
        assert eventually(lambda: not kafka.is_open(topic))
        run.signal(signal.SIGCONT)
        held.release()
        done = run.done()
    assert done.code in (0, 4, 5), done
    kafka.ok(*args, input=b"".join(value + b"\n" for value in lines(6)))
    assert kafka.settled_values(topic) == lines(6)
