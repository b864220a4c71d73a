"""Owns what kdg calls of the Kafka client library, as protocols: its three clients, and the factory that makes them.

confluent_kafka's own classes fit these protocols (`kdg.runs.clients`), and so do the clients of the simulator's model.
Each method does what the method of that name does in confluent_kafka.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Literal, Protocol, overload

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message, TopicCollection
    from confluent_kafka import TopicPartition as LibraryPartition
    from confluent_kafka.admin import ClusterMetadata, ConfigResource, OffsetSpec  # type: ignore[attr-defined]

    from kdg.kafka.client import Watch

OnDelivery = Callable[["KafkaError | None", "Message"], None]
"""Called with the error of a record that was not delivered, and the record."""
OnRebalance = Callable[["ConsumerClient", "list[LibraryPartition]"], None]
"""Called inside poll and consume, with the partitions that come or go."""


class Client(Protocol):
    """What all three clients have in common."""

    def list_topics(self, topic: str | None = None, timeout: float = -1) -> ClusterMetadata:
        """Metadata of one topic, or of all."""

    def poll(self, timeout: float, /) -> object:
        """Serve callbacks; a consumer's poll returns a message or None as well."""


class ProducerClient(Client, Protocol):
    """A confluent_kafka.Producer."""

    def produce(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        partition: int,
        on_delivery: OnDelivery | None = None,
        callback: None = None,
        timestamp: int = 0,
        headers: list[tuple[str, str | bytes | None]] | None = None,
        /,
    ) -> None:
        """Put a record into the queue."""

    def flush(self, timeout: float, /) -> int:
        """Wait for delivery reports; the number of records without one."""

    def purge(self, in_queue: bool = True, in_flight: bool = True) -> None:
        """Drop records."""

    def init_transactions(self, timeout: float, /) -> None:
        """Fence older producers of the transactional id."""

    def begin_transaction(self) -> None:
        """Begin."""

    def send_offsets_to_transaction(
        self, positions: list[LibraryPartition], group_metadata: Any, timeout: float, /
    ) -> None:
        """Add positions."""

    def commit_transaction(self, timeout: float, /) -> None:
        """Commit."""

    def abort_transaction(self, timeout: float, /) -> None:
        """Abort."""

    def __len__(self) -> int:
        """The number of records without a delivery report."""


class ConsumerClient(Client, Protocol):
    """A confluent_kafka.Consumer."""

    def subscribe(
        self, topics: list[str], on_assign: OnRebalance, on_revoke: OnRebalance, on_lost: OnRebalance
    ) -> None:
        """Join the group."""

    def poll(self, timeout: float, /) -> Message | None:
        """One message."""

    def consume(self, num_messages: int, timeout: float, /) -> list[Message]:
        """Several messages."""

    def assign(self, partitions: list[LibraryPartition], /) -> None:
        """Read these partitions alone."""

    def unassign(self) -> None:
        """Read none."""

    def incremental_assign(self, partitions: list[LibraryPartition], /) -> None:
        """Read these as well."""

    def incremental_unassign(self, partitions: list[LibraryPartition], /) -> None:
        """Read these no more."""

    def seek(self, partition: LibraryPartition, /) -> None:
        """Go on at an offset."""

    @overload
    def commit(self, *, offsets: list[LibraryPartition], asynchronous: Literal[True]) -> None: ...
    @overload
    def commit(self, *, offsets: list[LibraryPartition], asynchronous: Literal[False]) -> list[LibraryPartition]: ...

    def committed(self, partitions: list[LibraryPartition], timeout: float = -1) -> list[LibraryPartition]:
        """The group's positions."""

    def get_watermark_offsets(
        self, partition: LibraryPartition, timeout: float = -1, cached: bool = False
    ) -> tuple[int, int]:
        """The first offset of a partition, and the offset after the last that may be read."""

    def consumer_group_metadata(self) -> Any:
        """What a transaction carries, so that the group can fence a former member (KIP-447)."""

    def close(self) -> None:
        """Leave the group."""


class AdminClient(Client, Protocol):
    """A confluent_kafka.admin.AdminClient. Each future holds the answer or raises KafkaException."""

    def describe_topics(self, topics: TopicCollection, /, *, request_timeout: float) -> Mapping[str, Future[Any]]:
        """A TopicDescription each."""

    def describe_consumer_groups(self, group_ids: list[str], /, *, request_timeout: float) -> Mapping[str, Future[Any]]:
        """A ConsumerGroupDescription each."""

    def describe_configs(
        self, resources: list[ConfigResource], /, *, request_timeout: float
    ) -> Mapping[ConfigResource, Future[Any]]:
        """The ConfigEntry of each setting, by its name."""

    def list_offsets(
        self, asked: dict[LibraryPartition, OffsetSpec], /, *, isolation_level: Any, request_timeout: float
    ) -> Mapping[LibraryPartition, Future[Any]]:
        """A ListOffsetsResultInfo each."""


class Clients(Protocol):
    """Makes clients.

    Their errors and their log go to `watch`. Raises UsageError for settings that the library refuses.
    """

    def producer(self, settings: Mapping[str, str], watch: Watch, on_delivery: OnDelivery) -> ProducerClient:
        """A producer that calls `on_delivery` for each record that was not delivered."""

    def consumer(self, settings: Mapping[str, str], watch: Watch) -> ConsumerClient:
        """A consumer."""

    def admin(self, settings: Mapping[str, str], watch: Watch) -> AdminClient:
        """An admin client with the connection settings of another client."""
