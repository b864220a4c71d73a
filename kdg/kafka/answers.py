"""Owns how a run that reads answers an event of the library: the fate of the event is in kdg/kafka/events.py."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, Message

from kdg.core.records import TopicPartition
from kdg.errors import Fenced, KdgError, PositionGone
from kdg.kafka.consumer import KafkaConsumer
from kdg.kafka.errors import NO_SUCH_TOPIC, POSITION_GONE, rights, translate
from kdg.kafka.events import EVENTS, UNREADABLE, Fate, fate
from kdg.kafka.expired import is_there, position_gone
from kdg.kafka.membership import Membership
from kdg.kafka.partitions import partition_of
from kdg.kafka.positions import Positions
from kdg.kafka.unreadable import Unreadable

MOST_PUT_BACK = 3
"""How often in one run the library is put back to the position of a partition."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of one source."""

    consumer: KafkaConsumer
    membership: Membership
    positions: Positions
    unreadable: Unreadable
    _postponed: list[Message] = field(default_factory=list)
    _put_back: Counter[TopicPartition] = field(default_factory=Counter)

    def postpone(self, message: Message) -> None:
        """A message that came while work took long: an event is answered later, a record is fetched again."""
        error = message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:
            self._postponed.append(message)
        elif (partition := partition_of(message)) in self.positions.next:
            self.positions.seek_again(partition)

    def with_postponed(self, messages: list[Message]) -> list[Message]:
        """The postponed events, then these messages."""
        if not self._postponed:
            return messages
        postponed = self._postponed[:]
        self._postponed.clear()
        return postponed + messages

    def without_trouble(self, messages: list[Message]) -> list[Message]:
        """The records and the ends of partitions, in each up to a batch that cannot be read; trouble is answered."""
        kept: list[Message] = []
        unreadable: set[TopicPartition] = set()
        for message in messages:
            error, partition = message.error(), partition_of(message)
            if partition in unreadable:
                continue
            if error is None or error.code() == KafkaError._PARTITION_EOF:
                kept.append(message)
            elif error.code() not in UNREADABLE or not message.topic():
                self.answer(error, message)
            elif partition in self.positions.next:
                unreadable.add(partition)
                self.found_unreadable(partition, self._meaning(error, f"{_named(message)}@{message.offset()}"))
        return kept

    def found_unreadable(self, partition: TopicPartition, error: KdgError) -> None:
        """A batch of this partition cannot be read. error: with which the run ends there."""
        if self.unreadable.partition in (None, partition):
            self.unreadable.found(partition, error)
        else:  # if the run goes on after the first, this one has to come again
            self.positions.seek_again(partition)

    def answer(self, error: KafkaError, message: Message) -> None:
        """Raise what an event means if it ends the run; note it, or let it pass. An event comes once."""
        watch, where = self.consumer.watch, _named(message)
        if watch.fault is not None:
            raise watch.no_token or translate(watch.fault, "reading")
        if error.code() in NO_SUCH_TOPIC and message.topic():
            raise PositionGone(
                f"reading {where}: the topic or the partition is gone: {error.str()}.",
                "The topic was probably deleted. To read a new topic of that name, use another group.",
            )
        if error.code() == KafkaError._MAX_POLL_EXCEEDED:
            self.membership.note_too_slow()
        elif error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED and self.consumer.group is None:
            return  # the library asks for a coordinator that is not needed without a group
        elif fate(error) is Fate.ENDS:
            self._end(error, message)
        elif fate(error) is Fate.NOTED:
            watch.note(error, f"reading {where}".rstrip())

    def _end(self, error: KafkaError, message: Message) -> None:
        meaning, partition = self._meaning(error, _named(message)), partition_of(message)
        if error.code() in POSITION_GONE and partition in self.positions.next:
            if self._astray(error, partition):
                self.positions.seek_again(partition)
                return
            raise position_gone(self.consumer, partition, self.positions.next[partition], error.str())
        if not (isinstance(meaning, Fenced) and self.membership.renew()):
            raise meaning

    def _astray(self, error: KafkaError, partition: TopicPartition) -> bool:
        """Whether the library looked for an offset that nobody asked for. It takes one from damaged bytes [seen]."""
        if self._put_back[partition] >= MOST_PUT_BACK:
            return False
        self._put_back[partition] += 1
        return is_there(self.consumer, partition, self.positions.next[partition], error.str())

    def _meaning(self, error: KafkaError, where: str) -> KdgError:
        needs = rights(where.partition("[")[0], group=self.consumer.group)
        doing, settings = f"reading {where}".rstrip(), self.consumer.watch.settings
        return translate(error, doing, needs, table=EVENTS, settings=settings)


def _named(message: Message) -> str:
    """What an event is about: "orders[0]", "orders", or "" if it is about the group or the whole client."""
    topic, number = message.topic() or "", message.partition()
    return f"{topic}[{number}]" if topic and number is not None and number >= 0 else topic
