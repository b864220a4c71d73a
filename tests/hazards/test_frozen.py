"""Instances that stand still for too long: their transaction times out, or others take over, and then they wake up."""

from __future__ import annotations

import signal

import pytest

from kdg.guarantees import AT_LEAST_ONCE, EXACTLY_ONCE, Guarantee

from .proxy import Api
from .support import LONG, PARTITIONS, QUICK_GROUP, QUICK_TRANSACTION, Feeder, Hazards, eventually, lines

BOTH = pytest.mark.parametrize("row", [AT_LEAST_ONCE, EXACTLY_ONCE], ids=lambda row: row.short)


@BOTH
def test_a_pipe_whose_partitions_were_taken_over_while_it_was_frozen_loses_nothing_when_it_wakes_up(
    kafka: Hazards, group: str, row: Guarantee
) -> None:
    source, target = kafka.topic(PARTITIONS), kafka.topic(PARTITIONS)
    args = ["pipe", source, target, "-g", row.name, "-G", group, "--keep-partition", *QUICK_GROUP]
    args += QUICK_TRANSACTION if row.transactional else ()
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
    assert row.may_double or len(seen) == feeder.sent


def test_a_consumer_whose_partitions_were_taken_over_while_it_was_frozen_loses_nothing_when_it_wakes_up(
    kafka: Hazards, group: str
) -> None:
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


def test_a_pipe_whose_transaction_timed_out_while_it_was_frozen_goes_on_and_doubles_nothing(
    kafka: Hazards, group: str
) -> None:
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
def test_a_named_pipe_that_its_group_gave_up_while_it_was_frozen_goes_on_and_doubles_nothing(
    kafka: Hazards, group: str, held: tuple[str, ...]
) -> None:
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
def test_a_run_with_resume_whose_transaction_timed_out_goes_on_or_says_so_and_the_next_run_doubles_nothing(
    kafka: Hazards, group: str, api: Api
) -> None:
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
