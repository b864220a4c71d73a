"""Owns the mutants of transactions: late requests, what follows an abort, and fencing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .mutant import Caught, Change, Mutant

if TYPE_CHECKING:
    from confluent_kafka import KafkaError

    from kdg.core.pump import Pump
    from kdg.core.records import TopicPartition
    from kdg.errors import KdgError
    from kdg.kafka.errors import Rights
    from kdg.kafka.transaction import KafkaTransaction

H, B = "tests/hazards/", "tests/broker/"
HARM = ("lost", "doubled")


def _no_recycle() -> Iterator[Change]:
    from kdg.kafka.transaction import KafkaTransaction

    def look(transaction: KafkaTransaction) -> None:
        transaction.handle.serve(0)

    yield Change(KafkaTransaction, "_look_for_doubt", look)


def _no_rewind() -> Iterator[Change]:
    from kdg.kafka.source import KafkaSource

    yield Change(KafkaSource, "rewind", lambda _source: None)
    yield Change(KafkaSource, "reload", lambda _source: False)


def _rewind_for_reload() -> Iterator[Change]:
    from kdg.core.actions import PERFORM
    from kdg.core.state import Control

    def reload(pump: Pump) -> None:
        pump.source.rewind()

    yield Change(PERFORM, Control.RELOAD, reload)


def _pending_not_waited_for() -> Iterator[Change]:
    from tests.simulator.groups import Group

    yield Change(Group, "unstable", lambda _group, _places: False)


def _fenced_goes_on() -> Iterator[Change]:
    from kdg.errors import Fenced, OutcomeUnknown
    from kdg.kafka import transaction
    from kdg.kafka.errors import translate

    def unknown(error: KafkaError, doing: str, needs: Rights | None = None, **named: Any) -> KdgError:
        found = translate(error, doing, needs, **named)
        return OutcomeUnknown(str(found)) if isinstance(found, Fenced) else found

    yield Change(transaction, "translate", unknown)


def _expired_is_fenced() -> Iterator[Change]:
    from kdg.core.ports import TryAgain
    from kdg.kafka.errors import TRANSACTIONS, translate
    from kdg.kafka.transaction import KafkaTransaction

    def refused(transaction: KafkaTransaction, error: KafkaError, doing: str) -> KdgError:
        found = translate(error, doing, table=TRANSACTIONS)
        in_doubt = not isinstance(found, TryAgain)
        transaction._in_doubt = transaction._in_doubt or in_doubt  # noqa: SLF001  # the method that is changed
        return found

    yield Change(KafkaTransaction, "_refused", refused)


def _no_keep_alive() -> Iterator[Change]:
    from kdg.kafka.source import KafkaSource

    yield Change(KafkaSource, "keep_alive", lambda _source: None)


def _gone_work_is_settled() -> Iterator[Change]:
    from kdg.kafka.source import KafkaSource

    yield Change(KafkaSource, "incomplete", property(lambda _source: False))


def _unfinished_is_not_compared() -> Iterator[Change]:
    from kdg.kafka.positions import Positions

    def own(positions: Positions, offsets: Mapping[TopicPartition, int]) -> None:
        for partition, (_settled, reached) in positions.unfinished.items():
            if partition in offsets:
                positions.unfinished[partition] = (offsets[partition], reached)
        take(positions, offsets)

    take = Positions.own
    yield Change(Positions, "own", own)


MUTANTS = (
    Mutant(
        "no-keep-alive",
        "Nothing is polled while a command works: the group expels the instance, and the batch comes again for ever.",
        _no_keep_alive,
        test=Caught(B + "test_slow.py::test_a_slow_filter_settles_each_batch_once[eos]", ("UNKNOWN_MEMBER_ID",)),
        simulated=(Caught("eos pipe -- CMD", ("a run without faults fails", "it does not come to an end")),),
    ),
    Mutant(
        "gone-work-is-settled",
        "What a command prints for partitions that have left meanwhile is written all the same.",
        _gone_work_is_settled,
        hazards=(4,),
        simulated=(Caught("eos pipe -- CMD", ("doubled",)), Caught("amo pipe -- CMD", ("doubled",))),
    ),
    Mutant(
        "unfinished-is-not-compared",
        "A partition that comes back goes on after the records in hand, although another instance has settled.",
        _unfinished_is_not_compared,
        simulated=(Caught("alo consume -- CMD", (*HARM, "went back")),),
    ),
    Mutant(
        "no-recycle",
        "A transaction begins with the old producer, although a request of the last transaction may still arrive.",
        _no_recycle,
        hazards=(1, 22),
        test=Caught(H + "test_delayed.py::test_delayed_end_txn_commits_nothing[0]", ("record 000003",)),
        simulated=(Caught("eos pipe", HARM), Caught("eos produce --resume", HARM)),
        applied_by=(H + "test_delayed.py",),
    ),
    Mutant(
        "no-recycle-positions",
        "The same; here a late position is what arrives.",
        _no_recycle,
        hazards=(1, 22),
        test=Caught(H + "test_delayed.py::test_delayed_txn_offset_commit_moves_nothing[0]", ("{0: 3}",)),
    ),
    Mutant(
        "no-rewind",
        "After an abort, reading goes on where it was.",
        _no_rewind,
        hazards=(5,),
        test=Caught(H + "test_frozen.py::test_frozen_pipe_outlives_its_transaction", ("assert [b'record",)),
        simulated=(Caught("eos pipe", ("lost",)),),
        applied_by=(B + "test_mutants.py",),
    ),
    Mutant(
        "rewind-instead-of-reload",
        "When an outcome is unknown, the last position in memory is taken, and not the one that Kafka has stored.",
        _rewind_for_reload,
        hazards=(22,),
        simulated=(Caught("eos pipe", ("doubled",)), Caught("eos produce --resume", ("doubled",))),
    ),
    Mutant(
        "pending-not-waited-for",
        "The stored position is read while a transaction may still change it.",
        _pending_not_waited_for,
        hazards=(26,),
        simulated=(Caught("eos pipe", HARM),),
    ),
    Mutant(
        "fenced-goes-on",
        "An instance that was fenced replaces its producer, which fences the newer instance in turn.",
        _fenced_goes_on,
        hazards=(19,),
        test=Caught(H + "test_fencing.py::test_older_of_two_instances_exits_6_at_any_step", ("(0, False)",)),
    ),
    Mutant(
        "expired-is-fenced",
        "An instance whose transaction has timed out ends as if another instance had taken over.",
        _expired_is_fenced,
        hazards=(19,),
        test=Caught(H + "test_frozen.py::test_frozen_pipe_outlives_its_transaction", ("another instance",)),
        simulated=(Caught("eos pipe", ("taken over",)), Caught("eos produce", ("taken over",))),
    ),
)
