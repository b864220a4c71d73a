"""Owns drawing configurations of a client at random, out of the tables of kdg/settings/definitions."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from kdg.check.reading import Reading, readings
from kdg.check.verdict import Verdict, changes, judge
from kdg.core.guarantees import GUARANTEES, Role
from kdg.settings.conflicts import CONTRADICTIONS
from kdg.settings.definitions import Definition, definitions
from kdg.settings.java import java_name
from kdg.settings.librdkafka import canonical

DRAWN = int(os.environ.get("KDG_DRAWN", "60"))
"""How many configurations each test draws; `make dialects` draws 2,000."""
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""Without shrinking: a configuration has six settings at most, and each try starts clients."""
drawn = settings(
    max_examples=DRAWN,
    deadline=None,
    derandomize="KDG_DRAWN" not in os.environ,  # the short form draws the same each time; the long form finds new ones
    suppress_health_check=list(HealthCheck),
    phases=_PHASES,
)

_OF_THE_MACHINE = re.compile(
    r"ssl|sasl|https|enable\.(sasl|ssl)|plugin|security\.|config\.prov|interceptor|metric\.rep|bootstrap|"
    r"metadata\.broker|internal\.|log\.queue|enabled_events|client\.dns|metrics\.num|broker\.address\.family|"
    r".*serializer"
)
"""Settings whose value is a file, a class, a host or a signal: whether the client takes it depends on the machine.

metrics.num.samples is memory that Java allocates.
"""

_NUMBERS = ("0", "1", "-1", "5", "6", "100", "1000", "3000", "6000", "45000", "60000", "300000", "400000", "70000")
_NO_NUMBERS = ("", "x", "5s", " 7", "7 ", "1.5", "0x10", "010", "1_000", "+5", "-0", "99999999999999999999")
_BOOLEANS = ("true", "false", "TRUE", "False", "1", "0", "t", "F", "yes", "", " true", "true ")
_TEXTS = ("g", "x", " ", "", "g ")
_JAVA_CLASSES = (
    "org.apache.kafka.clients.consumer.RangeAssignor",
    "org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
)


def _values(own: Definition, library: str) -> list[str]:
    if own.type in ("integer", "float"):
        edges = [] if own.low is None or own.high is None else [own.low, own.low - 1, own.high, own.high + 1]
        return [*_NUMBERS, *_NUMBERS, *_NO_NUMBERS, *map(str, edges), *own.members]
    if own.type == "boolean":
        return [*_BOOLEANS]
    if own.name == "debug":
        return ["x", "", "conf,x"]
    if library == "java" and own.type in ("class", "list"):
        return ["x", "range", "range,roundrobin", "", _JAVA_CLASSES[0], ",".join(_JAVA_CLASSES), "range,range"][
            : 2 if own.type == "class" else 7
        ]
    members = [member for member in own.members if "PnD" not in member]
    spellings = [*members, *members, *(m.upper() for m in members), *(m.title() for m in members)]
    odd = ["x", "", " ", *(f"{m} " for m in members[:1]), *(f" {m}" for m in members[:1]), ",".join(members[:2])]
    duration = ["by_duration:PT1H", "by_duration:x", "by_duration:P1D"] if "by_duration" in str(own.members) else []
    return [*spellings, *odd, *duration] if members else [*_TEXTS]


@st.composite
def configuration(draw: st.DrawFn, library: str) -> tuple[Role, dict[str, str]]:
    """A configuration: for which client it is, and its properties."""
    role = draw(st.sampled_from(list(Role)))
    names = [name for name, own in definitions(library).items() if not _OF_THE_MACHINE.match(name)]
    names = [name for name in names if library != "librdkafka" or not name.endswith(("_ca", "_key", "_cert"))]
    together = {n for row in CONTRADICTIONS if row.role is role and library in row.clients for n in row.names}
    together = {java_name(n) if library == "java" else n for n in together}
    known = [name for name in names if any(role in own.roles for own in definitions(library)[name])]
    often = [name for name in known if name in together]
    chosen = draw(st.lists(st.sampled_from([*often, *often, *often, *known]), max_size=5, unique_by=canonical))
    chosen += draw(st.lists(st.sampled_from([*names, "no.such.name"]), max_size=1))
    found: dict[str, str] = {}
    for name in {canonical(name): name for name in chosen}.values():
        own = next((d for d in definitions(library).get(name, ()) if role in d.roles), None)
        own = own or next(iter(definitions(library).get(name, ())), None)
        found[name] = draw(st.sampled_from(_values(own, library))) if own else "1"
    if role is Role.CONSUMER and draw(st.integers(0, 3)):
        found["group.id"] = "g"
    return role, found


def reading_of(library: str, role: Role, given: Mapping[str, str]) -> Reading:
    """The configuration as check reads it."""
    (reading,) = readings(given, library, role)
    return reading


def starts(verdict: Verdict) -> bool:
    """Whether the client starts, as check says it. The broker may refuse all records then."""
    return not any(f.refused and not f.says.startswith("the client starts") for f in verdict.findings)


def advised(verdict: Verdict) -> list[Reading]:
    """The configuration after the advice for each guarantee; it is checked that each reaches its guarantee."""
    found = []
    for guarantee in GUARANTEES:
        wanted = changes(verdict, guarantee)
        assert wanted is not None, guarantee.name
        after = verdict.reading.with_(wanted)
        assert judge(after).reaches(guarantee), (guarantee.name, wanted)
        found.append(after)
    return found


def as_written(reading: Reading) -> dict[str, str]:
    """The properties of a reading, by the client's own names."""
    unknown = dict.fromkeys(reading.unknown, "1")
    return {reading.named(name): value for name, value in reading.given.items()} | unknown
