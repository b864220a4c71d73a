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
        cut = _cut(consumer, probe, set(doubtful))
    finally:
        consumer.deadline.in_background(probe.close)
    for partition, text in cut.items():
        raise position_gone(consumer, partition, stored[partition], text)


def _cut(consumer: KafkaConsumer, probe: ConsumerClient, open_: set[TopicPartition]) -> dict[TopicPartition, str]:
    """The library's text for each partition whose log was cut off. A record, or any other event, says that it was not.

    open_: the partitions to wait for.
    """
    cut, began = dict[TopicPartition, str](), consumer.deadline.now()
    while open_ and not consumer.deadline.over(ANSWER_SECONDS, began):
        try:
            message = probe.poll(POLL_SECONDS)
        except KafkaException:
            break
        if message is None or (partition := partition_of(message)) not in open_:
            continue
        error = message.error()
        if error is not None and error.code() in POSITION_GONE and cut_at(error.str()) is not None:
            cut[partition] = error.str()
        open_.discard(partition)
    return cut
