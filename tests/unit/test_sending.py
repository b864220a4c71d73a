"""Sending, with a producer that only notes its calls: which partition a record goes to, and who asks for metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException, Message, Producer, ThrottleEvent

from kdg.core.ports import TryAgain, carry_out
from kdg.core.records import Batch
from kdg.errors import Aborted, Undelivered
from kdg.kafka import partition_choice
from kdg.kafka.client import Watch
from kdg.kafka.producer import ProducerHandle
from kdg.kafka.reach import reach
from kdg.kafka.target import KafkaTarget
from kdg.kafka.undelivered_records import (
    UndeliveredRecord,
    abort_on_undelivered,
    example_of,
    stop_on_undelivered,
)
from kdg.runtime.deadline import Deadline, NoSignals
from tests.support.clients import OnlyProducers, metadata_of


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
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        return metadata_of({"t": self.partitions})

    def produce(self, *args: Any, **_named: Any) -> None:
        self.sent.append(args)


def target(producer: Noting, partitions: int = 1, partition: int = -1) -> KafkaTarget:
    handle = ProducerHandle({}, OnlyProducers(lambda _settings: producer))
    return KafkaTarget(handle, "t", Deadline(NoSignals()), stop_on_undelivered, partition, partitions=partitions)


def places(producer: Noting) -> list[int]:
    return [args[3] for args in producer.sent]


def test_producer_asks_twice_for_metadata() -> None:
    """A producer is asked for metadata twice, so that its id does not wait for a timer (hazard 15)."""
    producer = Noting()
    reach(producer, Watch(), Deadline(NoSignals()), "h:1")
    assert producer.asked == 2


def test_only_partition_needs_no_partitioner() -> None:
    """If a topic has one partition, records name it; otherwise the partitioner chooses."""
    for partitions, chosen in ((1, 0), (2, -1), (0, -1)):
        producer = Noting(partitions)
        carry_out(target(producer, partitions).write(Batch(values=[b"a", b"b"], keys=[b"k", None])))
        assert places(producer) == [chosen, chosen]
        assert [args[1:3] for args in producer.sent] == [(b"a", b"k"), (b"b", None)]


@pytest.mark.parametrize("grown", [3, None])
def test_added_partition_is_noticed(grown: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """An added partition is noticed as soon as the library would notice it."""
    producer = Noting()
    written = target(producer)
    carry_out(written.write(Batch(values=[b"a"])))
    producer.partitions = grown
    carry_out(written.write(Batch(values=[b"b"])))
    assert (places(producer), producer.asked) == ([0, 0], 0)
    monkeypatch.setattr(partition_choice, "COUNTED_FOR", -1.0)
    carry_out(written.write(Batch(values=[b"c"])))
    assert (places(producer), producer.asked) == ([0, 0, -1], 1)


def test_chosen_partition_is_kept() -> None:
    """A partition that the user has chosen is used for every record."""
    producer = Noting(2)
    carry_out(target(producer, 2, partition=1).write(Batch(values=[b"a"])))
    assert places(producer) == [1]


class Failing(Noting):
    """Its poll and flush raise what librdkafka's wrapper raises after a fatal error."""

    def __init__(self, raised: type[BaseException]) -> None:
        super().__init__()
        self.raised = raised

    def poll(self, *_args: Any) -> int:
        raise self.raised

    def flush(self, *_args: Any) -> int:
        raise self.raised

    def __len__(self) -> int:
        return 3


@pytest.mark.parametrize("raised", [SystemError, KafkaException, TypeError])
def test_error_that_poll_and_flush_raise_is_not_the_runs(raised: type[BaseException]) -> None:
    """After a fatal error poll and flush raise something; the caller learns only that they did (hazard 20)."""
    handle = target(Failing(raised)).handle
    assert handle.serve(0) is True
    assert handle.flush(0) == 3


def test_other_exceptions_of_poll_come_through() -> None:
    """A defect in a callback is raised."""
    with pytest.raises(ZeroDivisionError):
        target(Failing(ZeroDivisionError)).handle.serve(0)


def test_replaced_producer_starts_anew() -> None:
    """After `replace` there is a new producer, and the reports and the log of the old one do not count (hazard 1)."""
    made: list[Noting] = []

    def make(_settings: Mapping[str, str]) -> Noting:
        made.append(Noting())
        return made[-1]

    handle = ProducerHandle({"transactional.id": "t", "debug": "msg"}, OnlyProducers(make))
    handle.watch.suspicious = True
    handle.failed.append((KafkaError(-1), cast(Message, None), None))
    handle.replace()
    assert handle.producer is made[1]
    assert (handle.watch.suspicious, handle.failed) == (False, [])


@pytest.mark.parametrize(("debug", "expected"), [("", "eos"), ("msg", "msg,eos")])
def test_transactional_producer_has_the_log_of_transactions(debug: str, expected: str) -> None:
    """Only the library's eos log reports a request that was cut off (hazard 1)."""
    asked: list[Mapping[str, str]] = []

    def make(settings: Mapping[str, str]) -> Noting:
        asked.append(settings)
        return Noting()

    clients = OnlyProducers(make)
    ProducerHandle({"transactional.id": "t"} | ({"debug": debug} if debug else {}), clients)
    ProducerHandle({"acks": "all"}, clients)
    assert (asked[0]["debug"], "debug" in asked[1]) == (expected, False)


@pytest.mark.parametrize("line", ["EndTxn returned _TIMED_OUT", "EndTxn returned _TRANSPORT"])
def test_log_line_of_a_cut_off_commit_is_suspicious(line: str) -> None:
    """After these lines a request may still take effect (hazard 1)."""
    watch = Watch()
    watch.log(7, "", "TXNCOMPL", "client", line)
    assert watch.suspicious
    for facility in ("FAIL", "REQTMOUT"):
        other = Watch()
        other.log(6, "", facility, "client", "1 request timed out")
        assert other.suspicious


def test_quota_of_the_cluster_is_said_once() -> None:
    """A client that a quota delays waits, and says why."""
    notes = list[str]()
    watch = Watch(note=notes.append)
    watch.throttled(ThrottleEvent("h:1/1", 1, 0.2))
    assert not notes
    for seconds in (11.0, 12.0):
        watch.throttled(ThrottleEvent("h:1/1", 1, seconds))
    assert len(notes) == 1
    assert "h:1/1 delays this client for 11 s: a quota of the cluster is reached" in notes[0]


def undelivered(code: int, value: bytes = b"v", key: bytes | None = b"k") -> UndeliveredRecord:
    return UndeliveredRecord(key, value, None, 0, KafkaError(code))


@pytest.mark.parametrize(
    ("code", "certain"),
    [(KafkaError._MSG_TIMED_OUT, False), (KafkaError._PURGE_INFLIGHT, False), (KafkaError._PURGE_QUEUE, True)],
)
def test_timed_out_record_is_unknown_and_not_failed(code: int, certain: bool) -> None:
    """A record that timed out or was purged in flight may be in the topic all the same (hazard 7)."""
    assert undelivered(code).certain is certain


def test_example_of_a_refused_batch_is_its_largest_record() -> None:
    """The broker refuses a whole batch because of one record: that record is named, by its size and its key."""
    large = KafkaError.MSG_SIZE_TOO_LARGE
    records = [undelivered(large), undelivered(large, b"x" * 9, b"\xff")]
    assert example_of(records).startswith("a record of 9 bytes with key '\\\\xff': ")
    assert example_of([undelivered(KafkaError._MSG_TIMED_OUT, key=None)]).startswith("a record of 1 bytes: ")


def test_refused_record_aborts_and_a_lost_one_tries_again() -> None:
    """In a transaction, a record that would be refused again is exit 4; any other error aborts and tries again."""
    with pytest.raises(Aborted, match="1 record of it could not be delivered, such as a record of 1 bytes"):
        abort_on_undelivered([undelivered(KafkaError.MSG_SIZE_TOO_LARGE)])
    with pytest.raises(TryAgain) as late:
        abort_on_undelivered([undelivered(KafkaError._MSG_TIMED_OUT)])
    assert "transaction.timeout.ms" in late.value.hint
    with pytest.raises(Undelivered, match="the input's position stays before them"):
        stop_on_undelivered([undelivered(KafkaError._MSG_TIMED_OUT)])
