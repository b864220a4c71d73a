"""Owns the interface of the two sides on which the scripts are played: the model and a real broker.

Answers are words, so that the sides can be compared: the name of an error, or `ok`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from confluent_kafka import KafkaError, Message

from kdg.core.records import TopicPartition
from kdg.kafka.library import ConsumerClient

from .groups import Protocol

_SAME = {KafkaError.PRODUCER_FENCED: KafkaError.INVALID_PRODUCER_EPOCH}
"""Two codes for the same error, in different versions of a request."""
TOO_EARLY = {
    "CONCURRENT_TRANSACTIONS",
    "COORDINATOR_LOAD_IN_PROGRESS",
    "COORDINATOR_NOT_AVAILABLE",
    "NOT_COORDINATOR",
    "NOT_LEADER_FOR_PARTITION",
}
"""Answers that pass by themselves: an earlier transaction, a coordinator or a new topic is not ready yet."""
Offsets = Mapping[TopicPartition, int]


def named(code: int) -> str:
    """An error code in words."""
    return KafkaError(_SAME.get(code, code)).name() if code else "ok"


class Owner(NamedTuple):
    """A producer, as the broker knows it."""

    name: str
    pid: int
    epoch: int


class Member(ABC):
    """A member of a group. id, generation: what it sends with each request; a script may keep older values of them."""

    id: str = ""
    generation: int = -1

    @abstractmethod
    def asks_to_join(self) -> None:
        """Send JoinGroup to a classic group. The answer comes when all members have sent it."""

    @abstractmethod
    def joins(self) -> None:
        """Receive the answer and the assignment. The first member that joined calls this first."""

    @abstractmethod
    def is_asked_to_rejoin(self) -> bool:
        """Whether the answer to a heartbeat soon asks the member to join again."""

    @abstractmethod
    def beats(self, owned: Sequence[TopicPartition] = ()) -> list[TopicPartition]:
        """Send a heartbeat of KIP-848; the first one joins.

        Returns the partitions that the member is to own. owned: those it owns.
        """

    @abstractmethod
    def leaves(self) -> None:
        """LeaveGroup."""


class Side(ABC):
    """The questions to a cluster."""

    @abstractmethod
    def topic(self, partitions: int = 1) -> str:
        """A new topic."""

    @abstractmethod
    def group(self, protocol: Protocol = Protocol.EAGER) -> str:
        """A new group, without members."""

    @abstractmethod
    def init(self, name: str = "", timeout: float = 60.0) -> Owner:
        """InitProducerId, in seconds; without a name it is an idempotent producer."""

    @abstractmethod
    def add(self, owner: Owner, place: TopicPartition) -> str:
        """AddPartitionsToTxn."""

    @abstractmethod
    def produce(self, owner: Owner, place: TopicPartition, sequence: int, *values: bytes) -> str:
        """Produce."""

    @abstractmethod
    def add_group(self, owner: Owner, group: str) -> str:
        """AddOffsetsToTxn."""

    @abstractmethod
    def send_offsets(self, owner: Owner, group: str, offsets: Offsets, member: str = "", generation: int = -1) -> str:
        """TxnOffsetCommit."""

    @abstractmethod
    def end(self, owner: Owner, *, commit: bool) -> str:
        """EndTxn, in the version that does not move the epoch on."""

    @abstractmethod
    def commit(self, group: str, offsets: Offsets, member: str = "", generation: int = -1) -> str:
        """OffsetCommit."""

    @abstractmethod
    def committed(self, group: str, *places: TopicPartition) -> list[int] | str:
        """OffsetFetch of a read_committed consumer: the position of each partition, -1 without one; or the error."""

    @abstractmethod
    def ends(self, place: TopicPartition) -> tuple[int, int, int]:
        """The first offset of the log, its last stable offset, its end."""

    @abstractmethod
    def seen(self, place: TopicPartition, offset: int = 0, *, committed: bool = True) -> list[bytes | str]:
        """The values that the library gives a reader from the offset to the end; an error by its name."""

    @abstractmethod
    def delete_records(self, place: TopicPartition, before: int) -> None:
        """Delete records before an offset, as retention does."""

    @abstractmethod
    def remake(self, topic: str) -> None:
        """Delete the topic, and make it again."""

    @abstractmethod
    def id_of(self, topic: str) -> str:
        """The topic's id."""

    @abstractmethod
    def member(self, group: str, topic: str) -> Member:
        """A member that has not joined yet."""

    @abstractmethod
    def until_settled(self, place: TopicPartition) -> None:
        """Wait until no transaction is open in the partition."""


def read_to_the_end(reader: ConsumerClient) -> list[bytes | str]:
    """The values that a reader gets up to the end of its partition; an error by its name."""
    found: list[bytes | str] = []
    while True:
        message: Message | None = reader.poll(1.0)
        if message is None:
            continue
        error = message.error()
        if error is None:
            found.append(message.value() or b"")
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # the library's own name
            return found
        else:
            return [*found, error.name()]
