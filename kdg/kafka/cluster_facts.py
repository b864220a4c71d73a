"""Owns the look-up of the facts that kdg/settings/requirements.py compares with the requirements of a guarantee.

They are replicas, min.insync.replicas and unclean leader election of topics, and the settings of the transaction log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import ConfigResource, ResourceType  # type: ignore[attr-defined]  # not in its __all__

from kdg.core.requirement import CLEAN_ELECTION, IN_SYNC, LOG_IN_SYNC, LOG_REPLICAS, Log
from kdg.settings.requirements import LogFacts

if TYPE_CHECKING:
    from kdg.kafka.library import AdminClient

SECONDS = 5.0
"""Seconds that a broker has for an answer."""


def look(admin: AdminClient, metadata: Any, topics: Iterable[str], *, transactional: bool) -> list[LogFacts]:
    """The facts of some topics and, if `transactional`, of the transaction log.

    A value that this user is not allowed to see is None. metadata: of the cluster, with these topics.
    """
    wanted = list(dict.fromkeys(topics))
    asked = [ConfigResource(ResourceType.TOPIC, topic) for topic in wanted]
    broker = ConfigResource(ResourceType.BROKER, str(next(iter(metadata.brokers), 0)))
    futures = {topic: _ask(admin, resource) for topic, resource in zip(wanted, asked, strict=True)}
    log = _ask(admin, broker) if transactional else None
    facts = [_topic_facts(topic, metadata, _answer(futures[topic])) for topic in wanted]
    return facts if log is None else [*facts, _log_facts(_answer(log))]


def _ask(admin: AdminClient, resource: ConfigResource) -> Any:
    return admin.describe_configs([resource], request_timeout=SECONDS)[resource]


def _answer(future: Any) -> Mapping[str, str]:
    """The settings by name; empty if the user is not allowed to see them, or if no broker answered in time."""
    try:
        return {name: entry.value for name, entry in future.result(SECONDS + 1).items()}
    except (KafkaException, TimeoutError):
        return {}


def _topic_facts(topic: str, metadata: Any, settings: Mapping[str, str]) -> LogFacts:
    found = metadata.topics.get(topic)
    replicas = min((len(p.replicas) for p in found.partitions.values()), default=None) if found is not None else None
    unclean = settings.get(CLEAN_ELECTION.setting)
    return LogFacts(
        topic,
        replicas,
        _number(settings, IN_SYNC.setting),
        None if unclean is None else unclean == "true",
        min((len(p.isrs) for p in found.partitions.values()), default=None) if found is not None else None,
        "compact" in settings.get("cleanup.policy", ""),
        largest_batch=_number(settings, "max.message.bytes"),
    )


def _log_facts(settings: Mapping[str, str]) -> LogFacts:
    return LogFacts(
        "the transaction log",
        _number(settings, LOG_REPLICAS.setting),
        _number(settings, LOG_IN_SYNC.setting),
        kind=Log.TRANSACTION_LOG,
    )


def _number(settings: Mapping[str, str], name: str) -> int | None:
    value = settings.get(name)
    return int(value) if value is not None and value.isdigit() else None
