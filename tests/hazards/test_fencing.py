"""Two instances with one identity: the older one ends when the newer one takes over, and never fences the newer one."""

from __future__ import annotations

import signal

import pytest

from tests.support.hazards import Hazards
from tests.support.processes import lines, text
from tests.support.proxy import Api
from tests.support.waiting import eventually

STEPS = (Api.ADD_PARTITIONS_TO_TXN, Api.PRODUCE, Api.ADD_OFFSETS_TO_TXN, Api.TXN_OFFSET_COMMIT, Api.END_TXN)


@pytest.mark.parametrize("api", STEPS, ids=lambda api: api.name)
def test_older_of_two_instances_exits_6_at_any_step(kafka: Hazards, group: str, api: Api) -> None:
    """The older instance exits with 6 at any step, and the newer instance goes on (hazard 20)."""
    topic = kafka.topic()
    args = ["produce", topic, "-g", "eos", "--resume", group]
    with kafka.fed(*args) as older:
        older.feed(lines(3))
        assert eventually(lambda: kafka.values(topic) == lines(3))
        held = kafka.proxy.hold(api, group.encode())
        older.feed(lines(3, 3))
        held.wait()
        with kafka.fed(*args) as newer:
            newer.feed(lines(6))
            assert eventually(lambda: kafka.values(topic) == lines(6))
            held.release()
            done = older.done()
            assert (done.code, "another instance" in done.err) == (6, True), done
            newer.feed(lines(3, 6))
            done = newer.done()
            assert done.code == 0, done
    assert kafka.settled_values(topic) == lines(9)


def test_older_instance_frozen_past_its_transaction(kafka: Hazards, group: str) -> None:
    """An older instance that is frozen for longer than its transaction may last duplicates nothing (hazard 19)."""
    topic = kafka.topic()
    args = ["produce", topic, "-g", "eos", "--resume", group, "-X", "transaction.timeout.ms=1000"]
    with kafka.fed(*args) as older:
        older.feed(lines(3))
        assert eventually(lambda: kafka.values(topic) == lines(3))
        held = kafka.proxy.hold(Api.END_TXN, group.encode())
        older.feed(lines(3, 3))
        held.wait()
        older.signal(signal.SIGSTOP)
        assert eventually(lambda: not kafka.is_open(topic))
        with kafka.fed(*args) as newer:
            newer.feed(lines(6))
            assert eventually(lambda: kafka.values(topic) == lines(6))
            older.signal(signal.SIGCONT)
            held.release()
            # A transaction that timed out and one that was fenced have the same error: either instance may go on.
            older.close_input()
            done = older.end()
            assert done.code in (0, 5, 6), done
            newer.close_input()
            assert newer.end().code in (0, 6)
    kafka.ok(*args, input=text(lines(9)))
    assert kafka.settled_values(topic) == lines(9)
