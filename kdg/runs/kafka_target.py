"""Owns opening a topic as a target, for produce and pipe: the producer, its target and its transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kdg.core.guarantees import Role
from kdg.runs.plan import Plan
from kdg.runs.report import Outcome
from kdg.runs.session import Frame

if TYPE_CHECKING:
    from kdg.kafka.producer import ProducerHandle
    from kdg.kafka.target import KafkaTarget
    from kdg.kafka.transaction import KafkaTransaction
    from kdg.kafka.undelivered_records import OnUndelivered

LIBRARY_TRANSACTION_MS = 60_000
"""The client library's own transaction.timeout.ms."""


def transaction_seconds(plan: Plan) -> float:
    """transaction.timeout.ms in seconds."""
    return float(plan.value(Role.PRODUCER, "transaction.timeout.ms") or LIBRARY_TRANSACTION_MS) / 1000


def open_producer(frame: Frame) -> ProducerHandle:
    """The producer of the run; nothing is sent yet."""
    from kdg.kafka.producer import ProducerHandle

    plan = frame.plan
    settings = plan.settings(Role.PRODUCER)
    return ProducerHandle(settings, frame.surroundings.clients, verbose=plan.verbose, note=plan.note)


def open_target(
    frame: Frame,
    handle: ProducerHandle,
    topic: str,
    on_undelivered: OnUndelivered,
    *,
    partitions: int,
    partition: int = -1,
    keep_partition: bool = False,
) -> KafkaTarget:
    """The topic as a target.

    on_undelivered: called with the records that were not delivered. partitions: how many the topic has.
    partition: the one that all records go to, -1 if the partitioner chooses.
    keep_partition: each record goes to the partition that its batch names.
    """
    from kdg.kafka.target import KafkaTarget

    target = KafkaTarget(
        handle,
        topic,
        frame.deadline,
        on_undelivered,
        partition,
        keep_partition,
        partitions,
        settle_seconds=transaction_seconds(frame.plan) if frame.plan.guarantee.transactional else None,
        sends_again=not (frame.plan.guarantee.transactional or frame.plan.guarantee.may_lose),
        stops=frame.plan.command == "pipe",
        note=frame.plan.note,
    )
    frame.closing.callback(target.close)
    return target


def open_transaction(frame: Frame, handle: ProducerHandle, topic: str) -> KafkaTransaction | None:
    """The transaction of the producer, or None if the guarantee has none. topic: the target.

    An older instance with the same transactional id is fenced, and the transaction that it left open is finished. This
    comes before any position is looked up, because that transaction may move the position.
    """
    if not frame.plan.guarantee.transactional:
        return None
    from kdg.kafka.client import Watch
    from kdg.kafka.topic_ids import TargetTopic
    from kdg.kafka.transaction import KafkaTransaction

    watch = Watch(verbose=frame.plan.verbose)
    admin = frame.surroundings.clients.admin(frame.plan.settings(Role.PRODUCER), watch)
    target = TargetTopic(admin, topic, frame.deadline)
    target.ask()
    transaction = KafkaTransaction(
        handle, frame.deadline, transaction_seconds(frame.plan), own_id=frame.plan.own_id, target=target
    )
    transaction.start()
    target.check()  # notes the id before the first record is sent
    return transaction


def name_culprit(outcome: Outcome, target: KafkaTarget, transaction: KafkaTransaction | None) -> None:
    """If a refused batch has aborted the transaction, the error names the record that is refused alone."""
    from kdg.kafka.undelivered_records import RefusedInTransaction

    if transaction is not None and isinstance(outcome.error, RefusedInTransaction):
        from kdg.kafka.culprit import with_culprit

        outcome.error = with_culprit(outcome.error, target, transaction)
