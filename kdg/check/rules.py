"""Owns the findings about a configuration: the rules of producer.py and consumer.py, and the contradictions. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from kdg.check import consumer, producer
from kdg.check.finding import Finding, Rule
from kdg.check.reading import Reading
from kdg.core.guarantees import Role
from kdg.settings.conflicts import CONTRADICTIONS, DROP
from kdg.settings.definitions.values import refusal


def first(rules: Sequence[Rule], reading: Reading) -> list[Finding]:
    """The first finding that applies, or none."""
    return next(([finding] for applies, finding in rules if applies(reading)), [])


def every(rules: Sequence[Rule], reading: Reading) -> list[Finding]:
    """All findings that apply."""
    return [finding for applies, finding in rules if applies(reading)]


def contradictions(reading: Reading) -> list[Finding]:
    """The settings with which the client does not start."""
    rows = [row for row in CONTRADICTIONS if row.role is reading.role and reading.library in row.clients]
    return [
        Finding(row.names, f"the client does not start: {row.says}", refused=True, change=row.change)
        for row in rows
        if row.holds(reading)
    ]


def _values(reading: Reading) -> list[Finding]:
    """The values that the client does not take."""
    return [
        Finding((name,), f"the client does not start: {why}", refused=True, change=((name, DROP),))
        for name in reading.given
        if (why := refused_value(reading, name))
    ]


def refused_value(reading: Reading, name: str) -> str:
    """Why the client does not take the value that the configuration sets; "" if it takes the value."""
    own = reading.definition(name)
    return "" if own is None else refusal(reading.library, own, reading.given[name])


def _unknown(reading: Reading) -> list[Finding]:
    if not reading.unknown:
        return []
    if reading.library == "java":
        return [Finding(reading.unknown, "Java ignores unknown properties")]
    says = "librdkafka does not know this property and does not start"
    return [Finding(reading.unknown, says, refused=True, change=tuple((name, DROP) for name in reading.unknown))]


def findings(reading: Reading) -> list[Finding]:
    """Everything to say about a configuration, the most important first."""
    if reading.refuses:
        return [Finding((), f"kdg does not start: {reading.refuses}", refused=True)]
    found = [*_values(reading), *contradictions(reading), *_unknown(reading)]
    if reading.role is Role.PRODUCER:
        return [*found, *first(producer.LOSSES, reading), *every(producer.REMARKS, reading)]
    return [
        *found,
        *first(consumer.LOSSES, reading),
        *every(consumer.OVERLAYS, reading),
        *first(consumer.STARTS, reading),
        *every(consumer.REMARKS, reading),
    ]
