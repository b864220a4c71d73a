"""Owns a configuration as one client reads it: the client, producer or consumer, the value of each setting. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kdg.core.guarantees import Role
from kdg.explain.dialects.dotnet import dotnet_name
from kdg.settings.conflicts import DROP
from kdg.settings.definitions import Definition, definition
from kdg.settings.definitions.values import number
from kdg.settings.java import NEAREST, RENAMED, WITHOUT_MEANING, is_java_only, java_name
from kdg.settings.librdkafka import KNOWN, canonical, is_librdkafka_only

DIALECTS = ("librdkafka", "java", "dotnet")
KDG = "kdg"
"""The dialect of kdg's own TOML."""
_LIBRARY = {"dotnet": "librdkafka", KDG: "librdkafka"}

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


_SAME = {
    "acks": {"-1": "all"},
    "auto.offset.reset": {
        "largest": "latest",
        "end": "latest",
        "smallest": "earliest",
        "beginning": "earliest",
    },
}
"""Values with the same meaning."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The settings of one client, as one dialect understands them.

    dialect: one of DIALECTS. given: what the file sets and the client looks at, by the names that kdg uses.
    where: the place in the file, if the file has several configurations.
    remarks: what the client ignores, and why. unknown: the names that the client does not know.
    runs: the guarantee that kdg runs with this configuration, refuses: why it does not run; only in kdg's own.
    """

    dialect: str
    role: Role
    given: Mapping[str, str]
    where: str = ""
    remarks: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    runs: str = ""
    refuses: str = ""

    @property
    def library(self) -> str:
        """The library behind the client, which decides defaults and rules: librdkafka or java."""
        return _LIBRARY.get(self.dialect, self.dialect)

    def definition(self, name: str) -> Definition | None:
        """The client's own definition of a setting; None if the client does not have the setting."""
        return _definition(name, self.library, self.role)

    def value(self, name: str) -> str:
        """The value that the client uses for a setting: the given one or the default; "" if there is none."""
        given = self.given.get(name)
        if given is None:
            return default_of(name, self.library, self.role)
        blank = self.library == "librdkafka" and given.isspace()  # a text of its own for librdkafka
        return given if blank else _normal(self.definition(name), given, self.library)

    def number(self, name: str) -> float:
        """The value as the client reads a number; -1 if it is not a number."""
        value = self.given.get(name)
        if value is None:
            value = default_of(name, self.library, self.role)
        return number(self.library, self.definition(name), value)

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
        """The same reading with other values; a setting whose new value is DROP is not set any more."""
        given = {name: value for name, value in {**self.given, **changes}.items() if changes.get(name) != DROP}
        return replace(self, given=given, unknown=tuple(name for name in self.unknown if changes.get(name) != DROP))


def _definition(name: str, library: str, role: Role | None) -> Definition | None:
    own = java_name(name) or name if library == "java" else name
    return definition(library, own, role) or definition(library, own)


def default_of(name: str, library: str, role: Role | None = None) -> str:
    """The value that a library uses if nothing is set; "" if there is none."""
    own = _definition(name, library, role)
    return (
        "" if own is None or (library == "java" and not java_name(name)) else _normal(own, own.default or "", library)
    )


def _normal(own: Definition | None, value: str, library: str) -> str:
    """One spelling for values that mean the same to the client."""
    if own is None:
        return value
    plain = value.strip()
    if own.type == "boolean" and library == "librdkafka":
        return {"1": "true", "t": "true", "0": "false", "f": "false"}.get(plain.lower(), plain.lower())
    if own.folds or own.type == "boolean":
        plain = plain.lower()
    same = _SAME.get(canonical(own.name), {})
    return same.get(plain, plain)


def readings(given: Mapping[str, str], dialect: str | None, role: Role | None, where: str = "") -> list[Reading]:
    """A reading for each client that the properties can be for.

    dialect, role: None if the names of the properties are to decide; if they do not decide, both are read.
    """
    dialects = (dialect,) if dialect else _dialects_of(given)
    roles = (role,) if role else _roles_in(given)
    return [_read(given, d, r, where) for d in dialects for r in roles]


def _dialects_of(given: Mapping[str, str]) -> Sequence[str]:
    reset = given.get("auto.offset.reset", "").strip().lower()
    java = any(is_java_only(name) for name in given) or reset.startswith(("none", "by_duration"))
    librdkafka = any(map(is_librdkafka_only, given)) or reset in ("error", *_SAME["auto.offset.reset"])
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
        if not _knows(dialect, name, own):
            if dialect != "java" or not (own in KNOWN or _only_java(name) or is_librdkafka_only(name)):
                unknown.append(name)
            elif not _only_java(name):
                remarks.append(f"{name} is a setting of librdkafka; Java ignores it")
        elif dialect != "java" or definition("java", name, role):
            if own in found:
                remarks.append(f"{spelled[own]} and {name} are the same setting: the last value counts")
            found[own], spelled[own] = value, name
    return Reading(dialect, role, found, where, tuple(remarks), tuple(unknown))


def _knows(dialect: str, name: str, own: str) -> bool:
    """Whether the client has the setting, as a producer or as a consumer."""
    return definition("java", name) is not None if dialect == "java" else own in KNOWN or name == IGNORED_SPELLING


def _only_java(name: str) -> bool:
    return name in WITHOUT_MEANING or name in NEAREST or is_java_only(name)
