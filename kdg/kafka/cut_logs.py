"""Owns the question whether the log was cut off before a stored position (hazard 27).

A consumer of its own asks, and reads nothing else. In the consumer of the run the same question can stop the reading
for good, when a rebalance or a restart of the broker comes before the answer [seen].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import KafkaException

from kdg.core.records import Offsets, TopicPartition
from kdg.kafka.errors import POSITION_GONE
from kdg.kafka.expired import cut_at, position_gone
from kdg.kafka.partitions import partition_of, to_library

if TYPE_CHECKING:
    from kdg.kafka.consumer import KafkaConsumer
    from kdg.kafka.library import ConsumerClient

ANSWER_SECONDS = 10.0
"""How long the broker has to answer. If it does not, it is away, and the run itself waits for it."""
POLL_SECONDS = 0.1


def check_log(consumer: KafkaConsumer, stored: Offsets) -> None:
    """Raise PositionGone if the log was cut off before one of these positions.

    A position without a leader epoch passes. So does one whose epoch is still the leader's: nobody was elected since.
    """
    epochs = consumer.epochs
    known = {partition: offset for partition, offset in stored.items() if epochs.of(partition) is not None}
    if consumer.make_probe is None or not known:
        return
    leaders = consumer.lookup.leader_epochs(known)
    doubtful = {p: known[p] for p in known if p not in leaders or leaders[p][1] != epochs.of(p)}
    if not doubtful:
        return
    probe = consumer.make_probe()
    try:
        probe.assign(to_library(doubtful, epochs))
        with consumer.deadline.watched("asking whether the log was cut off before the stored positions"):
            _await_answers(consumer, probe, doubtful)
    finally:
        consumer.deadline.in_background(probe.close)


def _await_answers(consumer: KafkaConsumer, probe: ConsumerClient, doubtful: dict[TopicPartition, int]) -> None:
    """Wait for a message of each partition. A record, or another event than that of a log that was cut off, is good.

    Raises PositionGone for the first log that was cut off.
    """
    waiting, began = set(doubtful), consumer.deadline.now()
    while waiting and not consumer.deadline.over(ANSWER_SECONDS, began):
        try:
            message = probe.poll(POLL_SECONDS)
        except KafkaException:
            return
        if message is None or (partition := partition_of(message)) not in waiting:
            continue
        error = message.error()
        if error is not None and error.code() in POSITION_GONE and cut_at(error.str()) is not None:
            raise position_gone(consumer, partition, doubtful[partition], error.str())
        waiting.discard(partition)
