"""Owns the page of a setting: what it does, its defaults, and what each guarantee needs."""

from __future__ import annotations

from typing import Any

from kdg.core.guarantees import GUARANTEES, Role
from kdg.explain.dialects import DIALECTS
from kdg.explain.dialects.program import shown_value
from kdg.explain.facts import Fact
from kdg.explain.words import NONE, in_commands, reason, see, setting_data, wanted
from kdg.settings.definitions import definition
from kdg.settings.java import java_name
from kdg.settings.librdkafka import CANONICAL, KNOWN
from kdg.text.page import Page, Section, Table, two_columns
from kdg.text.render import listed

_TITLES = {"python": "Python", "dotnet": ".NET", "java": "Java", "go": "Go"}


def setting_page(fact: Fact, client: str) -> Page:
    """A setting. client: shows how to write it there; librdkafka shows how to write it in every client."""
    effects = {"loss": fact.loss, "duplicates": fact.duplicates, "order": fact.order}
    pages = [f"kdg explain {guarantee.name}" for guarantee in GUARANTEES]
    sections = [
        Section("Its effect on", two_columns(tuple((what, effect or NONE) for what, effect in effects.items()))),
        Section("Defaults", _shown_defaults(fact)),
        _guarantees(fact),
        Section("Names", _shown_names(fact)),
    ]
    data: dict[str, Any] = {"effects": effects, "defaults": _defaults(fact), "guarantees": _guarantees_data(fact)}
    data["names"] = _names(fact)
    if fact.name in KNOWN:
        data["written"] = _written(fact, client)
        sections.append(Section("Written", two_columns(tuple(data["written"].items()))))
    if fact.note:
        data["note"] = fact.note
        sections.append(Section("Note", fact.note))
    data["see"] = pages
    return Page("setting", fact.name, fact.side, "", (*sections, see(pages)), data)


# ── defaults ──


def _defaults(fact: Fact) -> dict[str, str]:
    if fact.broker is not None:
        return {"broker": str(fact.broker)}
    return {"librdkafka": str(fact.librdkafka), "java": str(fact.java)}


def _shown_defaults(fact: Fact) -> str:
    if fact.broker is not None:
        return f"Kafka 4.3: {fact.broker}"
    return listed([f"librdkafka, Python, .NET: {fact.librdkafka}", f"Java: {fact.java}"])


# ── what the guarantees need ──


def _guarantees(fact: Fact) -> Section:
    found = wanted(fact.name)
    if not found:
        return Section("Guarantees", _without_a_guarantee(fact))
    rows = tuple((guarantee.name, shown_value(s), reason(s)) for guarantee, _, s in found)
    return Section("What each guarantee sets, and why", Table(("", "", ""), rows))


def _guarantees_data(fact: Fact) -> list[dict[str, object]]:
    found = wanted(fact.name)
    if found:
        return [{"guarantee": g.name, "role": role.value, **setting_data(s)} for g, role, s in found]
    return [{"guarantee": None, **setting_data(s)} for s in _of_kdg(fact)]


def _without_a_guarantee(fact: Fact) -> str:
    own = _of_kdg(fact)
    if own:
        return f"no guarantee sets it. kdg sets {'; '.join(f'{s.value}{in_commands(s)}: {s.why}' for s in own)}"
    asking = [(guarantee, r) for guarantee in GUARANTEES for r in guarantee.requires if r.setting == fact.name]
    if not asking:
        return "no guarantee sets it; the choice is yours"
    names, required = " and ".join(guarantee.name for guarantee, _ in asking), asking[0][1]
    return f"{names}: {required.phrase} for the {required.log}; {required.why}"


def _of_kdg(fact: Fact) -> list[Any]:
    """What kdg itself sets under every guarantee."""
    from kdg.settings.defaults import KDG_DEFAULTS

    return [s for s in dict.fromkeys(s for role in Role for s in KDG_DEFAULTS[role]) if s.name == fact.name]


# ── names ──


def _names(fact: Fact) -> dict[str, object]:
    if fact.name not in KNOWN:
        return {}
    others = {client: name or None for client, name in _by_client(fact).items()}
    return {"librdkafka": fact.name, "aliases": _aliases(fact), **others}


def _aliases(fact: Fact) -> list[str]:
    return [alias for alias, name in CANONICAL.items() if name == fact.name]


def _by_client(fact: Fact) -> dict[str, str]:
    return {client: dialect.name_of(fact.name) for client, dialect in DIALECTS.items()}


def _shown_names(fact: Fact) -> str:
    if fact.name not in KNOWN:
        return "the same in every client, because the setting belongs to the cluster"
    names = {_TITLES.get(client, client): name for client, name in _by_client(fact).items()}
    same = ["librdkafka", *(title for title, name in names.items() if name == fact.name)]
    others = [f"{title}: {name or 'absent'}" for title, name in names.items() if name != fact.name]
    aliases = _aliases(fact)
    also = f" (also {', '.join(aliases)})" if aliases else ""
    return listed([f"{', '.join(same)}: {fact.name}{also}", *others])


# ── how it is written ──


def _written(fact: Fact, client: str) -> dict[str, str]:
    """The setting in each client's syntax, with the value of the strictest guarantee, or else with the default."""
    values = [shown_value(s) for _, _, s in wanted(fact.name)]
    value = values[-1] if values else fact.librdkafka.value or "..."
    lines = {"librdkafka": f"{fact.name}={value}"}
    for name, dialect in DIALECTS.items():
        if dialect.name_of(fact.name):
            lines[name] = dialect.line(fact.name, value)
    if "java" in lines and not values:
        own = definition("java", java_name(fact.name))
        lines["java"] = f"{java_name(fact.name)}={(own and own.default) or '...'}"
    return {client: lines[client]} if client in DIALECTS and client in lines else lines
