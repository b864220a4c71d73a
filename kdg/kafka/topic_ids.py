"""Owns noticing that a topic was deleted and made again while it is read.

A new log that is longer than the position would be read on from there, and what lies before it silently skipped (HAZARDS.md, "a
topic made again"): the topic's id tells.
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
"""Seconds for which an answer counts; making a topic again and reading from it takes longer."""
FRESH_WHEN_IDLE = 5.0
"""The same where no record is at stake, and the run would only wait for what never comes."""


@dataclass(slots=True)
class TopicIds:
    """The ids that some topics had at the start; looked at again before records are handed out."""

    admin: AdminClient
    topics: set[str]
    clock: Clock = SYSTEM_CLOCK
    _ids: dict[str, str] = field(default_factory=dict)
    _asked: float = float("-inf")

    def watch(self, topics: Iterable[str]) -> None:
        """These, too."""
        self.topics.update(topics)

    def of(self, topic: str) -> str:
        """A topic's id; empty where this user may not describe it."""
        return self._ids.get(topic, "")

    def check(self, fresh: float = FRESH) -> None:
        """Raises PositionGone when a topic is no longer the one it was. A topic that this user may not describe is not watched."""
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
        f"topic {topic} {what}; positions in the one that was read mean nothing in it.",
        "Run it again to begin with what there is now: the group has no position in the new topic.",
    )
