"""Owns the requests to a cluster that are not part of a run: names for completion; topics, groups and rights for tests.

kdg does not administer a cluster. Topics are made and removed for the sandbox and `kdg verify`, rights for the sandbox.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # these names are not in its __all__
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from kdg.errors import KdgError, Unreachable
from kdg.kafka.client import Watch, make_admin
from kdg.kafka.errors import describe, error_of, is_passing, translate
from kdg.kafka.reach import reach
from kdg.kafka.retry import wait_until
from kdg.runtime.deadline import Deadline, NoSignals

ANY = "*"
"""The name of a resource that is every resource of its kind."""
COMPLETION_SECONDS = 1.0
"""How long a shell waits for names."""
_GONE = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.GROUP_ID_NOT_FOUND})
_AGAIN_SECONDS = 0.5


# ── names ──


def topic_names(settings: Mapping[str, str]) -> list[str]:
    """The topics, without Kafka's internal ones. Raises KafkaException if no broker answers within a second."""
    admin = make_admin(settings, Watch())
    return sorted(name for name in admin.list_topics(timeout=COMPLETION_SECONDS).topics if not name.startswith("__"))


def group_names(settings: Mapping[str, str]) -> list[str]:
    """The consumer groups. Raises KafkaException if no broker answers within a second."""
    admin = make_admin(settings, Watch())
    found = admin.list_consumer_groups(request_timeout=COMPLETION_SECONDS).result(COMPLETION_SECONDS)
    return sorted(group.group_id for group in found.valid or [])


# ── topics and groups ──


def make_topics(
    bootstrap: str,
    topics: Sequence[tuple[str, int]],
    deadline: Deadline | None = None,
    where: Mapping[str, str] | None = None,
) -> None:
    """Make topics, each a name and a number of partitions, and wait until each partition has a leader.

    where: other settings that are needed to reach the cluster. Raises KdgError.
    """
    watch, deadline = Watch(), deadline or Deadline(NoSignals())
    admin = make_admin({**(where or {}), "bootstrap.servers": bootstrap}, watch)
    _await_controller(admin, watch, deadline, bootstrap)
    wanted = [NewTopic(name, num_partitions=partitions) for name, partitions in topics]
    for name, future in admin.create_topics(wanted, operation_timeout=30, request_timeout=35).items():
        with deadline.watched(f"making topic {name}"):
            _result(future, f"making topic {name}")


def _await_controller(admin: AdminClient, watch: Watch, deadline: Deadline, bootstrap: str) -> None:
    """A broker that has just started names no controller yet, and the library would not ask again in time."""

    def has_controller() -> bool:
        return bool(reach(admin, watch, deadline, bootstrap).controller_id >= 0)

    if not wait_until(has_controller, deadline, deadline.reach, lambda: admin.poll(0.05)):
        raise Unreachable(f"the brokers at {bootstrap} name no controller.", "Start the sandbox again.")


def remove(where: Mapping[str, str], topics: Sequence[str], groups: Sequence[str], seconds: float = 60.0) -> None:
    """Remove topics and groups; one that does not exist is no error. A group can be removed when it has no member.

    Raises KdgError with the names that are left, when that takes longer than `seconds` or is refused.
    """
    admin = make_admin(where, Watch())
    deadline = Deadline(NoSignals(), timeout=seconds)
    left = _removed(lambda: admin.delete_topics(list(topics), operation_timeout=20, request_timeout=25), deadline)
    left |= _removed(lambda: admin.delete_consumer_groups(list(groups), request_timeout=10), deadline)
    if left:
        reasons = ", ".join(f"{name}: {describe(error)}" for name, error in left.items())
        raise KdgError(
            f"not every topic and group could be removed ({reasons}).",
            "Remove them with kafka-topics and kafka-consumer-groups.",
        )


def _removed(ask: Callable[[], Mapping[str, Future[None]]], deadline: Deadline) -> dict[str, KafkaError]:
    """Ask until every name is removed, is refused, or the time is over; the names that are left, with the reason."""
    left: dict[str, KafkaError] = {}

    def settled() -> bool:
        nonlocal left
        left = {name: error for name, future in ask().items() if (error := _error(future)) is not None}
        return not any(is_passing(error) or error.code() == KafkaError.NON_EMPTY_GROUP for error in left.values())

    wait_until(settled, deadline, float("inf"), lambda: deadline.clock.sleep(_AGAIN_SECONDS))
    return left


def _error(future: Future[None]) -> KafkaError | None:
    try:
        future.result()
    except KafkaException as exc:
        error = error_of(exc)
        return None if error.code() in _GONE else error
    return None


# ── rights ──


def allow(bootstrap: str, user: str, rights: Iterable[tuple[str, str, str]]) -> None:
    """Give rights to a user: (operation, kind of resource, its name or ANY), such as ("READ", "TOPIC", "orders").

    Raises KdgError.
    """
    admin = make_admin({"bootstrap.servers": bootstrap}, Watch())
    bindings = [_binding(user, *right) for right in rights]
    for future in admin.create_acls(bindings, request_timeout=30).values():
        _result(future, f"giving rights to {user}")


def _binding(user: str, operation: str, kind: str, name: str) -> AclBinding:
    return AclBinding(
        ResourceType[kind],
        name,
        ResourcePatternType.LITERAL,
        f"User:{user}",
        "*",
        AclOperation[operation],
        AclPermissionType.ALLOW,
    )


def _result(future: Future[Any], doing: str) -> None:
    try:
        future.result()
    except KafkaException as exc:
        raise translate(error_of(exc), doing) from exc
