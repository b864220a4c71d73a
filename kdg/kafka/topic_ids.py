"""Owns noticing that a topic was deleted and made again while it is read.

The new topic has other records at the same offsets: reading on from the old position would skip those before it without
an error (hazard 13). The two topics have different ids (KIP-516).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaException, TopicCollection

from kdg.errors import PositionGone
from kdg.kafka.errors import NO_SUCH_TOPIC, error_of
from kdg.runtime.clock import SYSTEM_CLOCK, Clock

if TYPE_CHECKING:
    from kdg.kafka.library import AdminClient

FRESH = 0.25
"""Seconds for which an answer is used again. Making a topic again and reading from it takes longer."""
FRESH_WHEN_IDLE = 5.0
"""The same if no record was read: the run would only wait in vain, and no record can be skipped."""


@dataclass(slots=True)
class TopicIds:
    """The ids that topics had when they were first read; compared again before records are handed out."""

    admin: AdminClient
    topics: set[str]
    clock: Clock = SYSTEM_CLOCK
    _ids: dict[str, str] = field(default_factory=dict)
    _asked: float = float("-inf")

    def watch(self, topics: Iterable[str]) -> None:
        """Compare the ids of these topics as well."""
        self.topics.update(topics)

    def of(self, topic: str) -> str:
        """A topic's id; empty if this user may not describe the topic."""
        return self._ids.get(topic, "")

    def check(self, fresh: float = FRESH) -> None:
        """Raises PositionGone if a topic was deleted or made again.

        A topic that this user may not describe is not compared. fresh: seconds for which the last answer is used again.
        """
        now = self.clock.monotonic()
        if now - self._asked < fresh:
            return
        self._asked = now
        for topic, future in self.admin.describe_topics(TopicCollection(list(self.topics)), request_timeout=5).items():
            self._compare(topic, future)

    def _compare(self, topic: str, future: Any) -> None:
        try:
            found = str(future.result(6).topic_id)
        except TimeoutError:
            return
        except KafkaException as exc:
            if error_of(exc).code() in NO_SUCH_TOPIC and topic in self._ids:
                raise _gone(topic, "was deleted") from exc
            return
        if self._ids.setdefault(topic, found) != found:
            raise _gone(topic, f"was made again: its id is {found}, and was {self._ids[topic]}")


def _gone(topic: str, what: str) -> PositionGone:
    return PositionGone(
        f"topic {topic} {what}; positions in the former topic mean nothing in it.",
        "Run it again to begin with the records that are there now: the group has no position in the new topic.",
    )
