"""Owns the page of a guarantee: all about it, or what to write in another client."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from kdg.core.destinations import DestinationKind
from kdg.core.guarantees import GUARANTEES, Guarantee, Role
from kdg.explain.dialects import CLIENTS, DIALECTS, code, configuration, functions, notes, one_line
from kdg.explain.dialects import shown_value as value_of
from kdg.explain.facts import DEDUPLICATION
from kdg.explain.words import ROLES, arrows, ending, exists, needed, pair, setting_data, shapes, steps, why, words
from kdg.text.render import DOT, Code, Page, Section, Table

if TYPE_CHECKING:
    from kdg.core.crash.table import CrashRow


def guarantee(row: Guarantee, client: str, command: str | None) -> Page:
    """A guarantee: for librdkafka all about it, for another client what to write there."""
    sections = _of_row(row, command) if client not in DIALECTS else _of_dialect(row, client, command)
    return Page("guarantee", row.name, _brief(row), row.promise, tuple(sections))


def _brief(row: Guarantee) -> str:
    loss = "may lose" if row.may_lose else "no loss"
    duplicates = "may double" if row.may_duplicate else "no duplicates"
    return DOT.join((loss, duplicates, row.speed))


def _of_row(row: Guarantee, command: str | None) -> Iterator[Section]:
    for role in ROLES[command or "pipe"]:
        yield _settings(row, role, command)
    yield _cycle(row, command)
    yield from _crashes(row, command)
    yield Section("asks_of_cluster", "ASKS FOR", row.asks_of_cluster)
    yield Section("where_it_ends", "WHERE IT ENDS", row.where_it_ends)
    yield from _ends(row, command)
    yield Section("costs", "COSTS", row.costs)
    if row.flags:
        yield Section("flags", "FLAGS", DOT.join(sorted(row.flags)), sorted(row.flags))
    yield Section("librdkafka", "IN LIBRDKAFKA", functions(steps(row, command or "pipe"), ROLES[command or "pipe"]))
    yield Section("dotnet", "IN .NET", f"{one_line(row)}{DOT}more: --client dotnet", one_line(row))
    others = DOT.join(f"--client {client}" for client in CLIENTS if client in DIALECTS and client != "dotnet")
    yield Section("clients", "IN OTHERS", others, list(CLIENTS))
    yield _see(row)


def _settings(row: Guarantee, role: Role, command: str | None) -> Section:
    rows = [s for s in row.settings(role) if not (command and s.commands) or command in s.commands]
    content = Table(("", ""), tuple((f"{s.name}={value_of(s)}", why(s)) for s in rows))
    return Section(role.value, f"{role.value.upper()} SETTINGS", content, [setting_data(s) for s in rows])


def _cycle(row: Guarantee, command: str | None) -> Section:
    wanted = steps(row, command) if command else row.steps
    phases = (("each chunk", row.chunk), ("each interval", row.interval), ("at the end", row.end))
    kept = [(name, [step for step in phase if step in wanted]) for name, phase in phases]
    rows = tuple((name, arrows(phase)) for name, phase in kept if phase)
    data: dict[str, object] = {name.replace(" ", "_"): [step.value for step in phase] for name, phase in kept}
    batch = ("a batch", f"{row.batch_records:,} records unless --batch-records")
    data["batch_records"] = row.batch_records
    return Section("how", "HOW", Table(("", ""), (*rows, batch)), data)


def _crashes(row: Guarantee, command: str | None) -> Iterator[Section]:
    """One section a command to be read; JSON has all of it under one key, in the first."""
    commands = shapes(row, command)

    def data() -> dict[str, object]:
        return {name: _crash_data(row, name) for name in commands}

    alike: dict[Table, list[str]] = {}
    for name in commands:
        if command or "--dedup-store" not in name:
            alike.setdefault(_crash_lines(row, name), []).append(name)
    for index, (lines, names) in enumerate(alike.items()):
        yield Section("" if index else "crash", f"A CRASH IN {', '.join(names)}", lines, data)


def _ends(row: Guarantee, command: str | None) -> Iterator[Section]:
    """Where the records of consume may end, and how doubles are dropped."""
    if command in (None, "consume"):
        rows = tuple((end.flag, ending(row, end)) for end in DestinationKind)
        yield Section("ends", "CONSUME ENDS IN", Table(("", ""), rows), dict(rows))
    if "--dedup-by" in row.flags and command != "produce":
        yield Section("dedup", "--dedup-by", Table(("", ""), DEDUPLICATION), dict(DEDUPLICATION))


@lru_cache
def _crash_rows(row: Guarantee, command: str) -> tuple[CrashRow, ...]:
    from kdg.core.crash.table import crash_table

    return crash_table(row, command)


def _crash_data(row: Guarantee, command: str) -> list[dict[str, object]]:
    return [
        {
            "step": point.step.value,
            "moment": point.moment,
            "may_lose": point.may_lose,
            "may_double": point.may_duplicate,
            "sentence": point.sentence,
        }
        for point in _crash_rows(row, command)
    ]


def _crash_lines(row: Guarantee, command: str) -> Table:
    """Steps that come one after the other and end alike share a line."""
    groups = groupby(_crash_rows(row, command), key=lambda point: (point.moment, point.sentence))
    rows = ((f"{moment} {', '.join(words(p.step) for p in points)}", sentence) for (moment, sentence), points in groups)
    return Table(("", ""), tuple(rows))


def _see(row: Guarantee) -> Section:
    others = [other for other in GUARANTEES if other is not row]
    first = next(iter(row.producer)).name
    pages = [f"kdg explain {first}", f"kdg explain {pair(others[-1], row)}", f"kdg verify -g {row.name}"]
    return Section("see", "SEE", DOT.join(pages), pages)


def _of_dialect(row: Guarantee, client: str, command: str | None) -> Iterator[Section]:
    dialect, roles = DIALECTS[client], ROLES[command or "pipe"]
    language = "properties" if client == "java" else dialect.language
    lines = configuration(row, client, command or "pipe", roles)
    yield Section("configuration", f"CONFIGURATION IN {dialect.title.upper()}", Code(language, lines))
    done = steps(row, command or "pipe")
    yield Section("code", f"THE STEPS OF {command or 'pipe'}", Code(dialect.language, code(row, client, done, roles)))
    if command and not exists(row, command):
        yield Section(
            "sink",
            "NOT ENOUGH",
            f"a position and the bytes in a pipe cannot be kept together: {needed(row)}, as kdg does, or a topic",
        )
    known = notes(client, done, roles)
    yield Section("notes", "TO KNOW", Table(("", ""), tuple(("-", note) for note in known)), list(known))
    yield Section("where_it_ends", "WHERE IT ENDS", row.where_it_ends)
    yield Section("see", "SEE", f"kdg explain {row.name}", [f"kdg explain {row.name}"])
