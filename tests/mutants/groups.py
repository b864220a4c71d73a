"""Owns the mutants of consumer groups: partitions that come and leave, and members that the group no longer knows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .mutant import Caught, Change, Mutant, both

if TYPE_CHECKING:
    from confluent_kafka import Message
    from confluent_kafka import TopicPartition as LibraryPartition

    from kdg.core.ports import Rebalance
    from kdg.core.records import Batch, Position, TopicPartition
    from kdg.core.state import Lost, Revoked
    from kdg.kafka.library import ConsumerClient
    from kdg.kafka.membership import Membership
    from kdg.kafka.source import KafkaSource
    from kdg.kafka.transaction import KafkaTransaction

H, B = "tests/hazards/", "tests/broker/"
HARM = ("lost", "doubled")


def _late_metadata() -> Iterator[Change]:
    from kdg.kafka.transaction import KafkaTransaction

    record = KafkaTransaction.record

    def late(transaction: KafkaTransaction, positions: Sequence[Position]) -> None:
        if transaction.group_metadata is not None:
            transaction._metadata = transaction.group_metadata()  # noqa: SLF001  # the field that is changed
        record(transaction, positions)

    yield Change(KafkaTransaction, "record", late)


def _unsettled_on_revoke() -> Iterator[Change]:
    from kdg.kafka.membership import Membership

    def leave(
        membership: Membership, client: ConsumerClient, partitions: list[LibraryPartition], _event: Revoked | Lost
    ) -> None:
        if membership._cooperative:  # noqa: SLF001  # the method that is changed
            client.incremental_unassign(partitions)
        else:
            client.unassign()

    yield Change(Membership, "_leave", leave)


def _only_release() -> Iterator[Change]:
    from dataclasses import replace

    from kdg.core import pump
    from kdg.core.cycle import advance
    from kdg.core.guarantees import Step
    from kdg.core.state import Control, Cycle, Event, Revoked, State

    def decide(cycle: Cycle, state: State, event: Event) -> State:
        if isinstance(event, Revoked) and state.todo[:1] == (Step.READ,):
            return replace(state, todo=(Control.RELEASE, *state.todo))
        return advance(cycle, state, event)

    yield Change(pump, "advance", decide)


def _lost_is_revoked() -> Iterator[Change]:
    from kdg.core.state import Revoked
    from kdg.kafka.membership import Membership

    def lost(membership: Membership, client: ConsumerClient, partitions: list[LibraryPartition]) -> None:
        membership._leave(client, partitions, Revoked())  # noqa: SLF001  # the method that is changed

    yield Change(Membership, "_on_lost", lost)


def _no_metadata() -> Iterator[Change]:
    from kdg.kafka.source import KafkaSource

    yield Change(KafkaSource, "group_metadata", lambda _source: None)


def _no_callback() -> Iterator[Change]:
    from kdg.kafka.source import KafkaSource

    begin = KafkaSource.begin

    def without(source: KafkaSource, _rebalance: Rebalance) -> None:
        begin(source, lambda _event: None)

    yield Change(KafkaSource, "begin", without)


def _kept_after_revoke() -> Iterator[Change]:
    from kdg.kafka.source import KafkaSource

    def untouched(_source: KafkaSource, messages: list[Message], _touched: set[TopicPartition]) -> list[Message]:
        return messages

    def batch(source: KafkaSource, messages: list[Message]) -> Batch:
        positions = source._positions  # noqa: SLF001  # the method that is changed
        for partition, message in source._columns.last_messages(messages).items():  # noqa: SLF001
            if partition in positions.next:
                positions.advance(partition, (message.offset() or 0) + 1)
        return source._columns.batch(messages)  # noqa: SLF001

    yield Change(KafkaSource, "_untouched", untouched)
    yield Change(KafkaSource, "_batch", batch)


def _fenced_for_good() -> Iterator[Change]:
    from kdg.kafka.membership import Membership

    yield Change(Membership, "renew", lambda _membership: False)


def _takeover_not_asked() -> Iterator[Change]:
    from kdg.kafka.transaction import KafkaTransaction

    yield Change(KafkaTransaction, "taken_over", lambda _transaction, _position: False)


MUTANTS = (
    Mutant(
        "late-metadata",
        "The metadata of the group are read when the position is recorded, and not when the transaction begins.",
        _late_metadata,
        hazards=(4,),
        simulated=(Caught("eos pipe", (*HARM, "records positions as")),),
    ),
    Mutant(
        "unsettled-on-revoke",
        "Partitions leave although records from them are in an open transaction.",
        _unsettled_on_revoke,
        hazards=(4,),
        simulated=(Caught("eos pipe", (*HARM, "keeps its transaction")),),
    ),
    Mutant(
        "unsettled-and-late",
        "Both: either protection alone prevents what the other lets through.",
        both(_unsettled_on_revoke, _late_metadata),
        hazards=(4,),
        test=Caught(H + "test_groups.py::test_open_transaction_is_settled_on_revoke[eager]", ("assert [b'record",)),
        simulated=(Caught("eos pipe", HARM),),
        applied_by=(H + "test_groups.py",),
    ),
    Mutant(
        "released-on-revoke",
        "When partitions are revoked, their positions are forgotten, but the open transaction is not settled.",
        _only_release,
        hazards=(4,),
        simulated=(Caught("eos pipe", (*HARM, "keeps its transaction")),),
    ),
    Mutant(
        "lost-is-revoked",
        "A former member settles the records that it still has, as if it were a member.",
        _lost_is_revoked,
        hazards=(4,),
        simulated=(Caught("eos pipe", (*HARM, "settles")),),
    ),
    Mutant(
        "no-rebalance-callback",
        "The source does not report a rebalance to the loop.",
        _no_callback,
        hazards=(4,),
        simulated=(Caught("eos pipe", (*HARM, "keeps its transaction")),),
    ),
    Mutant(
        "no-group-metadata",
        "A transaction does not carry the metadata of the group, and so no position.",
        _no_metadata,
        hazards=(4,),
        simulated=(Caught("eos pipe", (*HARM, "it does not come to an end")),),
    ),
    Mutant(
        "kept-after-revoke",
        "Records that were read during a rebalance are kept, although their partition has left.",
        _kept_after_revoke,
        hazards=(4,),
        simulated=(Caught("eos pipe", HARM),),
    ),
    Mutant(
        "fenced-for-good",
        "A static member that the group no longer knows ends as if another instance had taken over.",
        _fenced_for_good,
        hazards=(23,),
        test=Caught(H + "test_delayed.py::test_delayed_join_group_of_a_named_pipe", ("another instance",)),
    ),
    Mutant(
        "takeover-not-asked",
        "An instance that the group has fenced joins again, although another instance has taken over.",
        _takeover_not_asked,
        hazards=(23,),
        test=Caught(B + "test_pipe.py::test_second_instance_fences_an_idle_first", ("joins the group again",)),
    ),
)
