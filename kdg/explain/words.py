"""Owns the words and helpers that several pages share. The facts come from the guarantees; this module adds none."""

from __future__ import annotations

from collections.abc import Sequence

from kdg.core.destinations import DestinationKind
from kdg.core.guarantees import GUARANTEES, Guarantee, Role, Setting, Step
from kdg.text.page import Section
from kdg.text.render import listed

COMMANDS = ("produce", "consume", "pipe")
"""The commands that run under a guarantee."""

NONE = "none"


def phases(guarantee: Guarantee) -> tuple[tuple[str, tuple[Step, ...]], ...]:
    """The parts of a guarantee's cycle, each with the name that says when it runs."""
    return ("each chunk", guarantee.chunk), ("each interval", guarantee.interval), ("at the end", guarantee.end)


STEP_NOTES = (
    (Step.FILTER, "runs the records through the command after -- (only pipe)"),
    (Step.DEDUP, "drops records that were already written (--dedup-by)"),
    (Step.MARK, "remembers the records that were written (--dedup-by)"),
    (Step.RECORD_POSITION, "adds the position of the input to the transaction"),
)
"""What a step does, where its name does not say it."""


def see(pages: Sequence[str]) -> Section:
    """The commands with which to go on."""
    return Section("See", listed(pages))


def pair(one: Guarantee, other: Guarantee) -> str:
    """The names of two guarantees, as `explain` takes them."""
    return f"{one.name} {other.name}"


def possible(may: bool) -> str:
    """Whether something may happen, for a table."""
    return "possible" if may else NONE


def path(guarantee: Guarantee, command: str) -> str:
    """The steps of a command under a guarantee; and the destination that it needs, if it needs one."""
    way = arrows(steps(guarantee, command))
    return way if exists(guarantee, command) else f"{needed(guarantee)}: {way}"


def exists(guarantee: Guarantee, command: str) -> bool:
    """Whether a command runs under a guarantee without further options."""
    from kdg.core.crash.world import SHAPES

    return SHAPES[command].serves(guarantee)


def needed(guarantee: Guarantee) -> str:
    """The options of which `consume` needs one, if it does not run without."""
    return f"with {' or '.join(kind.flag for kind in DestinationKind if kind in guarantee.destinations)}"


def shapes(guarantee: Guarantee, command: str | None = None) -> list[str]:
    """The ways to call one command, or any, under a guarantee; each has a crash table of its own."""
    from kdg.core.crash.world import SHAPES

    return [name for name, shape in SHAPES.items() if shape.serves(guarantee) and command in (None, name.split()[0])]


def steps(guarantee: Guarantee, command: str) -> tuple[Step, ...]:
    """The steps of a guarantee's cycle that do something in a command."""
    from kdg.core.crash.world import steps_of

    return steps_of(guarantee, shapes(guarantee, command)[0])


def promised(guarantee: Guarantee, kind: DestinationKind) -> str:
    """What a guarantee promises about the records of `consume` in a destination, and where the promise ends."""
    if kind not in guarantee.destinations:
        return (
            "with -G: refused, because the position and the output cannot be saved together. "
            "Without -G: each committed record once, within this run only"
        )
    if guarantee.commits_first:
        return "a batch is committed before it is written; a crash between the two loses the batch"
    if guarantee.transactional:
        return f"{kind.kept}; {kind.beyond}"
    return f"a batch is committed after {kind.settled}; {kind.beyond}"


def arrows(steps: Sequence[Step]) -> str:
    """Steps in their order."""
    return " > ".join(map(words, steps))


def words(step: Step) -> str:
    """A step as people read it."""
    return step.value.replace("-", " ")


def reason(setting: Setting) -> str:
    """The reason for a setting, the commands that it is for, and the values that it may have."""
    limits = bounds(setting)
    return f"{setting.why}{in_commands(setting)}{f' [{limits}]' if limits else ''}"


def bounds(setting: Setting) -> str:
    """Which other values keep the promise."""
    if setting.locked:
        return "only this value"
    if setting.allowed is not None:
        kept = " or ".join(value or NONE for value in setting.allowed if value not in setting.weaker)
        return "; ".join([kept, *(f"{value} gives up a part of the promise" for value in setting.weaker)])
    return f"not {', '.join(setting.refused)}" if setting.refused else ""


def in_commands(setting: Setting) -> str:
    """The commands that a setting is for, in brackets; "" if it is for all."""
    return f" ({', '.join(setting.commands)})" if setting.commands else ""


def wanted(name: str) -> list[tuple[Guarantee, Role, Setting]]:
    """What each guarantee sets for a setting."""
    return [(g, role, s) for g in GUARANTEES for role in Role for s in g.settings(role) if s.name == name]


def setting_data(setting: Setting) -> dict[str, object]:
    """A setting for JSON."""
    return {
        "name": setting.name,
        "value": setting.value or None,
        "locked": setting.locked,
        "allowed": None if setting.allowed is None else list(setting.allowed),
        "refused": list(setting.refused),
        "commands": list(setting.commands),
        "why": setting.why,
    }
