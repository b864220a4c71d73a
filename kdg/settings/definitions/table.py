"""Owns reading the tables of settings, and the shape of a setting. Pure.

The columns of librdkafka and java: name, roles (P, C or * for both), type, low, high, members (after ~ if the case of a
member counts for nothing), default (- if it is unset), since. The columns of dotnet: property, type, setting; or enum,
its name, its members.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from kdg.core.guarantees import Role
from kdg.settings.librdkafka import canonical

_UNITS = (
    (".ms", "milliseconds"),
    (".seconds", "seconds"),
    (".kbytes", "kilobytes"),
    (".bytes", "bytes"),
    ("buffer.memory", "bytes"),
    ("batch.size", "bytes"),
    ("max.request.size", "bytes"),
    (".messages", "records"),
)
"""The unit of a number, by the end of the setting's name."""

_ROLES = {"*": frozenset(Role), "P": frozenset({Role.PRODUCER}), "C": frozenset({Role.CONSUMER})}


@dataclass(frozen=True, slots=True)
class Definition:
    """One setting of one client library.

    type: integer, float, boolean, enum, flags, list, class, password, string, nonempty (a string),
    exact (an enum without another spelling) or trimmed (the same, after blanks). low, high: the range of a number; None
    means no limit. members: the values of an enum, or names that stand for a number. folds: whether the case of a
    member counts for nothing. default: as the client writes it; None if the setting is unset.
    since: the first version of librdkafka that has it; "" if it is not known.
    """

    name: str
    roles: frozenset[Role]
    type: str
    low: float | None
    high: float | None
    members: tuple[str, ...]
    folds: bool
    default: str | None
    since: str

    @property
    def unit(self) -> str:
        """The unit of a number; "" if it has none."""
        if self.type not in ("integer", "float"):
            return ""
        return next((unit for end, unit in _UNITS if self.name.endswith(end)), "")

    @property
    def range(self) -> str:
        """The values that the client takes, for people: `0 to 900000`, `none, gzip`; "" if any text will do."""
        if self.low is not None:
            return f"{self.low} to {self.high}"
        return ", ".join(self.members)


@dataclass(frozen=True, slots=True)
class DotnetProperty:
    """A property of ProducerConfig or ConsumerConfig. type: int, bool, double, string, or the name of an enum."""

    name: str
    type: str
    setting: str


def definition(library: str, name: str, role: Role | None = None) -> Definition | None:
    """The definition of a setting in librdkafka or java. role: None if either client will do."""
    found = definitions(library).get(name, ())
    return next((each for each in found if role is None or role in each.roles), None)


@cache
def definitions(library: str) -> Mapping[str, tuple[Definition, ...]]:
    """The definitions of librdkafka or java, by name; two if producer and consumer differ."""
    found: dict[str, tuple[Definition, ...]] = {}
    for name, roles, kind, low, high, members, default, since in _rows(library, 8):
        each = Definition(
            name,
            _ROLES[roles],
            kind,
            _number(low),
            _number(high),
            tuple(members.removeprefix("~").split("|")) if members else (),
            members.startswith("~"),
            None if default == "-" else default,
            since,
        )
        found[name] = (*found.get(name, ()), each)
    return found


@cache
def dotnet_properties() -> Mapping[str, DotnetProperty]:
    """The properties of Confluent.Kafka's ProducerConfig and ConsumerConfig, by the name that kdg uses."""
    rows = (row for row in _rows("dotnet", 3) if row[0] != "enum")
    return {canonical(setting): DotnetProperty(name, kind, canonical(setting)) for name, kind, setting in rows}


@cache
def dotnet_enums() -> Mapping[str, tuple[str, ...]]:
    """The members of Confluent.Kafka's enums, by the name of the enum."""
    return {row[1]: tuple(row[2].split("|")) for row in _rows("dotnet", 3) if row[0] == "enum"}


def _number(text: str) -> float | None:
    """A whole number stays one, because a long of Java is more exact than a float."""
    if not text:
        return None
    return float(text) if "." in text else int(text)


def _rows(client: str, columns: int) -> Iterator[list[str]]:
    """The cells of a table, whose columns are separated by tabs. The module of the table is imported only here."""
    for line in import_module(f"kdg.settings.definitions.{client}").TABLE.splitlines():
        cells = line.split("\t")
        yield [*cells, *[""] * (columns - len(cells))]
