"""How a target and its producer are used, on a producer that only notes what it is asked: what is sent where, and what wakes it up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from kdg.core.records import Batch
from kdg.kafka import target as sending
from kdg.kafka.client import Watch, reach
from kdg.kafka.target import KafkaTarget, stop_on_failure
from kdg.runtime.deadline import Deadline, NoSignals


class Noting(Producer):
    """Notes every call; its topic has as many partitions as `partitions` says, or the broker does not answer."""

    def __init__(self, partitions: int | None = 1) -> None:
        super().__init__({})
        self.partitions = partitions
        self.asked = 0
        self.sent: list[tuple[Any, ...]] = []

    def list_topics(self, *_args: Any, **_named: Any) -> Any:
        self.asked += 1
        if self.partitions is None:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))  # noqa: SLF001  # the library's own name for it
        return SimpleNamespace(topics={"t": SimpleNamespace(partitions=dict.fromkeys(range(self.partitions)))})

    def produce(self, *args: Any, **_named: Any) -> None:
        self.sent.append(args)


def target(producer: Noting, partitions: int = 1, partition: int = -1) -> KafkaTarget:
    handle: Any = SimpleNamespace(producer=producer, watch=Watch(), failed=[])
    return KafkaTarget(handle, "t", Deadline(NoSignals()), stop_on_failure, partition, partitions=partitions)


def places(producer: Noting) -> list[int]:
    return [args[3] for args in producer.sent]


def test_producer_asks_twice_for_metadata() -> None:
    """A producer is asked for metadata twice so that its id does not wait for a timer."""
    producer = Noting()
    reach(producer, Watch(), Deadline(NoSignals()), "h:1")
    assert producer.asked == 2


def test_only_partition_needs_no_partitioner() -> None:
    """The only partition is named and others are the partitioner s choice."""
    for partitions, chosen in ((1, 0), (2, -1), (0, -1)):
        producer = Noting(partitions)
        target(producer, partitions).write(Batch(values=[b"a", b"b"], keys=[b"k", None]))
        assert places(producer) == [chosen, chosen]
        assert [args[1:3] for args in producer.sent] == [(b"a", b"k"), (b"b", None)]


@pytest.mark.parametrize("grown", [3, None])
def test_added_partition_is_noticed(grown: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A partition that is added is noticed as soon as the library would."""
    producer = Noting()
    written = target(producer)
    written.write(Batch(values=[b"a"]))
    producer.partitions = grown
    written.write(Batch(values=[b"b"]))
    assert (places(producer), producer.asked) == ([0, 0], 0)
    monkeypatch.setattr(sending, "COUNTED_FOR", -1.0)
    written.write(Batch(values=[b"c"]))
    assert (places(producer), producer.asked) == ([0, 0, -1], 1)


def test_the_partition_that_was_asked_for_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    producer = Noting(2)
    target(producer, 2, partition=1).write(Batch(values=[b"a"]))
    assert places(producer) == [1]
