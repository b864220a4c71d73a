"""Owns making topics, for the sandbox alone: kdg does not administer a cluster."""

from __future__ import annotations

from collections.abc import Sequence

from confluent_kafka import KafkaException
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]  # not in its __all__

from kdg.kafka.client import Watch, make_admin
from kdg.kafka.errors import error_of, translate


def make_topics(bootstrap: str, topics: Sequence[tuple[str, int]]) -> None:
    """Make topics of a name and a number of partitions; waits until each has a leader. Raises KdgError."""
    admin = make_admin({"bootstrap.servers": bootstrap}, Watch())
    wanted = [NewTopic(name, num_partitions=partitions) for name, partitions in topics]
    for name, future in admin.create_topics(wanted, operation_timeout=30, request_timeout=35).items():
        try:
            future.result()
        except KafkaException as exc:
            raise translate(error_of(exc), f"making topic {name}") from exc
