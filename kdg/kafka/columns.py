"""Owns turning the library's messages into a Batch, column by column: no Python statement runs once a record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any, TypeVar, cast

from confluent_kafka import Message

from kdg.core.records import Batch, TopicPartition
from kdg.kafka.membership import Assignment, Selection
from kdg.kafka.patterns import is_pattern

T = TypeVar("T")

MAX_BYTES = 8_000_000
"""The most that one fetch should bring, so that memory stays bounded (hazard 14)."""
MAX_RECORDS = 3_000
"""The same in records: more at a time leave the processor's caches, and take a tenth longer [measured]."""


@dataclass(slots=True)
class Columns:
    """Makes batches of messages.

    names: the columns of Batch that somebody looks at; `values` is always there.
    topic: the only topic that messages come from; None if there are several. partition: the same for a partition.
    """

    names: frozenset[str]
    topic: str | None = None
    partition: TopicPartition | None = None
    _average: float = 16_000.0
    """Bytes of a record in the last batches; high at the start, because nothing is known yet."""

    def fetch_size(self, limit: int) -> int:
        """How many records to fetch, at most `limit`, so that they are about MAX_BYTES at most."""
        return max(min(limit, MAX_RECORDS, int(MAX_BYTES / self._average)), 1)

    def batch(self, messages: list[Message]) -> Batch:
        """The records as a Batch; no event may be among them."""
        columns: dict[str, Any] = {name: read(messages) for name, read in _READ.items() if name in self.names}
        batch = Batch(values=list(map(Message.value, messages)), **columns)
        batch.source = partial(_place, messages)
        if messages:
            average = batch.size / len(messages)
            self._average = max(0.5 * self._average + 0.5 * average, average, 1.0)
        return batch

    def last_messages(self, messages: list[Message]) -> dict[TopicPartition, Message]:
        """The last record of each partition among records; no event may be among them."""
        if not messages:
            return {}
        if self.partition is not None:
            return {self.partition: messages[-1]}
        numbers = map(Message.partition, messages)
        if self.topic is not None:  # naming the topic of each record would cost as much as three columns
            last_of_number = dict(zip(numbers, messages, strict=True))
            return {(self.topic, number or 0): message for number, message in last_of_number.items()}
        pairs = cast(Iterable[TopicPartition], zip(map(Message.topic, messages), numbers, strict=True))
        return dict(zip(pairs, messages, strict=True))


def _place(messages: list[Message], index: int) -> tuple[str, int, int]:
    message = messages[index]
    return message.topic() or "", message.partition() or 0, message.offset() or 0


_READ: dict[str, Callable[[list[Message]], Sequence[Any] | None]] = {
    "keys": lambda messages: _unless_all_null(list(map(Message.key, messages))),
    "headers": lambda messages: _unless_all_null(_headers(messages)),
    "timestamps": lambda messages: list(map(itemgetter(1), map(Message.timestamp, messages))),
    "topics": lambda messages: list(map(Message.topic, messages)),
    "partitions": lambda messages: list(map(Message.partition, messages)),
    "offsets": lambda messages: list(map(Message.offset, messages)),
}


def _unless_all_null(column: list[Any]) -> list[Any] | None:
    return None if column.count(None) == len(column) else column


class UnreadableNameError(Exception):
    """The library cannot return the headers of the record at this index, because a name is not UTF-8."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


def _headers(messages: list[Message]) -> list[Any]:
    """The headers of each message. The library must not be asked twice for those that it cannot return [seen]."""
    column: list[Any] = []
    try:
        column.extend(map(Message.headers, messages))
    except (SystemError, UnicodeError) as exc:
        raise UnreadableNameError(len(column)) from exc
    return column


def only(selection: Selection) -> tuple[str | None, TopicPartition | None]:
    """The one topic, and the one partition, that messages can come from; None where there may be several.

    A subscription has no such partition: a message may be of a partition that has just left.
    """
    if isinstance(selection, Assignment):
        partitions = {**selection.starts, **selection.stored}
        topics = {topic for topic, _partition in partitions}
        return _single(topics), _single(set(partitions))
    return (None if any(map(is_pattern, selection.topics)) else _single(set(selection.topics))), None


def _single(values: set[T]) -> T | None:
    return next(iter(values)) if len(values) == 1 else None
