"""Owns the page of a setting: what it does, its defaults, and what a guarantee wants of it."""

from __future__ import annotations

from kdg.core.guarantees import GUARANTEES, Role
from kdg.explain.dialects import DIALECTS
from kdg.explain.dialects import shown_value as value_of
from kdg.explain.facts import Fact
from kdg.explain.words import NONE, in_commands, setting_data, why
from kdg.settings.librdkafka import CANONICAL, KNOWN
from kdg.text.render import DOT, Page, Section, Table


def setting(fact: Fact, client: str) -> Page:
    """What a setting does, what it is by default, which guarantee wants what of it, and how it is written: everywhere, or in one client."""
    sections = [
        _effects(fact),
        Section("defaults", "DEFAULTS", *_defaults(fact)),
        _wanted(fact),
        Section("names", "NAMES", *_names(fact)),
    ]
    if fact.name in KNOWN:
        sections.append(Section("written", "WRITTEN", *_written(fact, client)))
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
    said = f"librdkafka, Python, .NET: {fact.librdkafka}{DOT}Java: {fact.java}"
    return said, {"librdkafka": fact.librdkafka, "java": fact.java}


def _wanted(fact: Fact) -> Section:
    wanted = [(row, role, s) for row in GUARANTEES for role in Role for s in row.settings(role) if s.name == fact.name]
    if not wanted:
        return Section("guarantees", "GUARANTEES", *_of_the_tool(fact))
    rows = tuple((row.name, value_of(s), why(s)) for row, _, s in wanted)
    data = [{"guarantee": row.name, "role": role.value, **setting_data(s)} for row, role, s in wanted]
    return Section("guarantees", "WHAT A GUARANTEE WANTS, AND WHY", Table(("", "", ""), rows), data)


def _of_the_tool(fact: Fact) -> tuple[str, list[dict[str, object]]]:
    from kdg.settings.resolve import OF_THE_TOOL

    own = [s for s in dict.fromkeys(s for role in Role for s in OF_THE_TOOL[role]) if s.name == fact.name]
    if own:
        has = "; ".join(f"{s.value}{in_commands(s)}: {s.why}" for s in own)
        return f"none sets it; kdg itself has {has}", [{"guarantee": None, **setting_data(s)} for s in own]
    asking = [(g, r) for g in GUARANTEES for r in g.requires if fact.name == r.setting]
    if not asking:
        return "none sets it; it is yours to choose", []
    names, required = " and ".join(guarantee.name for guarantee, _ in asking), asking[0][1]
    return f"{names}: {required.phrase} for the {required.log}; {required.why}", []


def _names(fact: Fact) -> tuple[str, dict[str, object]]:
    if fact.name not in KNOWN:
        return f"{fact.name} in every dialect; not a setting of a client", {}
    aliases = [alias for alias, name in CANONICAL.items() if name == fact.name]
    also = f" (also {', '.join(aliases)})" if aliases else ""
    names: dict[str, object] = {"librdkafka": fact.name, "aliases": aliases}
    names |= {client: dialect.name_of(fact.name) or None for client, dialect in DIALECTS.items()}
    others = [f"{_short(client)}: {names[client] or 'absent'}" for client in DIALECTS if names[client] != fact.name]
    return DOT.join([f"librdkafka, Python, Go, kcat{_same_in_java(fact)}: {fact.name}{also}", *others]), names


def _written(fact: Fact, client: str) -> tuple[Table, dict[str, str]]:
    """The setting to paste, with the value that the strictest guarantee wants, else the default."""
    wanted = [value_of(s) for row in GUARANTEES for role in Role for s in row.settings(role) if s.name == fact.name]
    value = wanted[-1] if wanted else fact.librdkafka.split()[0]
    lines = {"librdkafka": f"{fact.name}={value}"}
    lines |= {name: dialect.line(fact.name, value) for name, dialect in DIALECTS.items() if dialect.name_of(fact.name)}
    chosen = {client: lines[client]} if client in DIALECTS and client in lines else lines
    return Table(("", ""), tuple(chosen.items())), chosen


def _short(client: str) -> str:
    return {"dotnet": ".NET", "java": "Java"}.get(client, client)


def _same_in_java(fact: Fact) -> str:
    return ", Java" if DIALECTS["java"].name_of(fact.name) == fact.name else ""
