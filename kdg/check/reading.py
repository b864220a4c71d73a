"""Owns what a configuration says: in whose dialect, for which client, and which value counts when nothing is written. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kdg.core.guarantees import Role
from kdg.errors import UsageError
from kdg.explain.dialects import dotnet_name
from kdg.explain.facts import FACTS
from kdg.settings.java import NEAREST, RENAMED, WITHOUT_MEANING, is_javas_alone, java_name
from kdg.settings.librdkafka import KNOWN, canonical, roles_of

DIALECTS = ("librdkafka", "java", "dotnet")
_LIBRARY = {"dotnet": "librdkafka"}
_ALONE = re.compile(
    r"message\.send\.max\.retries|queue\.buffering\.|request\.required\.acks|message\.timeout\.ms|topic\.|metadata\.broker\.list"
    r"|enable\.auto\.offset\.store|enable\.gapless\.guarantee|statistics\.interval\.ms|delivery\.report\.|partitioner$|debug$"
    r"|sasl\.(username|password|mechanisms)$|ssl\.(ca|certificate|key)\.(location|pem)|auto\.commit\.enable"
)
"""Names that only librdkafka has."""

_OF_A_CONSUMER = frozenset(name for name, roles in KNOWN.items() if roles == {Role.CONSUMER})
_OF_A_PRODUCER = frozenset(name for name, roles in KNOWN.items() if roles == {Role.PRODUCER})
_JAVA_ROLE = {"key.serializer": Role.PRODUCER, "value.serializer": Role.PRODUCER, "buffer.memory": Role.PRODUCER, "max.block.ms": Role.PRODUCER, "key.deserializer": Role.CONSUMER, "value.deserializer": Role.CONSUMER}  # fmt: skip
IGNORED_SPELLING = "auto.commit.enable"
"""Looks like enable.auto.commit, and a modern consumer passes over it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One client's settings by librdkafka's names, as one dialect understands them. remarks: what was passed over, and why."""

    dialect: str
    role: Role
    given: Mapping[str, str]
    where: str = ""
    remarks: tuple[str, ...] = ()
    unknown: tuple[str, ...] = field(default=())

    @property
    def library(self) -> str:
        """Whose defaults and rules count."""
        return _LIBRARY.get(self.dialect, self.dialect)

    def value(self, name: str) -> str:
        """A setting as it counts; empty where there is none."""
        return _normal(name, self.given[name]) if name in self.given else default_of(name, self.library)

    def number(self, name: str) -> float:
        """The same as a number; -1 where it is none."""
        try:
            return float(self.value(name))
        except ValueError:
            return -1

    def written(self, name: str) -> bool:
        """Whether it was given, not left to the default."""
        return name in self.given

    def named(self, name: str) -> str:
        """What this dialect calls a setting."""
        return {"java": java_name, "dotnet": dotnet_name}.get(self.dialect, str)(name) or name

    def has(self, name: str) -> bool:
        """Whether this dialect has the setting at all."""
        return self.dialect != "java" or bool(java_name(name))

    def with_(self, changes: Mapping[str, str]) -> Reading:
        """The same with other values."""
        return replace(self, given={**self.given, **changes})


def default_of(name: str, library: str) -> str:
    """What a client takes when nothing is written; the first word of the fact that `explain` shows."""
    fact = FACTS.get(name)
    if fact is None:
        return ""
    word = (fact.java if library == "java" else fact.librdkafka).split()[0].rstrip(",")
    return "" if word in ("none", "absent") else word


def _normal(name: str, value: str) -> str:
    lowered = value.strip().lower()
    if name == "acks" or lowered in ("true", "false"):
        return {"-1": "all"}.get(lowered, lowered)
    boolean = default_of(name, "librdkafka") in ("true", "false")
    return {"1": "true", "t": "true", "0": "false", "f": "false"}.get(lowered, lowered) if boolean else value.strip()


def readings(given: Mapping[str, str], dialect: str | None, role: Role | None, where: str = "") -> list[Reading]:
    """Every way in which properties can be meant: one dialect or, where no name tells, both; one client or both."""
    dialects = (dialect,) if dialect else _dialects_of(given)
    roles = (role,) if role else _roles_in(given)
    return [_read(given, d, r, where) for d in dialects for r in roles]


def _dialects_of(given: Mapping[str, str]) -> Sequence[str]:
    java = any(is_javas_alone(name) for name in given)
    librdkafka = any(_ALONE.match(name) for name in given)
    return ("librdkafka", "java") if java == librdkafka else ("java",) if java else ("librdkafka",)


def _roles_in(given: Mapping[str, str]) -> Sequence[Role]:
    names = {canonical(RENAMED.get(name, name)) for name in given}
    told = {_JAVA_ROLE[name] for name in given if name in _JAVA_ROLE}
    consumer = bool(names & _OF_A_CONSUMER) or Role.CONSUMER in told or IGNORED_SPELLING in given
    producer = bool(names & _OF_A_PRODUCER) or Role.PRODUCER in told
    return tuple(Role) if consumer == producer else (Role.CONSUMER,) if consumer else (Role.PRODUCER,)


def _read(given: Mapping[str, str], dialect: str, role: Role, where: str) -> Reading:
    found: dict[str, str] = {}
    spelled: dict[str, str] = {}
    remarks, unknown = [], []
    for name, value in given.items():
        own = canonical(RENAMED.get(name, name) if dialect == "java" else name)
        if name == IGNORED_SPELLING:
            remarks.append(f"{name} does nothing on a modern consumer; enable.auto.commit is the name that counts")
        elif dialect == "java" and (name in WITHOUT_MEANING or name in NEAREST or is_javas_alone(name)) and own not in KNOWN:  # fmt: skip
            continue
        elif dialect == "java" and (_ALONE.match(name) or not java_name(own)):
            remarks.append(f"{name} is librdkafka's: Java passes over it")
        elif own not in KNOWN:
            unknown.append(name)
        elif role not in roles_of(own):
            continue
        else:
            if own in found:
                remarks.append(f"{spelled[own]} and {name} are the same setting: the one that comes last counts")
            found[own], spelled[own] = value, name
    return Reading(dialect, role, found, where, tuple(remarks), tuple(unknown))


# ── .NET's JSON ──

_DOTNET = {dotnet_name(name).lower(): name for name in KNOWN if dotnet_name(name)}
_DOTNET_ONLY = {"enabledeliveryreports", "enablebackgroundpoll", "deliveryreportfields", "cancellationdelaymaxms", "consumeresultfields"}  # fmt: skip
_ENUMS = {
    "acks": {"none": "0", "leader": "1", "all": "all"},
    "sasl.mechanism": {"scramsha256": "SCRAM-SHA-256", "scramsha512": "SCRAM-SHA-512", "oauthbearer": "OAUTHBEARER"},
    "partition.assignment.strategy": {"cooperativesticky": "cooperative-sticky"},
}


def json_readings(text: str, name: str, role: Role | None) -> list[Reading]:
    """Every section of an appsettings.json that holds a client's configuration. Raises UsageError."""
    try:
        whole = json.loads(text)
    except ValueError as exc:
        raise UsageError(f"{name} is no JSON: {exc}.", "Check the file.") from exc
    found = [r for path, section in _sections(whole, "", {}) for r in _of_section(section, path, role)]
    if not found:
        raise UsageError(f"{name} has no section with settings of a Kafka client.", "Their names are those of ProducerConfig and ConsumerConfig, such as Acks or GroupId.")  # fmt: skip
    return found


def _sections(value: Any, path: str, above: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The innermost objects that hold settings, with what the ones around them say."""
    if not isinstance(value, dict):
        return
    own = {**above, **{k: v for k, v in value.items() if not isinstance(v, dict | list)}}
    inner = [s for k, v in value.items() for s in _sections(v, f"{path}:{k}" if path else k, own if _known(own) else {})]  # fmt: skip
    if inner:
        yield from inner
    elif any(_dotnet(k) for k in value):
        yield path, own


def _known(section: Mapping[str, Any]) -> bool:
    return any(_dotnet(name) for name in section)


def _dotnet(name: str) -> str:
    """librdkafka's name of .NET's, which may also be written as librdkafka does; empty for no setting."""
    return _DOTNET.get(name.lower()) or (canonical(name) if canonical(name) in KNOWN else "")


def _of_section(section: Mapping[str, Any], path: str, role: Role | None) -> list[Reading]:
    given = {own: _enum(own, value) for name, value in section.items() if (own := _dotnet(name))}
    others = [name for name in section if not _dotnet(name) and name.lower() not in _DOTNET_ONLY]
    remarks = [f"{name} is no property of ProducerConfig or ConsumerConfig" for name in others]
    if str(section.get("EnableDeliveryReports", True)).lower() == "false":
        remarks.append("EnableDeliveryReports=false: nobody learns which records were not delivered")
    named = [r for r in Role if r.value in path.lower()]
    return [
        replace(each, remarks=(*each.remarks, *remarks))
        for each in readings(given, "dotnet", role or (named[0] if len(named) == 1 else None), path)
    ]


def _enum(name: str, value: Any) -> str:
    """A value of JSON as librdkafka writes it: .NET's enums are in PascalCase."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    known = _ENUMS.get(name, {}).get(text.lower().replace("-", ""))
    if known is not None:
        return known
    pascal = re.fullmatch(r"(?:[A-Z][a-z]+){1,3}", text)
    spelled = name in (
        "isolation.level",
        "auto.offset.reset",
        "security.protocol",
        "group.protocol",
        "compression.type",
    )
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", text).lower() if pascal and spelled else text
