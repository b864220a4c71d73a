"""Owns making topics, for the sandbox alone: kdg does not administer a cluster."""

from __future__ import annotations

from collections.abc import Sequence

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # not in its __all__

from kdg.errors import Unreachable
from kdg.kafka.client import Watch, make_admin, reach
from kdg.kafka.errors import error_of, translate
from kdg.patience import NoSignals, Patience


def make_topics(bootstrap: str, topics: Sequence[tuple[str, int]], patience: Patience | None = None) -> None:
    """Make topics of a name and a number of partitions; waits until each has a leader. Raises KdgError."""
    watch, patience = Watch(), patience or Patience(NoSignals())
    admin = make_admin({"bootstrap.servers": bootstrap}, watch)
    _await_controller(admin, watch, patience, bootstrap)
    wanted = [NewTopic(name, num_partitions=partitions) for name, partitions in topics]
    for name, future in admin.create_topics(wanted, operation_timeout=30, request_timeout=35).items():
        try:
            future.result()
        except KafkaException as exc:
            raise translate(error_of(exc), f"making topic {name}") from exc


def _await_controller(admin: AdminClient, watch: Watch, patience: Patience, bootstrap: str) -> None:
    """A broker that has only started names no controller yet, and the library would not ask again in time."""
    while reach(admin, watch, patience, bootstrap).controller_id < 0:
        admin.poll(0.05)
        if patience.elapsed > patience.reach:
            raise Unreachable(f"the brokers at {bootstrap} name no controller.", "Start the sandbox again.")
