"""Owns noticing that a topic was deleted and made again while it is read, or while a transaction writes to it.

The new topic has other records at the same offsets: reading on from the old position would skip those before it without
an error (hazard 13). Of a transaction that began in the old topic, only a part would become visible, because the other
part was deleted with that topic. The two topics have different ids (KIP-516).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection

from kdg.core.ports import TryAgain
from kdg.core.records import TopicPartition
from kdg.errors import PositionGone
from kdg.kafka.errors import NO_SUCH_TOPIC, NOT_AUTHORISED, NOT_REACHED, error_of
from kdg.kafka.retry import ask_again
from kdg.runtime.clock import SYSTEM_CLOCK, Clock
from kdg.runtime.deadline import Deadline

if TYPE_CHECKING:
    from kdg.kafka.library import AdminClient

FRESH = 0.25
"""Seconds for which an answer is used again. Making a topic again and reading from it takes longer."""
FRESH_WHEN_IDLE = 5.0
"""The same if no record was read: the run would only wait in vain, and no record can be skipped."""
ANSWER_SECONDS = 5.0
"""How long a broker has to answer one question."""
CHECK_SECONDS = 15.0
"""How long a commit waits for the answer whether its topic is still the same, while brokers come and go."""


@dataclass(slots=True)
class TopicIds:
    """The ids that topics had when they were first read; compared again before records are handed out.

    silent_since: when a question was asked for the first time that had no answer; None if the last one had an answer.
    leaderless: the partitions without a leader, by the last answer.
    partitions: how many each topic has, by the last answer.
    """

    admin: AdminClient
    topics: set[str]
    clock: Clock = SYSTEM_CLOCK
    leaderless: set[TopicPartition] = field(default_factory=set, init=False)
    silent_since: float | None = field(default=None, init=False)
    partitions: dict[str, int] = field(default_factory=dict, init=False)
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
        for topic, future in self.admin.describe_topics(TopicCollection(list(self.topics)), request_timeout=5).items():
            self._compare(topic, future, now)
        self._asked = now  # not after an error: the next check has to raise it again

    def _compare(self, topic: str, future: Any, asked: float) -> None:
        try:
            described = future.result(6)
        except TimeoutError:
            self._note_silence(asked)
            return
        except KafkaException as exc:
            if error_of(exc).code() in NOT_REACHED:
                self._note_silence(asked)
                return
            if error_of(exc).code() in NO_SUCH_TOPIC and topic in self._ids:
                raise _gone(topic, "was deleted") from exc
            return
        self.silent_since = None
        self.leaderless = {each for each in self.leaderless if each[0] != topic}
        self.leaderless |= {(topic, each.id) for each in described.partitions if each.leader is None}
        found = str(described.topic_id)
        self.partitions[topic] = len(described.partitions)
        if self._ids.setdefault(topic, found) != found:
            raise _gone(topic, f"was made again: its id is {found}, and was {self._ids[topic]}")

    def _note_silence(self, since: float) -> None:
        if self.silent_since is None:
            self.silent_since = since


def _gone(topic: str, what: str) -> PositionGone:
    return PositionGone(
        f"topic {topic} {what}; positions in the former topic mean nothing in it.",
        "Run it again to begin with the records that are there now: the group has no position in the new topic.",
    )


@dataclass(slots=True)
class TargetTopic:
    """The topic that a transaction writes to. It has to be the same one from the start of the run to each commit.

    The question is sent after the last record was acknowledged (`ask`), and its answer awaited before the commit
    (`check`). If the topic then has the id that it had before the first record, all records are in this topic.
    """

    admin: AdminClient
    topic: str
    deadline: Deadline
    _id: str | None = None
    _asked: Mapping[str, Future[Any]] | None = None

    def ask(self) -> None:
        """Send the question; it does not wait for the answer."""
        self.admin.poll(0)
        names = TopicCollection([self.topic])
        self._asked = self.admin.describe_topics(names, request_timeout=ANSWER_SECONDS)

    def check(self) -> None:
        """Raises PositionGone if the topic was deleted or made again, TryAgain if no broker answers."""
        doing = f"looking up topic {self.topic} before the commit"
        try:
            found = ask_again(self._answer, doing, self.deadline, within=CHECK_SECONDS, too_late=TryAgain)
        finally:
            self._asked = None
        if found is None:
            raise self._gone("was deleted")
        self._id = self._id or found
        if found and self._id != found:
            raise self._gone(f"was made again: its id is {found}, and was {self._id}")

    def _answer(self) -> str | None:
        """The id; None if there is no such topic, empty if this user may not describe it."""
        if self._asked is None:
            self.ask()
        asked, self._asked = self._asked or {}, None
        try:
            return str(asked[self.topic].result(ANSWER_SECONDS + 1).topic_id)
        except TimeoutError:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT)) from None
        except KafkaException as exc:
            if error_of(exc).code() in NO_SUCH_TOPIC:
                return None
            if error_of(exc).code() in NOT_AUTHORISED:
                return ""
            raise

    def _gone(self, what: str) -> PositionGone:
        return PositionGone(
            f"topic {self.topic} {what}; the records that were sent to the former topic are gone, and nothing of the "
            "open transaction is visible.",
            "Run it again to write to the topic that is there now; records that were committed before do not come "
            "again by themselves.",
        )
