"""Owns what stands on each page: facts of the table, of the crash model and of the exit codes, put into sections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from kdg.errors import EXIT_CODES, ExitCode
from kdg.explain.dialects import CLIENTS, DIALECTS, code, configuration, functions, notes, one_line
from kdg.explain.dialects import shown_value as value_of
from kdg.explain.facts import FACTS, NEEDS_SINK, Fact
from kdg.explain.render import DOT, Code, Page, Section, Table
from kdg.guarantees import GUARANTEES, Guarantee, Role, Setting, Step
from kdg.properties import CANONICAL, KNOWN

if TYPE_CHECKING:
    from kdg.crash import CrashRow

ROLES = {
    "produce": (Role.PRODUCER,),
    "consume": (Role.CONSUMER,),
    "pipe": (Role.CONSUMER, Role.PRODUCER),
}
"""The clients of each command."""

NONE = "none"

# ── the overview ──


def overview() -> Page:
    """The three guarantees beside each other."""
    see = ["kdg explain NAME", f"kdg explain {_pair(GUARANTEES[1], GUARANTEES[2])}", "kdg explain exit-codes"]
    sections = (
        Section("guarantees", "", table(), [_overview_data(row) for row in GUARANTEES]),
        Section("settings", "SETTINGS", DOT.join(FACTS), list(FACTS)),
        Section("see", "SEE", DOT.join(see), see),
    )
    return Page(
        "overview", "kdg: delivery guarantees", "", "What may become of a record, and what that asks for.", sections
    )


def _pair(one: Guarantee, other: Guarantee) -> str:
    return f"{one.name} {other.name}"


def table() -> Table:
    """The README's table: what each guarantee may lose or double, what its commands do, what it asks for."""
    lines: list[tuple[str, ...]] = [
        ("loss", *(_possible(row.may_lose) for row in GUARANTEES)),
        ("duplicates", *(_possible(row.may_double) for row in GUARANTEES)),
        ("speed", *(row.speed for row in GUARANTEES)),
        *((command, *(_path(row, command) for row in GUARANTEES)) for command in ROLES),
        ("asks of the cluster", *(row.asks_of_cluster for row in GUARANTEES)),
    ]
    return Table(("", *(row.name for row in GUARANTEES)), tuple(lines))


def _possible(may: bool) -> str:
    return "possible" if may else NONE


def _path(row: Guarantee, command: str) -> str:
    """The steps of a command under a guarantee."""
    return _arrows(_steps(row, command)) if _exists(row, command) else NEEDS_SINK


def _exists(row: Guarantee, command: str) -> bool:
    from kdg.crash import SHAPES

    return SHAPES[command].serves(row)


def _steps(row: Guarantee, command: str) -> tuple[Step, ...]:
    from kdg.crash import steps_of

    return steps_of(row, command)


def _arrows(steps: Sequence[Step]) -> str:
    return " > ".join(map(_words, steps))


def _words(step: Step) -> str:
    return step.value.replace("-", " ")


def _overview_data(row: Guarantee) -> dict[str, object]:
    return {
        "name": row.name,
        "short": row.short,
        "may_lose": row.may_lose,
        "may_double": row.may_double,
        "speed": row.speed,
        "promise": row.promise,
        "commands": {command: _path(row, command) for command in ROLES},
        "asks_of_cluster": row.asks_of_cluster,
    }


# ── a guarantee ──


def guarantee(row: Guarantee, client: str, command: str | None) -> Page:
    """A guarantee: for librdkafka all about it, for another client what to write there."""
    sections = _of_row(row, command) if client not in DIALECTS else _of_dialect(row, client, command)
    return Page("guarantee", row.name, _brief(row), row.promise, tuple(sections))


def _brief(row: Guarantee) -> str:
    loss = "may lose" if row.may_lose else "no loss"
    duplicates = "may double" if row.may_double else "no duplicates"
    return DOT.join((loss, duplicates, row.speed))


def _of_row(row: Guarantee, command: str | None) -> Iterator[Section]:
    for role in ROLES[command or "pipe"]:
        yield _settings(row, role, command)
    yield _cycle(row, command)
    yield from _crashes(row, command)
    yield Section("asks_of_cluster", "ASKS FOR", row.asks_of_cluster)
    yield Section("where_it_ends", "WHERE IT ENDS", row.where_it_ends)
    yield Section("costs", "COSTS", row.costs)
    if row.flags:
        yield Section("flags", "FLAGS", DOT.join(sorted(row.flags)), sorted(row.flags))
    yield Section("librdkafka", "IN LIBRDKAFKA", functions(_steps(row, command or "pipe"), ROLES[command or "pipe"]))
    yield Section("dotnet", "IN .NET", f"{one_line(row)}{DOT}more: --client dotnet", one_line(row))
    others = DOT.join(f"--client {client}" for client in CLIENTS if client in DIALECTS and client != "dotnet")
    yield Section("clients", "IN OTHERS", others, list(CLIENTS))
    yield _see(row)


def _settings(row: Guarantee, role: Role, command: str | None) -> Section:
    rows = [s for s in row.settings(role) if not (command and s.commands) or command in s.commands]
    content = Table(("", ""), tuple((f"{s.name}={value_of(s)}", _why(s)) for s in rows))
    return Section(role.value, f"{role.value.upper()} SETTINGS", content, [_setting_data(s) for s in rows])


def _why(setting: Setting) -> str:
    extra = [f"({', '.join(setting.commands)})"] if setting.commands else []
    bounds = _bounds(setting)
    return " ".join([setting.why, *extra, *([f"[{bounds}]"] if bounds else [])])


def _bounds(setting: Setting) -> str:
    if setting.locked:
        return "locked"
    if setting.allowed is not None:
        return " or ".join(value or NONE for value in setting.allowed)
    return f"not {', '.join(setting.refused)}" if setting.refused else ""


def _setting_data(setting: Setting) -> dict[str, object]:
    return {
        "name": setting.name,
        "value": setting.value or None,
        "locked": setting.locked,
        "allowed": None if setting.allowed is None else list(setting.allowed),
        "refused": list(setting.refused),
        "commands": list(setting.commands),
        "why": setting.why,
    }


def _cycle(row: Guarantee, command: str | None) -> Section:
    wanted = _steps(row, command) if command and _exists(row, command) else row.steps
    phases = (("each chunk", row.chunk), ("each interval", row.interval), ("at the end", row.end))
    kept = [(name, [step for step in phase if step in wanted]) for name, phase in phases]
    rows = tuple((name, _arrows(steps)) for name, steps in kept if steps)
    data = {name.replace(" ", "_"): [step.value for step in steps] for name, steps in kept}
    return Section(
        "how", f"HOW (a batch is {row.batch_records:,} records unless --batch-records)", Table(("", ""), rows), data
    )


def _crashes(row: Guarantee, command: str | None) -> Iterator[Section]:
    """One section a command to be read; JSON has all of it under one key, in the first."""
    commands = [c for c in _commands(row) if command is None or c.split()[0] == command]
    if not commands:
        yield Section("crash", "A CRASH", f"{command}: {NEEDS_SINK}", {})

    def data() -> dict[str, object]:
        return {name: _crash_data(row, name) for name in commands}

    for index, name in enumerate(name for name in commands if command or "--dedup-store" not in name):
        heading = f"A CRASH IN {name}"
        yield Section("" if index else "crash", heading, _crash_lines(row, name), data)


def _commands(row: Guarantee) -> list[str]:
    from kdg.crash import SHAPES

    return [name for name, shape in SHAPES.items() if shape.serves(row)]


@lru_cache
def _crash_rows(row: Guarantee, command: str) -> tuple[CrashRow, ...]:
    from kdg.crash import crash_table

    return crash_table(row, command)


def _crash_data(row: Guarantee, command: str) -> list[dict[str, object]]:
    return [
        {
            "step": point.step.value,
            "moment": point.moment,
            "may_lose": point.may_lose,
            "may_double": point.may_double,
            "sentence": point.sentence,
        }
        for point in _crash_rows(row, command)
    ]


def _crash_lines(row: Guarantee, command: str) -> Table:
    """Steps that come one after the other and end alike share a line."""
    groups = groupby(_crash_rows(row, command), key=lambda point: (point.moment, point.sentence))
    rows = ((f"{moment} {', '.join(_words(p.step) for p in points)}", words) for (moment, words), points in groups)
    return Table(("", ""), tuple(rows))


def _see(row: Guarantee) -> Section:
    others = [other for other in GUARANTEES if other is not row]
    first = next(iter(row.producer)).name
    pages = [f"kdg explain {first}", f"kdg explain {_pair(others[-1], row)}", "kdg check --help"]
    return Section("see", "SEE", DOT.join(pages), pages)


def _of_dialect(row: Guarantee, client: str, command: str | None) -> Iterator[Section]:
    dialect, roles = DIALECTS[client], ROLES[command or "pipe"]
    language = "properties" if client == "java" else dialect.language
    lines = configuration(row, client, command or "pipe", roles)
    yield Section("configuration", f"CONFIGURATION IN {dialect.title.upper()}", Code(language, lines))
    steps = _steps(row, command or "pipe")
    yield Section("code", f"THE STEPS OF {command or 'pipe'}", Code(dialect.language, code(row, client, steps, roles)))
    if command and not _exists(row, command):
        yield Section("sink", "NOT ENOUGH", NEEDS_SINK)
    known = notes(client, steps, roles)
    yield Section("notes", "TO KNOW", Table(("", ""), tuple(("-", note) for note in known)), list(known))
    yield Section("where_it_ends", "WHERE IT ENDS", row.where_it_ends)
    yield Section("see", "SEE", f"kdg explain {row.name}", [f"kdg explain {row.name}"])


# ── two guarantees ──


def comparison(one: Guarantee, other: Guarantee) -> Page:
    """What differs between two guarantees; what they share is left out."""
    every = (*_facts_of(one, other), *_settings_of(one, other), *_paths_of(one, other))
    differ = tuple(row for row in every if row[1] != row[2])
    content = Table(("", one.name, other.name), differ)
    data = [{"what": what, one.name: left, other.name: right} for what, left, right in differ]
    pages = [f"kdg explain {row.name}" for row in (one, other)]
    sections = (Section("differences", "", content, data), Section("see", "SEE", DOT.join(pages), pages))
    title = f"{one.name} and {other.name}"
    return Page("comparison", title, "", "", sections)


def _facts_of(one: Guarantee, other: Guarantee) -> Iterator[tuple[str, str, str]]:
    for what, of in (
        ("promise", lambda row: row.promise),
        ("loss", lambda row: _possible(row.may_lose)),
        ("duplicates", lambda row: _possible(row.may_double)),
        ("speed", lambda row: row.speed),
    ):
        yield what, of(one), of(other)


def _settings_of(one: Guarantee, other: Guarantee) -> Iterator[tuple[str, str, str]]:
    for role in Role:
        for name in dict.fromkeys(s.name for row in (one, other) for s in row.settings(role)):
            yield name, _value_in(one, role, name), _value_in(other, role, name)


def _value_in(row: Guarantee, role: Role, name: str) -> str:
    values = [f"{value_of(s)}{_in_commands(s)}" for s in row.settings(role) if s.name == name]
    return ", ".join(values) or "as it is"


def _in_commands(setting: Setting) -> str:
    return f" ({', '.join(setting.commands)})" if setting.commands else ""


def _paths_of(one: Guarantee, other: Guarantee) -> Iterator[tuple[str, str, str]]:
    for command in ROLES:
        yield command, _path(one, command), _path(other, command)
    yield "a batch", f"{one.batch_records:,} records", f"{other.batch_records:,} records"
    yield "asks for", one.asks_of_cluster, other.asks_of_cluster
    yield "where it ends", one.where_it_ends, other.where_it_ends
    yield "costs", one.costs, other.costs


# ── a setting ──


def setting(fact: Fact) -> Page:
    """What a setting does, what it is by default, and which guarantee wants what of it."""
    sections = [
        _effects(fact),
        Section("defaults", "DEFAULTS", *_defaults(fact)),
        _wanted(fact),
        Section("names", "NAMES", *_names(fact)),
    ]
    if fact.note:
        sections.append(Section("note", "NOTE", fact.note))
    pages = [f"kdg explain {row.name}" for row in GUARANTEES]
    sections.append(Section("see", "SEE", DOT.join(pages), pages))
    return Page("setting", fact.name, fact.side, "", tuple(sections))


def _effects(fact: Fact) -> Section:
    effects = {"loss": fact.loss, "duplicates": fact.duplicates, "order": fact.order}
    rows = tuple((what, effect or NONE) for what, effect in effects.items())
    return Section("effects", "WHAT IT DOES TO", Table(("", ""), rows), effects)


def _defaults(fact: Fact) -> tuple[str, dict[str, str]]:
    if fact.librdkafka.startswith("broker: "):
        value = fact.librdkafka.removeprefix("broker: ")
        return f"{value} (Kafka 4.3)", {"broker": value}
    words = f"librdkafka, Python, .NET: {fact.librdkafka}{DOT}Java: {fact.java}"
    return words, {"librdkafka": fact.librdkafka, "java": fact.java}


def _wanted(fact: Fact) -> Section:
    wanted = [(row, role, s) for row in GUARANTEES for role in Role for s in row.settings(role) if s.name == fact.name]
    if not wanted:
        return Section("guarantees", "GUARANTEES", *_of_the_tool(fact))
    rows = tuple((row.name, value_of(s), _why(s)) for row, _, s in wanted)
    data = [{"guarantee": row.name, "role": role.value, **_setting_data(s)} for row, role, s in wanted]
    return Section("guarantees", "WHAT A GUARANTEE WANTS, AND WHY", Table(("", "", ""), rows), data)


def _of_the_tool(fact: Fact) -> tuple[str, list[dict[str, object]]]:
    from kdg.settings import OF_THE_TOOL

    for role in Role:
        for s in OF_THE_TOOL[role]:
            if s.name == fact.name:
                return f"none sets it; kdg itself has {s.value}: {s.why}", [{"guarantee": None, **_setting_data(s)}]
    asking = [row.name for row in GUARANTEES if fact.name in row.asks_of_cluster]
    return (f"asked of the cluster by {' and '.join(asking)}" if asking else "none sets it; it is yours to choose"), []


def _names(fact: Fact) -> tuple[str, dict[str, object]]:
    if fact.name not in KNOWN:
        return f"{fact.name} in every dialect; not a setting of a client", {}
    aliases = [alias for alias, name in CANONICAL.items() if name == fact.name]
    also = f" (also {', '.join(aliases)})" if aliases else ""
    names: dict[str, object] = {"librdkafka": fact.name, "aliases": aliases}
    names |= {client: dialect.name_of(fact.name) or None for client, dialect in DIALECTS.items()}
    others = [f"{_short(client)}: {names[client] or 'absent'}" for client in DIALECTS if names[client] != fact.name]
    return DOT.join([f"librdkafka, Python{_same_in_java(fact)}: {fact.name}{also}", *others]), names


def _short(client: str) -> str:
    return {"dotnet": ".NET", "java": "Java"}.get(client, client)


def _same_in_java(fact: Fact) -> str:
    return ", Java" if DIALECTS["java"].name_of(fact.name) == fact.name else ""


# ── exit codes ──


def exit_code(row: ExitCode) -> Page:
    """One exit code: what it means and what to do."""
    sections = (
        Section("meaning", "MEANS", row.meaning),
        Section("advice", "TO DO", row.advice),
        Section("code", "CODE", f"{row.code}; `--report` calls it {row.outcome}", row.code),
        Section("see", "SEE", "kdg explain exit-codes", ["kdg explain exit-codes"]),
    )
    return Page("exit-code", f"exit {row.code}", row.outcome, "", sections)


def exit_codes() -> Page:
    """All of them."""
    rows = tuple((str(row.code), row.outcome, row.meaning) for row in EXIT_CODES)
    data = [{"code": r.code, "outcome": r.outcome, "meaning": r.meaning, "advice": r.advice} for r in EXIT_CODES]
    sections = (
        Section("exit_codes", "", Table(("", "", ""), rows), data),
        Section("see", "SEE", "kdg explain exit-5", ["kdg explain exit-5"]),
    )
    return Page("exit-codes", "exit codes", "", "How a run ends, and what it tells a script.", sections)
