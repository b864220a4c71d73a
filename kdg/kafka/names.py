"""Owns the names that a cluster has, for completion in a shell: asked once, quickly, and without a word when nobody answers."""

from __future__ import annotations

from collections.abc import Mapping

from kdg.kafka.client import Watch, make_admin

SECONDS = 1.0


def topic_names(settings: Mapping[str, str]) -> list[str]:
    """The topics, without those that Kafka keeps for itself. Raises KafkaException when nobody answers in time."""
    admin = make_admin(settings, Watch())
    return sorted(name for name in admin.list_topics(timeout=SECONDS).topics if not name.startswith("__"))


def group_names(settings: Mapping[str, str]) -> list[str]:
    """The consumer groups. Raises KafkaException when nobody answers in time."""
    admin = make_admin(settings, Watch())
    found = admin.list_consumer_groups(request_timeout=SECONDS).result(SECONDS)
    return sorted(group.group_id for group in found.valid or [])
