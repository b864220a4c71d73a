"""Owns the readings of kdg's own configuration: the settings with which kdg itself would run its clients. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from kdg.check.reading import KDG, Reading, readings
from kdg.core.guarantees import Guarantee, Role
from kdg.errors import UsageError
from kdg.settings.resolve import Layer, plain, resolve

_COMMANDS = {Role.PRODUCER: "produce", Role.CONSUMER: "consume"}
_MADE_BY_KDG = {Role.PRODUCER: ("transactional.id", "kdg"), Role.CONSUMER: ("group.id", "-G")}
"""What the command line gives to each client, or kdg makes up."""


def kdg_readings(layers: Sequence[Layer], guarantee: Guarantee, role: Role | None) -> list[Reading]:
    """A reading for each client that the settings can be for. layers: the strongest first."""
    given = {name: value for layer in reversed(layers) for name, value in layer.values.items()}
    named = {each.role: each for each in readings(given, "librdkafka", role)} if given else dict.fromkeys(Role)
    return [_reading(layers, guarantee, each, named[each]) for each in named if role in (None, each)]


def _reading(layers: Sequence[Layer], guarantee: Guarantee, role: Role, as_written: Reading | None) -> Reading:
    unknown = as_written.unknown if as_written else ()
    try:
        given = plain(resolve(guarantee, role, _COMMANDS[role], layers))
    except UsageError as exc:
        written = as_written.given if as_written else {}
        return Reading(KDG, role, written, unknown=unknown, runs=guarantee.name, refuses=str(exc))
    name, value = _MADE_BY_KDG[role]
    if role is Role.CONSUMER or guarantee.transactional:
        given.setdefault(name, value)
    return Reading(KDG, role, given, unknown=unknown, runs=guarantee.name)
