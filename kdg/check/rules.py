"""Owns the findings about a configuration: the rules of producer.py and consumer.py, and the contradictions. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from kdg.check import consumer, producer
from kdg.check.finding import Finding, Rule
from kdg.check.reading import Reading
from kdg.core.guarantees import Role
from kdg.settings.conflicts import CONTRADICTIONS


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


def _unknown(reading: Reading) -> list[Finding]:
    if not reading.unknown:
        return []
    refuses = reading.library == "librdkafka"
    says = "librdkafka does not know this property and does not start" if refuses else "Java ignores unknown properties"
    return [Finding(reading.unknown, says, refused=refuses)]


def findings(reading: Reading) -> list[Finding]:
    """Everything to say about a configuration, the most important first."""
    found = [*contradictions(reading), *_unknown(reading)]
    if reading.role is Role.PRODUCER:
        return [*found, *first(producer.LOSSES, reading), *every(producer.REMARKS, reading)]
    return [
        *found,
        *first(consumer.LOSSES, reading),
        *every(consumer.OVERLAYS, reading),
        *every(consumer.REMARKS, reading),
    ]
