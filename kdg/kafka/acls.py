"""Owns giving rights to a user, for the sandbox alone: kdg does not administer a cluster."""

from __future__ import annotations

from collections.abc import Iterable

from confluent_kafka import KafkaException
from confluent_kafka.admin import AclBinding, AclOperation, AclPermissionType, ResourcePatternType, ResourceType  # type: ignore[attr-defined]  # not in its __all__

from kdg.kafka.client import Watch, make_admin
from kdg.kafka.errors import error_of, translate

ANY = "*"


def allow(bootstrap: str, user: str, rights: Iterable[tuple[str, str, str]]) -> None:
    """Let a user do these: (operation, kind of resource, its name or ANY), in Kafka's words. Raises KdgError."""
    bindings = [
        AclBinding(ResourceType[kind], name, ResourcePatternType.LITERAL, f"User:{user}", "*", AclOperation[operation], AclPermissionType.ALLOW)
        for operation, kind, name in rights
    ]  # fmt: skip
    admin = make_admin({"bootstrap.servers": bootstrap}, Watch())
    for future in admin.create_acls(bindings, request_timeout=30).values():
        try:
            future.result()
        except KafkaException as exc:
            raise translate(error_of(exc), f"giving rights to {user}") from exc
