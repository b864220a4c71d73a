"""Owns the way between kdg's TopicPartition, a tuple, and the client library's classes. Pure.

In kdg.kafka `TopicPartition` is the tuple, such as ("orders", 0); `LibraryPartition` is confluent_kafka.TopicPartition.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from confluent_kafka import Message
from confluent_kafka import TopicPartition as LibraryPartition

from kdg.core.records import Offsets, Position, TopicPartition
from kdg.kafka.leader_epochs import LeaderEpochs


def partition_of(message: Message) -> TopicPartition:
    """Where a record, or the event of a partition, was read."""
    return message.topic() or "", message.partition() or 0


NO_EPOCH = -1
"""The library's leader epoch of a position without one."""


def to_library(offsets: Offsets, epochs: LeaderEpochs | None = None) -> list[LibraryPartition]:
    """Partitions with an offset each as the library takes them, with the leader epochs if they are given."""
    epoch = epochs.of if epochs is not None else lambda _partition: None
    return [position_to_library(Position(*place, offset, "", epoch(place))) for place, offset in offsets.items()]


def position_to_library(position: Position) -> LibraryPartition:
    """A position as the library takes it, with its leader epoch."""
    place, epoch = (position.topic, position.partition, position.offset), position.leader_epoch
    more: dict[str, Any] = {"metadata": position.metadata} if position.metadata else {}
    return LibraryPartition(*place, **more, leader_epoch=NO_EPOCH if epoch is None else epoch)


def tuples_of(partitions: Iterable[LibraryPartition]) -> list[TopicPartition]:
    """The partitions of the library's answer."""
    return [(found.topic, found.partition) for found in partitions]


def stored_offsets(partitions: Iterable[LibraryPartition]) -> dict[TopicPartition, int]:
    """The offsets in the library's answer. A negative offset means that none is stored; that partition is left out."""
    return {(found.topic, found.partition): found.offset for found in partitions if found.offset >= 0}
