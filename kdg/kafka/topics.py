"""Owns making topics for the sandbox and for `kdg verify`, and removing what `kdg verify` made: kdg does not administer a cluster."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # not in its __all__

from kdg.errors import KdgError, Unreachable
from kdg.kafka.client import Watch, make_admin, reach
from kdg.kafka.errors import describe, error_of, is_passing, translate
from kdg.runtime.deadline import Deadline, NoSignals

_GONE = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.GROUP_ID_NOT_FOUND})
_LATER = 0.5  # seconds until the broker is asked again


def make_topics(
    bootstrap: str,
    topics: Sequence[tuple[str, int]],
    deadline: Deadline | None = None,
    where: Mapping[str, str] | None = None,
) -> None:
    """Make topics of a name and a number of partitions; waits until each has a leader. where: what else it takes to reach the cluster.

    Raises KdgError.
    """
    watch, deadline = Watch(), deadline or Deadline(NoSignals())
    admin = make_admin({**(where or {}), "bootstrap.servers": bootstrap}, watch)
    _await_controller(admin, watch, deadline, bootstrap)
    wanted = [NewTopic(name, num_partitions=partitions) for name, partitions in topics]
    for name, future in admin.create_topics(wanted, operation_timeout=30, request_timeout=35).items():
        try:
            future.result()
        except KafkaException as exc:
            raise translate(error_of(exc), f"making topic {name}") from exc


def _await_controller(admin: AdminClient, watch: Watch, deadline: Deadline, bootstrap: str) -> None:
    """A broker that has only started names no controller yet, and the library would not ask again in time."""
    while reach(admin, watch, deadline, bootstrap).controller_id < 0:
        admin.poll(0.05)
        if deadline.elapsed > deadline.reach:
            raise Unreachable(f"the brokers at {bootstrap} name no controller.", "Start the sandbox again.")


def remove(where: Mapping[str, str], topics: Sequence[str], groups: Sequence[str], seconds: float = 60.0) -> None:
    """Remove topics and groups; one that is not there is fine. A group goes when its last member has timed out.

    Raises KdgError, naming what is left, when that takes longer than `seconds` or is refused.
    """
    admin = make_admin(where, Watch())
    deadline = time.monotonic() + seconds
    left = _tried(lambda: admin.delete_topics(list(topics), operation_timeout=20, request_timeout=25), deadline)
    left |= _tried(lambda: admin.delete_consumer_groups(list(groups), request_timeout=10), deadline)
    if left:
        told = ", ".join(f"{name}: {reason}" for name, reason in left.items())
        raise KdgError(
            f"what was made could not be removed ({told}).", "Remove it with kafka-topics and kafka-consumer-groups."
        )


def _tried(ask: Callable[[], Mapping[str, Future[None]]], deadline: float) -> dict[str, str]:
    """What is left in the end, with the reason."""
    while True:
        left = {name: error for name, future in ask().items() if (error := _error(future)) is not None}
        passing = any(is_passing(error) or error.code() == KafkaError.NON_EMPTY_GROUP for error in left.values())
        if not passing or time.monotonic() > deadline:
            return {name: describe(error) for name, error in left.items()}
        time.sleep(_LATER)


def _error(future: Future[None]) -> KafkaError | None:
    try:
        future.result()
    except KafkaException as exc:
        error = error_of(exc)
        return None if error.code() in _GONE else error
    return None
