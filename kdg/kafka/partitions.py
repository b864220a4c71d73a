"""Owns the way between kdg's TopicPartition, a tuple, and the client library's classes. Pure.

In kdg.kafka `TopicPartition` is the tuple, such as ("orders", 0); `LibraryPartition` is confluent_kafka.TopicPartition.
"""

from __future__ import annotations

from collections.abc import Iterable

from confluent_kafka import Message
from confluent_kafka import TopicPartition as LibraryPartition

from kdg.core.records import Offsets, TopicPartition


def partition_of(message: Message) -> TopicPartition:
    """Where a record, or the event of a partition, was read."""
    return message.topic() or "", message.partition() or 0


def to_library(offsets: Offsets) -> list[LibraryPartition]:
    """Partitions with an offset each, as the library takes them."""
    return [LibraryPartition(topic, partition, offset) for (topic, partition), offset in offsets.items()]


def tuples_of(partitions: Iterable[LibraryPartition]) -> list[TopicPartition]:
    """The partitions of the library's answer."""
    return [(found.topic, found.partition) for found in partitions]


def stored_offsets(partitions: Iterable[LibraryPartition]) -> dict[TopicPartition, int]:
    """The offsets in the library's answer. A negative offset means that none is stored; that partition is left out."""
    return {(found.topic, found.partition): found.offset for found in partitions if found.offset >= 0}
