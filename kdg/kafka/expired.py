"""Owns the error for a position whose records are gone or rewritten: which offsets are there, and the ways on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kdg.core.records import TopicPartition
from kdg.errors import KdgError, PositionGone
from kdg.sources.start_offsets import BEGINNING, Start, Where

if TYPE_CHECKING:
    from kdg.kafka.consumer import KafkaConsumer


_CUT_AT = re.compile(r"log truncation.*broker end offset is (\d+)")


def cut_at(text: str) -> int | None:
    """The offset at which the log was cut off (hazard 27), from the library's text of an error; None if it was not."""
    found = _CUT_AT.search(text)
    return int(found[1]) if found else None


def position_gone(consumer: KafkaConsumer, partition: TopicPartition, position: int, text: str) -> PositionGone:
    """The error for a position outside of the partition, or in a log that was cut off before it.

    text: of the library's error.
    """
    topic, number = partition
    cut = cut_at(text)
    if cut is None:
        holds, to = _holds(consumer, partition), "--to-earliest"
    else:
        to = f"--to-offset {cut}"
        holds = (
            f"but the log was cut off at {cut}, as after an unclean leader election: the records from {cut} on "
            "are others than those before the position"
        )
    if consumer.position_store is not None:
        owner, way_on = "the position in the sink", "Choose a new file, table or database: it starts at the beginning."
    elif consumer.group is not None:
        owner = f"the position of group {consumer.group}"
        way_on = (
            "Go on with another group: -G NAME starts at the beginning, or where -o says. Or end every member and move "
            f"this group, with Kafka's own\n     kafka-consumer-groups.sh --bootstrap-server HOST:PORT --group "
            f"{consumer.group} --topic {topic}:{number} --reset-offsets {to} --execute"
        )
    else:
        owner, way_on = "the position of this run", "Run it again: it starts at the beginning, or where -o says."
    return PositionGone(f"{owner} in {topic}[{number}] is {position}, {holds}.", way_on)


def is_there(consumer: KafkaConsumer, partition: TopicPartition, position: int, text: str) -> bool:
    """Whether the partition still holds the position, or ends there, in a log that was not cut off before it.

    text: of the library's error.
    """
    bounds = None if cut_at(text) is not None else _bounds(consumer, partition)
    return bounds is not None and bounds[0] <= position <= bounds[1]


def _bounds(consumer: KafkaConsumer, partition: TopicPartition) -> tuple[int, int] | None:
    """The first offset of the partition and its end; None if no broker says so."""
    try:
        first = consumer.lookup.starts([partition], BEGINNING)[partition]
        return first, consumer.lookup.starts([partition], Start(Where.END))[partition]
    except KdgError:
        return None


def _holds(consumer: KafkaConsumer, partition: TopicPartition) -> str:
    """What the partition holds, in words."""
    bounds = _bounds(consumer, partition)
    if bounds is None:  # a broker is away; the error itself is certain
        return "and no record is there any more"
    first, last = bounds
    return f"and the partition holds only the offsets from {first} on, up to its end at {last}"
