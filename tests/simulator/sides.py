"""Owns what the scripts of test_against_broker.py are played on: the model, and a real broker that is asked the same questions.

Answers are in words, so that both can be compared: the name of an error, `ok` when there is none.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from confluent_kafka import KafkaError, Message

from kdg.kafka.library import ConsumerClient

from .groups import Place, Protocol

_SAME = {KafkaError.PRODUCER_FENCED: KafkaError.INVALID_PRODUCER_EPOCH}
"""Two codes for one thing, by the version of the request."""
TOO_EARLY = {
    "CONCURRENT_TRANSACTIONS",
    "COORDINATOR_LOAD_IN_PROGRESS",
    "COORDINATOR_NOT_AVAILABLE",
    "NOT_COORDINATOR",
    "NOT_LEADER_FOR_PARTITION",
}
"""No rule, but a moment: of the transaction before, of a coordinator, or of a topic that was just made."""
Offsets = Mapping[Place, int]


def named(code: int) -> str:
    """An error code in words."""
    return KafkaError(_SAME.get(code, code)).name() if code else "ok"


class Owner(NamedTuple):
    """A producer, as the broker knows it."""

    name: str
    pid: int
    epoch: int


class Reply(NamedTuple):
    """What a reader sees: values, or the name of the error in their place; and where the library says that the end is."""

    seen: tuple[bytes | str, ...]


class Member(ABC):
    """A member of a group. id, generation: by what it makes itself known; a script may remember older ones."""

    id: str = ""
    generation: int = -1

    @abstractmethod
    def asks_to_join(self) -> None:
        """JoinGroup of a classic group; the answer comes when all have asked."""

    @abstractmethod
    def joins(self) -> None:
        """The answer has come, and the assignment with it. The first to have joined goes first."""

    @abstractmethod
    def is_told(self) -> bool:
        """Whether its heartbeat tells it, soon, to join again."""

    @abstractmethod
    def beats(self, owned: Sequence[Place] = ()) -> list[Place]:
        """A heartbeat of KIP-848, the first one joins; what the member is to have now. owned: what it has."""

    @abstractmethod
    def leaves(self) -> None:
        """LeaveGroup."""


class Side(ABC):
    """What can be asked of a cluster."""

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
    def add(self, owner: Owner, place: Place) -> str:
        """AddPartitionsToTxn."""

    @abstractmethod
    def produce(self, owner: Owner, place: Place, sequence: int, *values: bytes) -> str:
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
    def committed(self, group: str, *places: Place) -> list[int] | str:
        """OffsetFetch of a read_committed consumer: a position each, -1 for none; or the error."""

    @abstractmethod
    def ends(self, place: Place) -> tuple[int, int, int]:
        """Where the log starts, its last stable offset, its end."""

    @abstractmethod
    def seen(self, place: Place, offset: int = 0, *, committed: bool = True) -> list[bytes | str]:
        """What a reader is given from there on to the end that it may see, by the library; an error by its name."""

    @abstractmethod
    def delete_records(self, place: Place, before: int) -> None:
        """Retention."""

    @abstractmethod
    def remake(self, topic: str) -> None:
        """Delete the topic, and make it again."""

    @abstractmethod
    def id_of(self, topic: str) -> str:
        """The topic's id."""

    @abstractmethod
    def member(self, group: str, topic: str) -> Member:
        """Somebody who may join."""

    @abstractmethod
    def until_settled(self, place: Place) -> None:
        """Wait until no transaction is open in the partition."""


def read_to_the_end(reader: ConsumerClient) -> list[bytes | str]:
    """The values that a reader is given up to the end of its partition; an error by its name."""
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
