"""SIGINT and SIGTERM while kdg waits for a broker that does not answer.

The signal ends kdg within 10 s, and no record is lost or duplicated.
"""

from __future__ import annotations

import signal
from contextlib import ExitStack

import pytest

from tests.support.hazards import LONG, PARTITIONS, Feeder, Hazards
from tests.support.machine import needs_proc
from tests.support.processes import QUICK_GROUP, QUICK_TRANSACTION, lines, text
from tests.support.proxy import Api
from tests.support.waiting import eventually

WITHIN = 10.0
each_signal = pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM], ids=lambda s: s.name)


@each_signal
def test_signal_while_the_broker_is_frozen(kafka: Hazards, group: str, signum: int) -> None:
    """While the broker is frozen every command ends by the signal, and the next run goes on where it ended."""
    source, by_alo, by_eos, made, made_by_eos = (kafka.topic() for _ in range(5))
    kafka.produce(source, lines(20))
    pipe = ["pipe", source]
    with ExitStack() as stack:
        consume = stack.enter_context(kafka.running("consume", source, "-G", f"{group}-c", *QUICK_GROUP))
        alo = stack.enter_context(kafka.running(*pipe, by_alo, "-G", f"{group}-a", *QUICK_GROUP))
        eos = stack.enter_context(kafka.running(*pipe, by_eos, "-G", f"{group}-e", "-g", "eos", *QUICK_GROUP))
        produce = stack.enter_context(kafka.fed("produce", made))
        resume = stack.enter_context(kafka.fed("produce", made_by_eos, "-g", "eos", "--resume", group))
        for fed in (produce, resume):
            fed.feed(lines(20))
        assert eventually(lambda: len(consume.out) == 20 * 14)
        for topic in (by_alo, by_eos, made, made_by_eos):
            assert eventually(lambda topic=topic: kafka.values(topic) == lines(20)), topic  # type: ignore[misc]
        held = kafka.proxy.hold(Api.ADD_PARTITIONS_TO_TXN, f"kdg.produce.{group}".encode())
        kafka.broker.pause()
        for fed in (produce, resume):
            fed.feed(lines(20, 20))
        held.wait().release()
        everything = (consume, alo, eos, produce, resume)
        for run in everything:
            run.signal(signum)
        ends = [run.end(WITHIN) for run in everything]
        kafka.broker.resume()
    assert [each.code for each in ends[:3]] == [-signum] * 3, ends
    # What produce was given and nobody acknowledged is undelivered, and that weighs more than the signal.
    assert ends[3].code == 3, ends[3]
    assert ends[4].code in (-signum, 5), ends[4]
    kafka.produce(source, lines(20, 20))
    kafka.ok("pipe", source, by_alo, "-G", f"{group}-a", "-e", *QUICK_GROUP)
    kafka.ok("pipe", source, by_eos, "-G", f"{group}-e", "-g", "eos", "-e", *QUICK_GROUP)
    rest = kafka.ok("consume", source, "-G", f"{group}-c", "-e", *QUICK_GROUP)
    kafka.ok("produce", made_by_eos, "-g", "eos", "--resume", group, input=text(lines(40)))
    assert set(kafka.values(by_alo)) == {*ends[0].lines, *rest.lines} == set(lines(40))
    assert kafka.settled_values(by_eos) == lines(40)
    assert kafka.settled_values(made_by_eos) == lines(40)


@needs_proc
def test_second_signal_while_the_broker_is_frozen(kafka: Hazards, group: str) -> None:
    """A second signal ends the run at once although the broker is frozen."""
    topic = kafka.topic()
    with kafka.fed("produce", topic) as run:
        run.feed(lines(3))
        assert eventually(lambda: kafka.values(topic) == lines(3))
        kafka.broker.pause()
        run.feed(lines(3, 3))
        run.signal(signal.SIGINT)
        assert eventually(lambda: _caught(run.process.pid, signal.SIGINT))
        run.signal(signal.SIGTERM)
        assert run.end(1.0).code == -signal.SIGTERM


def _caught(pid: int, signum: int) -> bool:
    """Whether the process has taken the signal: it is not pending any more."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:  # noqa: PTH123
        pending = [int(line.split()[1], 16) for line in status if line.startswith(("SigPnd", "ShdPnd"))]
    return not any(mask & 1 << (signum - 1) for mask in pending)


@each_signal
@pytest.mark.parametrize("api", [Api.JOIN_GROUP, Api.FIND_COORDINATOR], ids=lambda api: api.name)
def test_while_it_waits_for_the_group_it_ends_by_the_signal(kafka: Hazards, group: str, signum: int, api: Api) -> None:
    source, target = kafka.filled(lines(3)), kafka.topic()
    held = kafka.proxy.hold(api, group.encode())
    with kafka.running("pipe", source, target, "-G", group, *QUICK_GROUP) as run:
        held.wait()
        run.signal(signum)
        assert run.end(WITHIN).code == -signum


@each_signal
def test_while_a_commit_is_not_answered_it_ends_by_the_signal(kafka: Hazards, group: str, signum: int) -> None:
    source = kafka.filled(lines(3))
    with kafka.running("consume", source, "-G", group) as run:
        assert eventually(lambda: kafka.committed(group, source) == {0: 3})
        held = kafka.proxy.hold(Api.OFFSET_COMMIT, group.encode())
        kafka.produce(source, lines(3, 3))
        held.wait()
        run.signal(signum)
        assert run.end(WITHIN).code in (-signum, 5)


@each_signal
def test_signal_while_settling_in_a_rebalance(kafka: Hazards, group: str, signum: int) -> None:
    """A pipe that settles inside a rebalance ends by the signal, and no record is duplicated."""
    source, target = kafka.topic(PARTITIONS), kafka.topic(PARTITIONS)
    args = ["pipe", source, target, "-g", "eos", "-G", group, *QUICK_GROUP, *QUICK_TRANSACTION]
    with Feeder(kafka, source) as feeder, kafka.running(*args, *LONG) as one:
        assert eventually(lambda: kafka.is_open(target))
        commit = kafka.proxy.hold(Api.END_TXN, group.encode())
        with kafka.running(*args) as two:
            commit.wait()  # the first settles, since the second wants its share
            one.signal(signum)
            done = one.end(WITHIN)
            assert done.code in (-signum, 5), done
            feeder.stop()
            assert eventually(lambda: sum(kafka.committed(group, source).values()) == feeder.sent)
            two.signal(signum)
            assert two.end(WITHIN).code == -signum
    assert sorted(filter(None, kafka.settled_values(target))) == lines(feeder.sent)
