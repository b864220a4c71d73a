"""Owns clients of a test that needs no broker, typed as kdg.kafka.library has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from confluent_kafka.admin import (  # type: ignore[attr-defined]  # not in its __all__
    ClusterMetadata,
    PartitionMetadata,
    TopicMetadata,
)

from kdg.kafka.client import Watch
from kdg.kafka.library import OnDelivery, ProducerClient


@dataclass(frozen=True, slots=True)
class OnlyProducers:
    """See kdg.kafka.library.Clients: `make` gives the producers, and nobody asks for another client."""

    make: Callable[[Mapping[str, str]], ProducerClient]

    def producer(self, settings: Mapping[str, str], watch: Watch, on_delivery: OnDelivery) -> ProducerClient:
        """What `make` makes of the settings."""
        return self.make(settings)

    def consumer(self, settings: Mapping[str, str], watch: Watch) -> NoReturn:
        """Never called."""
        raise AssertionError

    def admin(self, settings: Mapping[str, str], watch: Watch) -> NoReturn:
        """Never called."""
        raise AssertionError


def metadata_of(partitions: Mapping[str, int]) -> ClusterMetadata:
    """The metadata of a cluster with these topics, each with so many partitions."""
    found = ClusterMetadata()
    for name, count in partitions.items():
        found.topics[name] = TopicMetadata()
        found.topics[name].partitions = {number: PartitionMetadata() for number in range(count)}
    return found
