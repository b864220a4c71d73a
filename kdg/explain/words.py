"""Owns the words and helpers that several pages share. Reads the rows; adds no facts."""

from __future__ import annotations

from collections.abc import Sequence

from kdg.core.destinations import DestinationKind
from kdg.core.guarantees import Guarantee, Role, Setting, Step

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
    """The steps of a command under a guarantee, and where it has to end for that."""
    way = arrows(steps(row, command))
    return way if exists(row, command) else f"{needed(row)}: {way}"


def exists(row: Guarantee, command: str) -> bool:
    """Whether a command exists under a guarantee just as it is called."""
    from kdg.core.crash.world import SHAPES

    return SHAPES[command].serves(row)


def needed(row: Guarantee) -> str:
    """What a command has to end in where it does not exist as it is called."""
    return f"with {' or '.join(end.flag for end in DestinationKind if end in row.destinations)}"


def shapes(row: Guarantee, command: str | None = None) -> list[str]:
    """The shapes, in a guarantee, of one command or of all."""
    from kdg.core.crash.world import SHAPES

    return [name for name, shape in SHAPES.items() if shape.serves(row) and command in (None, name.split()[0])]


def steps(row: Guarantee, command: str) -> tuple[Step, ...]:
    """The steps of a guarantee's cycle that do something in a command."""
    from kdg.core.crash.world import steps_of

    return steps_of(row, shapes(row, command)[0])


def ending(row: Guarantee, end: DestinationKind) -> str:
    """What a guarantee promises where the records of consume end, and what is beyond it."""
    if end not in row.destinations:
        return "with -G refused: the position and what happens there cannot be kept together; without -G each committed record once, and nothing outlives the run"
    if row.commits_first:
        return "a batch is committed before it is handed over; a crash in between loses it"
    if row.transactional:
        return f"{end.kept}; {end.beyond}"
    return f"a batch is committed when {end.settled}; {end.beyond}"


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


def in_commands(setting: Setting) -> str:
    """The commands that it is for, where that is not all."""
    return f" ({', '.join(setting.commands)})" if setting.commands else ""


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
