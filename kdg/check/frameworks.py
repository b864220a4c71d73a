"""Owns how the configuration of Spring Boot and of Quarkus is read: a reading for each of its Kafka clients. Pure.

    Spring     spring.kafka.producer.acks, spring.kafka.consumer.group-id, spring.kafka.properties.linger.ms
    Quarkus    mp.messaging.incoming.CHANNEL.group.id, mp.messaging.outgoing.CHANNEL.acks, kafka.bootstrap.servers

Both run Java's clients, and both set some values themselves if the file does not: a remark says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kdg.check.reading import Reading, readings
from kdg.core.guarantees import Role
from kdg.settings.java import RENAMED, is_java_only
from kdg.settings.librdkafka import canonical, roles_of

_SPRING = "spring.kafka."
_CHANNEL = re.compile(r'mp\.messaging\.(incoming|outgoing)\.("[^"]+"|[^.]+)\.(.+)')
_EVERY_CHANNEL = ("kafka.", "mp.messaging.connector.smallrye-kafka.")
_PROFILE = re.compile(r"%([^.]+)\.(.+)")
_PRODUCTION = "prod"
"""The profile that Quarkus runs with unless it is told otherwise."""

_SPRING_NAMES = {
    "autocommitinterval": "auto.commit.interval.ms",
    "fetchmaxwait": "fetch.max.wait.ms",
    "fetchminsize": "fetch.min.bytes",
    "heartbeatinterval": "heartbeat.interval.ms",
    "maxpollinterval": "max.poll.interval.ms",
    "transactionidprefix": "transactional.id",
}
"""Spring's names without their dashes, where Java's name differs by more than its dots."""
_ROLES = {"producer": Role.PRODUCER, "consumer": Role.CONSUMER, "outgoing": Role.PRODUCER, "incoming": Role.CONSUMER}
_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "b": 1, "kb": 1024, "mb": 1024**2}
_AMOUNT = re.compile(r"(\d+)\s*([a-zA-Z]{1,2})")
_PLACEHOLDER = re.compile(r"\$\{[^{}:]+(?::([^{}]*))?\}")


@dataclass(slots=True)
class _Client:
    """One client of the file. where: `spring.kafka.consumer`, or the channel."""

    role: Role
    where: str
    given: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def is_framework(names: Sequence[str]) -> bool:
    """Whether the names are those of Spring or Quarkus."""
    bare = [_PROFILE.sub(r"\2", name) for name in names]
    return any(name.startswith((_SPRING, "mp.messaging.", "kafka.")) for name in bare)


def framework_readings(values: Mapping[str, str], role: Role | None, remarks: Sequence[str] = ()) -> list[Reading]:
    """A reading for each client; none if no setting of a client was recognised. role: only clients of this role."""
    found = [_reading(client, remarks) for client in (*_spring(values), *_quarkus(values))]
    return [reading for reading in found if role in (None, reading.role)]


def _reading(client: _Client, remarks: Sequence[str]) -> Reading:
    values, decided = {}, []
    for name, value in client.given.items():
        plain = _PLACEHOLDER.sub(lambda found: found[1] or "", value)
        if plain != value:
            what = f"judged with {name}={plain}" if plain else "judged with the client's default"
            decided.append(f"the value of {name} is decided when the program starts; {what}")
        if plain or plain == value:
            values[name] = plain
    (found,) = readings(values, "java", client.role, client.where)
    return replace(found, remarks=(*found.remarks, *client.remarks, *decided, *remarks))


def _is_setting(name: str) -> bool:
    return bool(roles_of(canonical(RENAMED.get(name, name)))) or is_java_only(name)


# ── Spring ──


def _spring(values: Mapping[str, str]) -> Iterator[_Client]:
    own = {name.removeprefix(_SPRING): value for name, value in values.items() if name.startswith(_SPRING)}
    shared = dict(_spring_settings(own, ""))
    sections = {section: dict(_spring_settings(own, f"{section}.")) for section in ("producer", "consumer")}
    for section, settings in sections.items():
        if not settings and (not shared or any(sections.values())):
            continue
        client = _Client(_ROLES[section], f"spring.kafka.{section}", {**shared, **settings})
        if section == "consumer" and "enable.auto.commit" not in client.given:
            client.given["enable.auto.commit"] = "false"
            mode = own.get("listener.ack-mode", own.get("listener.ackMode", "batch"))
            client.remarks.append(
                f"Spring sets enable.auto.commit=false; its listener commits (spring.kafka.listener.ack-mode={mode})"
            )
        yield client


def _spring_settings(own: Mapping[str, str], section: str) -> Iterator[tuple[str, str]]:
    """Java's names and values in one section; the section "" is what all clients share."""
    for name, value in own.items():
        if not name.startswith(section):
            continue
        rest = name.removeprefix(section)
        if rest.startswith(("properties.", "properties[")):
            java = rest.removeprefix("properties").strip(".[]\"'")
        elif "." in rest and rest != "security.protocol":
            continue
        else:
            bare = re.sub(r"[-_]", "", rest).lower()
            java = _SPRING_NAMES.get(bare) or next((n for n in _JAVA_NAMES if n.replace(".", "") == bare), "")
        if java and _is_setting(java):
            yield java, _spring_value(java, value)


_JAVA_NAMES = (
    *("acks", "batch.size", "bootstrap.servers", "buffer.memory", "client.id", "compression.type", "retries"),
    *("auto.offset.reset", "enable.auto.commit", "group.id", "isolation.level", "security.protocol"),
)


def _spring_value(name: str, value: str) -> str:
    amount = _AMOUNT.fullmatch(value.strip())
    if amount and amount[2].lower() in _UNITS:
        return str(int(amount[1]) * _UNITS[amount[2].lower()])
    return value.lower().replace("-", "_") if name == "isolation.level" else value


# ── Quarkus ──


def _quarkus(values: Mapping[str, str]) -> Iterator[_Client]:
    used, others = _in_production(values)
    shared = dict(_of_every_channel(used))
    channels: dict[tuple[str, str], dict[str, str]] = {}
    for name, value in used.items():
        if found := _CHANNEL.fullmatch(name):
            channels.setdefault((found[1], found[2]), {})[found[3]] = value
    for (direction, channel), settings in channels.items():
        if settings.get("connector", "smallrye-kafka") == "smallrye-kafka":
            yield _channel(direction, channel, {**shared, **settings}, others)


def _in_production(values: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The properties of the profile `prod`, without its name; and the other profiles."""
    named = [(profile, value) for name, value in values.items() if (profile := _PROFILE.match(name))]
    used = {name: value for name, value in values.items() if not _PROFILE.match(name)}
    used |= {profile[2]: value for profile, value in named if profile[1] == _PRODUCTION}
    return used, sorted({profile[1] for profile, _ in named} - {_PRODUCTION})


def _of_every_channel(used: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for prefix in _EVERY_CHANNEL:
        own = {name.removeprefix(prefix): value for name, value in used.items() if name.startswith(prefix)}
        yield from ((name, value) for name, value in own.items() if _is_setting(name))


def _channel(direction: str, channel: str, settings: Mapping[str, str], others: Sequence[str]) -> _Client:
    given = {name: value for name, value in settings.items() if _is_setting(name)}
    client = _Client(_ROLES[direction], f"{direction} {channel}", given)
    if others:
        client.remarks.append(f"judged for the profile {_PRODUCTION}; also in the file: {', '.join(others)}")
    if direction == "outgoing" and "acks" not in given:
        given["acks"] = "1"
        client.remarks.append("Quarkus sets acks=1 for an outgoing channel that does not set it")
    if direction == "incoming" and "enable.auto.commit" not in given:
        given["enable.auto.commit"] = "false"
        strategy = settings.get("commit-strategy", "throttled")
        client.remarks.append(
            f"Quarkus sets enable.auto.commit=false; its connector commits (commit-strategy={strategy})"
        )
    return client
