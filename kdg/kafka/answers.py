"""Owns how a run that reads answers an event of the library: the fate of the event is in kdg/kafka/events.py."""

from __future__ import annotations

from dataclasses import dataclass

from confluent_kafka import KafkaError, Message

from kdg.errors import Fenced, KdgError, PositionGone
from kdg.kafka.consumer import KafkaConsumer
from kdg.kafka.errors import NO_SUCH_TOPIC, POSITION_GONE, rights, translate
from kdg.kafka.events import EVENTS, Fate, fate
from kdg.kafka.expired import position_gone
from kdg.kafka.membership import Membership
from kdg.kafka.partitions import partition_of
from kdg.kafka.positions import Positions


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of one source."""

    consumer: KafkaConsumer
    membership: Membership
    positions: Positions

    def answer(self, error: KafkaError, message: Message) -> None:
        """Raise what an event means if it ends the run; note it, or let it pass. An event comes once."""
        watch, where = self.consumer.watch, _named(message)
        if watch.fault is not None:
            raise watch.no_token or translate(watch.fault, "reading")
        if error.code() in NO_SUCH_TOPIC and message.topic():
            raise PositionGone(
                f"reading {where}: the topic or the partition is gone: {error.str()}.",
                "Was it deleted? A topic made again begins anew.",
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
            raise position_gone(self.consumer, partition, self.positions.next[partition], error.str())
        if not (isinstance(meaning, Fenced) and self.membership.renew()):
            raise meaning

    def unreadable(self, error: KafkaError, message: Message) -> KdgError:
        """The error with which a run ends at a batch that cannot be read."""
        return self._meaning(error, f"{_named(message)}@{message.offset()}")

    def _meaning(self, error: KafkaError, where: str) -> KdgError:
        needs = rights(where.partition("[")[0], group=self.consumer.group)
        doing, settings = f"reading {where}".rstrip(), self.consumer.watch.settings
        return translate(error, doing, needs, table=EVENTS, settings=settings)


def _named(message: Message) -> str:
    """What an event is about: "orders[0]", "orders", or "" if it is about the group or the whole client."""
    topic, number = message.topic() or "", message.partition()
    return f"{topic}[{number}]" if topic and number is not None and number >= 0 else topic
