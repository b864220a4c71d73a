"""Owns the mutants of reading, of writing, and of the positions that are stored outside a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from .mutant import Caught, Change, Mutant, both

if TYPE_CHECKING:
    from kdg.core.ports import Work
    from kdg.core.records import Batch, Position, TopicPartition
    from kdg.kafka.consumer import KafkaConsumer
    from kdg.kafka.source import KafkaSource
    from kdg.sinks.stdout import Stdout
    from kdg.sources.descriptor import Input
    from kdg.sources.prefix import InputPosition

H, B = "tests/hazards/", "tests/broker/"


def _library_position() -> Iterator[Change]:
    from confluent_kafka import Consumer
    from confluent_kafka import TopicPartition as LibraryPartition

    from kdg.core.records import Position
    from kdg.kafka.source import KafkaSource

    def positions(source: KafkaSource) -> list[Position]:
        client = source.consumer.client
        assert isinstance(client, Consumer)
        asked = client.position([LibraryPartition(*place) for place in source._positions.next])  # noqa: SLF001
        return [Position(tp.topic, tp.partition, tp.offset) for tp in asked if tp.offset >= 0]

    yield Change(KafkaSource, "positions", positions)


def _end_of_new_partitions() -> Iterator[Change]:
    from confluent_kafka import TopicPartition as LibraryPartition

    from kdg.kafka.consumer import KafkaConsumer

    def ends(consumer: KafkaConsumer, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        ask = consumer.client.get_watermark_offsets
        return {place: ask(LibraryPartition(*place), timeout=10, cached=False)[1] for place in partitions}

    yield Change(KafkaConsumer, "beginnings", ends)


def _start_not_committed() -> Iterator[Change]:
    from kdg.kafka.membership import Membership

    yield Change(Membership, "begin_at", lambda _membership, _starts: None)


def _ids_not_compared() -> Iterator[Change]:
    from kdg.kafka.topic_ids import TopicIds

    yield Change(TopicIds, "check", lambda _ids, _fresh=0.0: None)


def _errors_ignored() -> Iterator[Change]:
    from kdg.kafka.answers import Answers

    yield Change(Answers, "answer", lambda _answers, _error, _message: None)


def _target_not_compared() -> Iterator[Change]:
    from kdg.kafka.topic_ids import TargetTopic

    yield Change(TargetTopic, "check", lambda _target: None)


def _no_epoch_stored() -> Iterator[Change]:
    from kdg.kafka.leader_epochs import LeaderEpochs

    yield Change(LeaderEpochs, "of", lambda _epochs, _partition: None)


def _others_group_taken() -> Iterator[Change]:
    from kdg.kafka.resume import ResumeStore

    yield Change(ResumeStore, "check", lambda _store: None)
    yield Change(ResumeStore, "_parse", lambda _store, _metadata: None)


def _ends_as_read_committed() -> Iterator[Change]:
    from confluent_kafka import IsolationLevel

    from kdg.kafka import lookup

    class Committed:
        READ_COMMITTED = READ_UNCOMMITTED = IsolationLevel.READ_COMMITTED

    yield Change(lookup, "IsolationLevel", Committed)


def _no_flush() -> Iterator[Change]:
    from kdg.kafka.target import KafkaTarget

    yield Change(KafkaTarget, "flush", lambda _target: None)


def _write_errors_ignored() -> Iterator[Change]:
    from kdg.errors import KdgError
    from kdg.sinks.stdout import Stdout

    write = Stdout.write

    def ignoring(stdout: Stdout, batch: Batch) -> Work[None]:
        try:
            yield from write(stdout, batch)
        except KdgError:
            return

    yield Change(Stdout, "write", ignoring)


def _undelivered_forgotten() -> Iterator[Change]:
    from kdg.kafka.producer import ProducerHandle
    from kdg.kafka.target import KafkaTarget

    yield Change(ProducerHandle, "on_delivery", lambda _handle, _error, _message: None)
    yield Change(ProducerHandle, "_add_failed", lambda _handle, _report: None)
    yield Change(KafkaTarget, "give_up", lambda _target: None)


class _AnyDigest(str):
    """A digest that is equal to every other."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False


def _digest_not_compared() -> Iterator[Change]:
    from dataclasses import replace

    from kdg.sources.descriptor import Input

    skip = Input.skip

    def anything(source: Input, committed: InputPosition) -> None:
        skip(source, replace(committed, sha256=_AnyDigest()))

    yield Change(Input, "skip", anything)


def _input_not_skipped() -> Iterator[Change]:
    from kdg.sources.descriptor import Input

    yield Change(Input, "skip", lambda _input, _position: None)


MUTANTS = (
    Mutant(
        "library-position",
        "The position that is committed is the client library's, after the last record that it has fetched.",
        _library_position,
        hazards=(3,),
        test=Caught(B + "test_consume_stop.py::test_until_a_past_time", ("{0: 4} == {0: 2}",)),
    ),
    Mutant(
        "end-of-new-partitions",
        "A partition that was added later is read from where it ends when it is noticed.",
        _end_of_new_partitions,
        hazards=(11,),
        test=Caught(H + "test_positions.py::test_partition_added_while_reading[consume]", ("assert [b'record",)),
    ),
    Mutant(
        "start-not-committed",
        "The start of a new group is not committed when it is assigned.",
        _start_not_committed,
        hazards=(11,),
        applied_by=(B + "test_mutants.py",),
    ),
    Mutant(
        "ids-not-compared",
        "A topic that was deleted and made again is read on.",
        _ids_not_compared,
        hazards=(13,),
        simulated=(Caught("alo consume", ("lost",)),),
    ),
    Mutant(
        "ids-and-errors-ignored",
        "The same, and the library's error is ignored, which comes if it looks while there is no such topic.",
        both(_ids_not_compared, _errors_ignored),
        hazards=(13,),
        test=Caught(
            H + "test_positions.py::test_a_topic_made_again_while_it_is_read_is_exit_7[pipe-alo-longer]",
            ("still running",),
        ),
    ),
    Mutant(
        "target-not-compared",
        "A transaction is committed into a topic that was made again while it was open.",
        _target_not_compared,
        hazards=(13,),
        test=Caught(H + "test_positions.py::test_target_made_again_under_a_transaction[0]", ("assert",)),
    ),
    Mutant(
        "no-epoch-stored",
        "Positions are stored without the leader epoch.",
        _no_epoch_stored,
        hazards=(27,),
        test=Caught(H + "test_cut_logs.py::test_position_beyond_a_cut_log_is_exit_7[0-consume]", ("assert",)),
    ),
    Mutant(
        "others-group-taken",
        "--resume takes a position that another program wrote, as if there were none.",
        _others_group_taken,
        hazards=(12,),
        test=Caught(
            B + "test_errors.py::test_a_group_of_resume_that_somebody_else_uses_is_refused", ("assert 0 == 2",)
        ),
    ),
    Mutant(
        "ends-as-read-committed",
        "-e stops at the end that a read_committed reader sees.",
        _ends_as_read_committed,
        hazards=(10,),
        applied_by=(B + "test_mutants.py",),
    ),
    Mutant(
        "no-flush",
        "A position is committed before the records are acknowledged.",
        _no_flush,
        simulated=(Caught("alo pipe", ("lost",)),),
        applied_by=(B + "test_mutants.py", "tests/simulator/test_simulator.py"),
    ),
    Mutant(
        "write-errors-ignored",
        "A write that fails, as on a full disk, counts as a write that succeeded.",
        _write_errors_ignored,
        hazards=(18,),
        test=Caught(B + "test_consume.py::test_full_disk_is_exit_1", ("code=0",)),
    ),
    Mutant(
        "undelivered-forgotten",
        "The delivery reports of records that were not delivered are dropped.",
        _undelivered_forgotten,
        test=Caught(H + "test_broker_away.py::test_unacknowledged_records_are_kept", ("still running", "code=0")),
    ),
    Mutant(
        "digest-not-compared",
        "--resume does not compare the digest, and takes another input for the same one.",
        _digest_not_compared,
        applied_by=(B + "test_mutants.py",),
    ),
    Mutant(
        "input-not-skipped",
        "--resume does not skip the part of the input that was sent before.",
        _input_not_skipped,
        simulated=(Caught("eos produce --resume", ("doubled",)),),
    ),
)
