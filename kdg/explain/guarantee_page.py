"""Owns the page of a guarantee: everything about it, or how to write it in one client (`--client`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from kdg.core.destinations import DestinationKind
from kdg.core.guarantees import GUARANTEES, Guarantee, Role, Step
from kdg.explain.deduplication import DEDUPLICATION
from kdg.explain.dialects import CLIENTS, DIALECTS
from kdg.explain.dialects.program import (
    CONFIGURATION,
    STEPS,
    functions,
    notes,
    one_line,
    part,
    program,
    shown_value,
)
from kdg.explain.words import (
    STEP_NOTES,
    arrows,
    pair,
    phases,
    promised,
    reason,
    see,
    setting_data,
    shapes,
    steps,
    words,
)
from kdg.settings.options.limited import flags_under
from kdg.text.page import Code, Page, Section, Table, two_columns
from kdg.text.render import DOT, listed

if TYPE_CHECKING:
    from kdg.core.crash.table import CrashRow

_EXAMPLE = "pipe"
"""The command whose steps are shown in a client's calls: it has both a consumer and a producer."""


def guarantee_page(guarantee: Guarantee, client: str) -> Page:
    """A guarantee. client: librdkafka for everything about it, another client for what to write there."""
    sections, data = _in_client(guarantee, client) if client in DIALECTS else _everything(guarantee)
    return Page("guarantee", guarantee.name, _brief(guarantee), guarantee.promise, tuple(sections), data)


def _brief(guarantee: Guarantee) -> str:
    loss = "loss possible" if guarantee.may_lose else "no loss"
    duplicates = "duplicates possible" if guarantee.may_duplicate else "no duplicates"
    return listed((loss, duplicates, guarantee.speed))


# ── everything about a guarantee ──


def _everything(guarantee: Guarantee) -> tuple[Sequence[Section], dict[str, Any]]:
    sections = (
        *(_settings(guarantee, role) for role in (Role.CONSUMER, Role.PRODUCER)),
        _cycle(guarantee),
        *_crashes(guarantee),
        Section("Asks for", guarantee.asks_of_cluster),
        Section("Where it ends", guarantee.where_it_ends),
        Section("Consume writes to", two_columns(_destinations(guarantee))),
        *([Section("", two_columns(DEDUPLICATION), "--dedup-by")] if _deduplicates(guarantee) else []),
        Section("Costs", guarantee.costs),
        *([Section("Flags", listed(flags))] if (flags := flags_under(guarantee)) else []),
        Section("In librdkafka", functions(steps(guarantee, _EXAMPLE))),
        Section("In .NET", f"{one_line(guarantee)}{DOT}more: --client dotnet"),
        Section("In other clients", listed([f"--client {client}" for client in DIALECTS if client != "dotnet"])),
        see(_pages(guarantee)),
    )
    return sections, _data(guarantee)


def _data(guarantee: Guarantee) -> dict[str, Any]:
    return {
        **{role.value: [setting_data(s) for s in guarantee.settings(role)] for role in (Role.CONSUMER, Role.PRODUCER)},
        "how": _cycle_data(guarantee),
        "crash": {name: _crash_data(guarantee, name) for name in shapes(guarantee)},
        "asks_of_cluster": guarantee.asks_of_cluster,
        "where_it_ends": guarantee.where_it_ends,
        "ends": dict(_destinations(guarantee)),
        **({"dedup": dict(DEDUPLICATION)} if _deduplicates(guarantee) else {}),
        "costs": guarantee.costs,
        **({"flags": flags} if (flags := flags_under(guarantee)) else {}),
        "librdkafka": functions(steps(guarantee, _EXAMPLE)),
        "dotnet": one_line(guarantee),
        "clients": list(CLIENTS),
        "see": _pages(guarantee),
    }


def _settings(guarantee: Guarantee, role: Role) -> Section:
    rows = tuple((f"{s.name}={shown_value(s)}", reason(s)) for s in guarantee.settings(role))
    return Section(f"{role.value.capitalize()} settings", two_columns(rows))


def _cycle(guarantee: Guarantee) -> Section:
    rows = tuple((name, arrows(phase)) for name, phase in phases(guarantee) if phase)
    notes_on_steps = tuple((words(step), note) for step, note in STEP_NOTES if step in guarantee.steps)
    chunk = ("chunk", "the records that one read brings")
    batch = ("batch", f"at most {guarantee.batch_records:,} records; change with --batch-records")
    return Section("How", two_columns((*rows, *notes_on_steps, chunk, batch)))


def _cycle_data(guarantee: Guarantee) -> dict[str, Any]:
    steps_of = {name.replace(" ", "_"): [step.value for step in phase] for name, phase in phases(guarantee)}
    return {**steps_of, "batch_records": guarantee.batch_records}


def _crashes(guarantee: Guarantee) -> Iterator[Section]:
    """One section for all commands in which a crash has the same effects. JSON has a table for each command."""
    alike: dict[Table, list[str]] = {}
    for name in shapes(guarantee):
        if "--dedup-store" not in name:
            alike.setdefault(_crash_lines(guarantee, name), []).append(name)
    for lines, names in alike.items():
        yield Section("A crash in", lines, ", ".join(names))


@lru_cache
def _crash_rows(guarantee: Guarantee, command: str) -> tuple[CrashRow, ...]:
    from kdg.core.crash.table import crash_table

    return crash_table(guarantee, command)


def _crash_data(guarantee: Guarantee, command: str) -> list[dict[str, object]]:
    return [
        {
            "step": point.step.value,
            "moment": point.moment,
            "may_lose": point.may_lose,
            "may_double": point.may_duplicate,
            "sentence": point.sentence,
        }
        for point in _crash_rows(guarantee, command)
    ]


def _crash_lines(guarantee: Guarantee, command: str) -> Table:
    """Consecutive steps with the same effect share a line."""
    groups = groupby(_crash_rows(guarantee, command), key=lambda point: (point.moment, point.sentence))
    return two_columns(
        tuple((f"{moment} {', '.join(words(p.step) for p in same)}", sentence) for (moment, sentence), same in groups)
    )


def _destinations(guarantee: Guarantee) -> tuple[tuple[str, str], ...]:
    return tuple((kind.flag, promised(guarantee, kind)) for kind in DestinationKind)


def _deduplicates(guarantee: Guarantee) -> bool:
    return Step.DEDUP in guarantee.steps


def _pages(guarantee: Guarantee) -> list[str]:
    others = [other for other in GUARANTEES if other is not guarantee]
    first = next(iter(guarantee.producer)).name
    return [f"kdg explain {first}", f"kdg explain {pair(others[-1], guarantee)}", f"kdg verify -g {guarantee.name}"]


# ── what to write in one client ──


def _in_client(guarantee: Guarantee, client: str) -> tuple[Sequence[Section], dict[str, Any]]:
    dialect, done = DIALECTS[client], steps(guarantee, _EXAMPLE)
    text, known = program(guarantee, client), notes(dialect, done)
    settings, lines = part(text, CONFIGURATION), part(text, STEPS)
    whole = f"kdg explain {guarantee.name} --client {client} --program"
    pages = [whole, f"kdg explain {guarantee.name}"]
    sections = (
        Section("Configuration in", Code(dialect.language, settings), dialect.title),
        Section(dialect.does, Code(dialect.language, lines)),
        Section("To know", two_columns(tuple(("-", note) for note in known))),
        Section("Where it ends", guarantee.where_it_ends),
        see(pages),
    )
    data = {
        "configuration": list(settings),
        "code": list(lines),
        "notes": list(known),
        "where_it_ends": guarantee.where_it_ends,
        "see": pages,
    }
    return sections, data
