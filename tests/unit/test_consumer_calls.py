"""How the library's consumer is called: what it waits for, and in which thread."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from kdg.errors import NoAnswer, Unreachable
from kdg.kafka import consumer as calls
from kdg.kafka.client import Watch
from kdg.kafka.consumer import KafkaConsumer
from kdg.runtime.deadline import Deadline, NoSignals


class Noting:
    """A client that notes its calls and the thread of a commit. queue: what it has fetched."""

    def __init__(self, queue: list[str]) -> None:
        self.queue = queue
        self.waited: list[float] = []
        self.commit_thread: int | None = None
        self.stuck: threading.Event | None = None
        self.asked = 0

    def consume(self, count: int, timeout: float) -> list[str]:
        self.waited.append(timeout)
        taken, self.queue = self.queue[:count], self.queue[count:]
        return taken

    def poll(self, timeout: float) -> str | None:
        """The first record comes while poll waits, and two more with it."""
        self.queue = ["second", "third"]
        return "first"

    def commit(self, **_named: Any) -> list[Any]:
        self.commit_thread = threading.get_ident()
        if self.stuck is not None:
            self.stuck.wait()
        return []

    def committed(self, *_args: Any, **_named: Any) -> list[Any]:
        self.asked += 1
        raise KafkaException(KafkaError(KafkaError.COORDINATOR_LOAD_IN_PROGRESS))

    def may_use(self, _group: str) -> None:
        """As Lookup.may_use."""


def consumer(client: Any) -> KafkaConsumer:
    return KafkaConsumer(client, Watch(), Deadline(NoSignals()), client, "g", print)


def test_fetch_waits_only_for_the_first_record() -> None:
    """consume() is never called with a timeout: it would hold the first record back (hazard 14)."""
    client = Noting([])
    assert list(map(str, consumer(client).fetch(10, 5.0, 0.0))) == ["first", "second", "third"]
    assert client.waited == [0, 0]


def test_fetch_takes_no_more_than_it_was_asked_for() -> None:
    """The limit holds for all calls together, so that memory stays bounded (hazard 14)."""
    client = Noting([])
    assert len(consumer(client).fetch(2, 5.0, 0.0)) == 2
    assert client.queue == ["third"]


@pytest.mark.parametrize("in_callback", [True, False])
def test_commit_in_a_callback_is_called_directly(in_callback: bool) -> None:
    """Inside a rebalance callback a commit of another thread would act too late (hazard 24)."""
    client = Noting([])
    reader = consumer(client)
    reader.in_callback = in_callback
    reader.commit({("t", 0): 5})
    assert (client.commit_thread == threading.get_ident()) is in_callback


def test_commit_without_an_answer_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that does not return may still act: nothing more may be done in this process (hazard 21)."""
    monkeypatch.setattr(calls, "COMMIT_SECONDS", 0.01)
    monkeypatch.setattr(calls, "LEAST_COMMIT_SECONDS", 0.01)
    client = Noting([])
    client.stuck = threading.Event()
    with pytest.raises(NoAnswer, match="committing the position of group g: no answer"):
        consumer(client).commit({("t", 0): 5})
    client.stuck.set()


def test_stored_positions_are_asked_for_again() -> None:
    """A position that is pending in a transaction is asked for again, until the time is over (hazard 26)."""
    client = Noting([])
    with pytest.raises(Unreachable, match="looking up the positions of group g: no answer within"):
        consumer(client).committed([("t", 0)], within=0.3)
    assert client.asked > 1
