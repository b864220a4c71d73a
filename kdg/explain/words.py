"""Owns the words and helpers that several pages share. Reads the rows; adds no facts."""

from __future__ import annotations

from collections.abc import Sequence

from kdg.explain.facts import NEEDS_SINK
from kdg.guarantees import Guarantee, Role, Setting, Step

ROLES = {
    "produce": (Role.PRODUCER,),
    "consume": (Role.CONSUMER,),
    "pipe": (Role.CONSUMER, Role.PRODUCER),
}
"""The clients of each command."""

NONE = "none"


def pair(one: Guarantee, other: Guarantee) -> str:
    """The names of two guarantees, as `explain` takes them."""
    return f"{one.name} {other.name}"


def possible(may: bool) -> str:
    """Whether something may happen, for a table."""
    return "possible" if may else NONE


def path(row: Guarantee, command: str) -> str:
    """The steps of a command under a guarantee."""
    return arrows(steps(row, command)) if exists(row, command) else NEEDS_SINK


def exists(row: Guarantee, command: str) -> bool:
    """Whether a command exists under a guarantee."""
    from kdg.crash import SHAPES

    return SHAPES[command].serves(row)


def steps(row: Guarantee, command: str) -> tuple[Step, ...]:
    """The steps of a guarantee's cycle that do something in a command."""
    from kdg.crash import steps_of

    return steps_of(row, command)


def arrows(steps: Sequence[Step]) -> str:
    """Steps in their order."""
    return " > ".join(map(words, steps))


def words(step: Step) -> str:
    """A step as it is read."""
    return step.value.replace("-", " ")


def why(setting: Setting) -> str:
    """The reason for a setting, with what it is limited to."""
    extra = [f"({', '.join(setting.commands)})"] if setting.commands else []
    limits = bounds(setting)
    return " ".join([setting.why, *extra, *([f"[{limits}]"] if limits else [])])


def bounds(setting: Setting) -> str:
    """Which other values keep the promise."""
    if setting.locked:
        return "locked"
    if setting.allowed is not None:
        return " or ".join(value or NONE for value in setting.allowed)
    return f"not {', '.join(setting.refused)}" if setting.refused else ""


def setting_data(setting: Setting) -> dict[str, object]:
    """A setting as JSON has it."""
    return {
        "name": setting.name,
        "value": setting.value or None,
        "locked": setting.locked,
        "allowed": None if setting.allowed is None else list(setting.allowed),
        "refused": list(setting.refused),
        "commands": list(setting.commands),
        "why": setting.why,
    }
