"""A commit whose answer does not come in time: the program asks again as its library wants it, and goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from kdg.core.guarantees import EXACTLY_ONCE
from kdg.sandbox import Sandbox
from tests.support.hazards import Hazards
from tests.support.processes import lines
from tests.support.proxy import Api, Proxy
from tests.support.waiting import eventually

from .running import WELL, start, stop

LONGER = 12.0
"""Seconds: longer than the programs wait for one call, and shorter than their transactions may last."""


@pytest.fixture(scope="module")
def kafka() -> Iterator[Hazards]:
    """A broker behind a proxy that can hold requests."""
    with Proxy() as proxy, Sandbox(properties={"advertised.listeners": f"CLIENTS://{proxy.address}"}) as sandbox:
        proxy.upstream = ("127.0.0.1", sandbox.brokers[0].port)
        yield Hazards(proxy, sandbox.brokers[0])


def test_commit_in_doubt_is_repeated(kafka: Hazards, client: str, group: str) -> None:
    """The first commit is held for 12 s. The program completes the same transaction. A program with librdkafka then
    ends, because a late request could act on the next one (hazard 1), and the next start goes on."""
    source, target = kafka.filled(lines(100)), kafka.topic(1)
    with start(kafka, EXACTLY_ONCE, client, source, target, group) as run:
        held = kafka.proxy.hold(Api.END_TXN, group.encode())
        held.wait()
        assert kafka.values(target) == []
        time.sleep(LONGER)
        held.release()
        assert eventually(lambda: kafka.values(target) == lines(100), 30), run.err
        if client == "java":
            stop(run)
        else:
            assert run.ended(10) not in WELL
    kafka.produce(source, lines(100, 100))
    with start(kafka, EXACTLY_ONCE, client, source, target, group) as run:
        assert eventually(lambda: kafka.values(target) == lines(200), 30), run.err
        stop(run)
    assert kafka.committed(group, source) == {0: 200}
