"""Owns a configuration as one client reads it: the client, producer or consumer, the value of each setting. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kdg.core.guarantees import Role
from kdg.explain.dialects.dotnet import dotnet_name
from kdg.explain.facts import FACTS
from kdg.settings.java import NEAREST, RENAMED, WITHOUT_MEANING, is_java_only, java_name
from kdg.settings.librdkafka import KNOWN, canonical, is_librdkafka_only, roles_of

DIALECTS = ("librdkafka", "java", "dotnet")
_LIBRARY = {"dotnet": "librdkafka"}

_OF_A_CONSUMER = frozenset(name for name, roles in KNOWN.items() if roles == {Role.CONSUMER})
_OF_A_PRODUCER = frozenset(name for name, roles in KNOWN.items() if roles == {Role.PRODUCER})
_JAVA_ROLE = {
    "key.serializer": Role.PRODUCER,
    "value.serializer": Role.PRODUCER,
    "buffer.memory": Role.PRODUCER,
    "max.block.ms": Role.PRODUCER,
    "key.deserializer": Role.CONSUMER,
    "value.deserializer": Role.CONSUMER,
}
IGNORED_SPELLING = "auto.commit.enable"
"""An old name of enable.auto.commit, which today's consumers ignore."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The settings of one client, as one dialect understands them.

    dialect: one of DIALECTS. given: what the file sets, by librdkafka's names.
    where: the place in the file, if the file has several configurations.
    remarks: what the client ignores, and why. unknown: the names that the client does not know.
    """

    dialect: str
    role: Role
    given: Mapping[str, str]
    where: str = ""
    remarks: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def library(self) -> str:
        """The library behind the client, which decides defaults and rules: librdkafka or java."""
        return _LIBRARY.get(self.dialect, self.dialect)

    def value(self, name: str) -> str:
        """The value that the client uses for a setting: the given one or the default; "" if there is none."""
        return _normal(name, self.given[name]) if name in self.given else default_of(name, self.library)

    def number(self, name: str) -> float:
        """The value as a number; -1 if it is not a number."""
        try:
            return float(self.value(name))
        except ValueError:
            return -1

    def written(self, name: str) -> bool:
        """Whether the file sets it, so that it is not the default."""
        return name in self.given

    def named(self, name: str) -> str:
        """The name of a setting in this dialect."""
        return {"java": java_name, "dotnet": dotnet_name}.get(self.dialect, str)(name) or name

    def has(self, name: str) -> bool:
        """Whether this dialect has the setting."""
        return self.dialect != "java" or bool(java_name(name))

    def with_(self, changes: Mapping[str, str]) -> Reading:
        """The same reading with other values."""
        return replace(self, given={**self.given, **changes})


def default_of(name: str, library: str) -> str:
    """The value that a library uses if nothing is set; "" if there is none."""
    fact = FACTS.get(name)
    return "" if fact is None else fact.default(library).value or ""


def _normal(name: str, value: str) -> str:
    lowered = value.strip().lower()
    if name == "acks" or lowered in ("true", "false"):
        return {"-1": "all"}.get(lowered, lowered)
    boolean = default_of(name, "librdkafka") in ("true", "false")
    return {"1": "true", "t": "true", "0": "false", "f": "false"}.get(lowered, lowered) if boolean else value.strip()


def readings(given: Mapping[str, str], dialect: str | None, role: Role | None, where: str = "") -> list[Reading]:
    """A reading for each client that the properties can be for.

    dialect, role: None if the names of the properties are to decide; if they do not decide, both are read.
    """
    dialects = (dialect,) if dialect else _dialects_of(given)
    roles = (role,) if role else _roles_in(given)
    return [_read(given, d, r, where) for d in dialects for r in roles]


def _dialects_of(given: Mapping[str, str]) -> Sequence[str]:
    java = any(is_java_only(name) for name in given)
    librdkafka = any(map(is_librdkafka_only, given))
    return ("librdkafka", "java") if java == librdkafka else ("java",) if java else ("librdkafka",)


def _roles_in(given: Mapping[str, str]) -> Sequence[Role]:
    names = {canonical(RENAMED.get(name, name)) for name in given}
    in_java = {_JAVA_ROLE[name] for name in given if name in _JAVA_ROLE}
    consumer = bool(names & _OF_A_CONSUMER) or Role.CONSUMER in in_java or IGNORED_SPELLING in given
    producer = bool(names & _OF_A_PRODUCER) or Role.PRODUCER in in_java
    return tuple(Role) if consumer == producer else (Role.CONSUMER,) if consumer else (Role.PRODUCER,)


def _read(given: Mapping[str, str], dialect: str, role: Role, where: str) -> Reading:
    found: dict[str, str] = {}
    spelled: dict[str, str] = {}
    remarks, unknown = [], []
    for name, value in given.items():
        own = canonical(RENAMED.get(name, name) if dialect == "java" else name)
        if name == IGNORED_SPELLING:
            remarks.append(f"today's consumers ignore {name}; the name that they use is enable.auto.commit")
        elif dialect == "java" and own not in KNOWN and _only_java(name):
            continue
        elif dialect == "java" and (is_librdkafka_only(name) or not java_name(own)):
            remarks.append(f"{name} is a setting of librdkafka; Java ignores it")
        elif own not in KNOWN:
            unknown.append(name)
        elif role in roles_of(own):
            if own in found:
                remarks.append(f"{spelled[own]} and {name} are the same setting: the last value counts")
            found[own], spelled[own] = value, name
    return Reading(dialect, role, found, where, tuple(remarks), tuple(unknown))


def _only_java(name: str) -> bool:
    return name in WITHOUT_MEANING or name in NEAREST or is_java_only(name)
