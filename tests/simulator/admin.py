"""Owns the admin client over the model, and the metadata that all clients of the model answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # not in its __all__
    BrokerMetadata,
    ClusterMetadata,
    ConfigResource,
    OffsetSpec,
    PartitionMetadata,
    TopicMetadata,
)

from .cluster import Cluster, Log

T = TypeVar("T")
REPLICAS = [1, 2, 3]
EARLIEST: OffsetSpec = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
LATEST: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]


class ConfigEntry(NamedTuple):
    """The part of a ConfigEntry that kdg reads."""

    value: str


class Partition(NamedTuple):
    """The part of a TopicPartitionInfo that kdg reads."""

    id: int
    leader: str = "always there"


class TopicDescription(NamedTuple):
    """The part of a TopicDescription that kdg reads."""

    topic_id: int
    partitions: Sequence[Partition]


class GroupDescription(NamedTuple):
    """The part of a ConsumerGroupDescription that kdg reads."""

    members: list[str]


class OffsetResult(NamedTuple):
    """The part of a ListOffsetsResultInfo that kdg reads."""

    offset: int
    leader_epoch: int | None = None


CONFIGURATION = {
    "min.insync.replicas": ConfigEntry("2"),
    "unclean.leader.election.enable": ConfigEntry("false"),
    "cleanup.policy": ConfigEntry("delete"),
    "transaction.state.log.replication.factor": ConfigEntry("3"),
    "transaction.state.log.min.isr": ConfigEntry("2"),
}
"""Settings of every topic and broker: they meet the requirements of each guarantee, so that `--strict` is content."""


def metadata_of(cluster: Cluster) -> ClusterMetadata:
    """The metadata of all topics, as list_topics gives them."""
    counts: dict[str, int] = dict.fromkeys(cluster.topics, 0)
    for topic, _partition in cluster.logs:
        counts[topic] += 1
    return _metadata(tuple(counts.items()))


@lru_cache
def _metadata(counts: Iterable[tuple[str, int]]) -> ClusterMetadata:
    metadata = ClusterMetadata()
    metadata.brokers = {1: BrokerMetadata()}
    metadata.topics = {topic: _topic(topic, count) for topic, count in counts}
    return metadata


def _topic(name: str, count: int) -> TopicMetadata:
    topic = TopicMetadata()
    topic.topic = name
    for number in range(count):
        partition = topic.partitions[number] = PartitionMetadata()
        partition.id, partition.leader = number, 1
        partition.replicas, partition.isrs = REPLICAS, REPLICAS
    return topic


def _answered(value: T) -> Future[T]:
    future: Future[T] = Future()
    future.set_result(value)
    return future


def _refused(code: int) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(KafkaException(KafkaError(code)))
    return future


@dataclass(slots=True)
class SimAdmin:
    """See kdg.kafka.library.AdminClient. Its requests change nothing, so no fault strikes at them."""

    cluster: Cluster

    def list_topics(self, topic: str | None = None, timeout: float = -1) -> ClusterMetadata:
        """All topics, whichever was asked for."""
        return metadata_of(self.cluster)

    def poll(self, timeout: float, /) -> int:
        """Time passes."""
        self.cluster.advance(timeout)
        return 0

    def describe_topics(self, topics: TopicCollection, /, *, request_timeout: float) -> dict[str, Future[Any]]:
        """The id of each topic."""
        known = self.cluster.topics
        return {
            name: _answered(
                TopicDescription(known[name], [Partition(number) for _, number in self.cluster.places(name)])
            )
            if name in known
            else _refused(KafkaError.UNKNOWN_TOPIC_OR_PART)
            for name in topics.topic_names
        }

    def describe_consumer_groups(self, group_ids: list[str], /, *, request_timeout: float) -> Mapping[str, Future[Any]]:
        """The members of each group."""
        return {name: _answered(GroupDescription(list(self.cluster.group(name).members))) for name in group_ids}

    def describe_configs(
        self, resources: list[ConfigResource], /, *, request_timeout: float
    ) -> Mapping[ConfigResource, Future[Any]]:
        """The same settings for everything."""
        return {resource: _answered(CONFIGURATION) for resource in resources}

    def list_offsets(
        self, asked: dict[TopicPartition, OffsetSpec], /, *, isolation_level: IsolationLevel, request_timeout: float
    ) -> Mapping[TopicPartition, Future[Any]]:
        """The first offset, or the end as a reader of this isolation level sees it."""
        logs, committed = self.cluster.logs, isolation_level == IsolationLevel.READ_COMMITTED
        return {
            tp: _answered(OffsetResult(_offset(logs[tp.topic, tp.partition], spec, committed=committed)))
            for tp, spec in asked.items()
        }


def _offset(log: Log, spec: OffsetSpec, *, committed: bool) -> int:
    if spec is EARLIEST:
        return log.start
    if spec is not LATEST:
        raise ValueError("the model knows no times")
    return log.stable if committed else len(log.entries)
