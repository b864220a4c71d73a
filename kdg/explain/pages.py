"""Owns the pages about several guarantees, destinations, deduplication, configuration, and search results."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kdg.core.destinations import DestinationKind
from kdg.core.guarantees import GUARANTEES, Guarantee, Role, Step
from kdg.explain.deduplication import DEDUPLICATION
from kdg.explain.dialects.program import shown_value
from kdg.explain.facts import FACTS
from kdg.explain.search import Hit
from kdg.explain.words import COMMANDS, in_commands, pair, path, possible, promised, see
from kdg.settings.conflicts import CONTRADICTIONS, JAVA, LIBRDKAFKA
from kdg.text.page import Code, Page, Section, Table, two_columns
from kdg.text.render import listed

# ── the guarantees beside each other ──


def overview() -> Page:
    """The page without a name: the table of guarantees, and the names of the other pages."""
    pages = ["kdg explain NAME", f"kdg explain {pair(GUARANTEES[1], GUARANTEES[2])}", "kdg explain lost messages"]
    pages += [f"kdg explain {name}" for name in ("exit-codes", "questions", "contradictions", "config")]
    sections = (Section("", table()), Section("Settings", listed(list(FACTS))), see(pages))
    data = {"guarantees": [_overview_data(g) for g in GUARANTEES], "settings": list(FACTS), "see": pages}
    summary = "What can happen to a record under each guarantee, and what each guarantee needs."
    return Page("overview", "kdg: delivery guarantees", "", summary, sections, data)


def table() -> Table:
    """The table in the README: what each guarantee can lose or duplicate, the steps of its commands, what it needs."""
    lines: list[tuple[str, ...]] = [
        ("loss", *(possible(g.may_lose) for g in GUARANTEES)),
        ("duplicates", *(possible(g.may_duplicate) for g in GUARANTEES)),
        ("speed", *(g.speed for g in GUARANTEES)),
        *((command, *(path(g, command) for g in GUARANTEES)) for command in COMMANDS),
        ("asks of the cluster", *(g.asks_of_cluster for g in GUARANTEES)),
    ]
    return Table(("", *(g.name for g in GUARANTEES)), tuple(lines))


def _overview_data(guarantee: Guarantee) -> dict[str, object]:
    return {
        "name": guarantee.name,
        "short": guarantee.short,
        "may_lose": guarantee.may_lose,
        "may_double": guarantee.may_duplicate,
        "speed": guarantee.speed,
        "promise": guarantee.promise,
        "commands": {command: path(guarantee, command) for command in COMMANDS},
        "asks_of_cluster": guarantee.asks_of_cluster,
    }


def comparison(one: Guarantee, other: Guarantee) -> Page:
    """What differs between two guarantees; what they have in common is left out."""
    every = (*_facts_of(one, other), *_settings_of(one, other), *_paths_of(one, other))
    differ = tuple(row for row in every if row[1] != row[2])
    pages = [f"kdg explain {guarantee.name}" for guarantee in (one, other)]
    data = {
        "differences": [{"what": what, one.name: left, other.name: right} for what, left, right in differ],
        "see": pages,
    }
    sections = (Section("", Table(("", one.name, other.name), differ)), see(pages))
    return Page("comparison", f"{one.name} and {other.name}", "", "", sections, data)


def _facts_of(one: Guarantee, other: Guarantee) -> Iterator[tuple[str, str, str]]:
    yield "promise", one.promise, other.promise
    yield "loss", possible(one.may_lose), possible(other.may_lose)
    yield "duplicates", possible(one.may_duplicate), possible(other.may_duplicate)
    yield "speed", one.speed, other.speed


def _settings_of(one: Guarantee, other: Guarantee) -> Iterator[tuple[str, str, str]]:
    for role in (Role.PRODUCER, Role.CONSUMER):
        names = dict.fromkeys(s.name for guarantee in (one, other) for s in guarantee.settings(role))
        for name in names:
            yield name, _value_in(one, role, name), _value_in(other, role, name)


def _value_in(guarantee: Guarantee, role: Role, name: str) -> str:
    values = [f"{shown_value(s)}{in_commands(s)}" for s in guarantee.settings(role) if s.name == name]
    return ", ".join(values) or "not set"


def _paths_of(one: Guarantee, other: Guarantee) -> Iterator[tuple[str, str, str]]:
    for command in COMMANDS:
        yield command, path(one, command), path(other, command)
    yield "a batch", f"{one.batch_records:,} records", f"{other.batch_records:,} records"
    yield "asks for", one.asks_of_cluster, other.asks_of_cluster
    yield "where it ends", one.where_it_ends, other.where_it_ends
    yield "costs", one.costs, other.costs


# ── destinations and deduplication ──


def destination(kind: DestinationKind) -> Page:
    """A destination of `kdg consume`, under each guarantee."""
    rows = tuple((guarantee.name, promised(guarantee, kind)) for guarantee in GUARANTEES)
    pages = ["kdg consume --help"]
    moved = [Section("If FILE moves", kind.moved)] if kind.moved else []
    sections = (Section("", two_columns(rows)), *moved, Section("Where it ends", kind.beyond), see(pages))
    data = {"guarantees": dict(rows), "where_it_ends": kind.beyond, "see": pages}
    if kind.moved:
        data["if_file_moves"] = kind.moved
    return Page("end", kind.flag, "consume", "What each guarantee promises for records written here.", sections, data)


def dedup() -> Page:
    """`--dedup-by`."""
    homes = [guarantee.name for guarantee in GUARANTEES if Step.DEDUP in guarantee.steps]
    pages = [f"kdg explain {name}" for name in homes]
    data = {"dedup": dict(DEDUPLICATION), "see": pages}
    summary = f"{', '.join(homes)} without most duplicates: kdg drops a record that it has already written."
    sections = (Section("", two_columns(DEDUPLICATION)), see(pages))
    return Page("dedup", "--dedup-by", "consume, pipe", summary, sections, data)


# ── configuration ──

_REFUSED_BY = {(LIBRDKAFKA, JAVA): "all", (LIBRDKAFKA,): "librdkafka", (JAVA,): "Java"}


def contradictions() -> Page:
    """The settings that a client refuses together."""
    rows = tuple((" + ".join(c.names), _REFUSED_BY[c.clients], c.says) for c in CONTRADICTIONS)
    pages = ["kdg check --help"]
    data: dict[str, Any] = {
        "contradictions": [
            {"settings": list(c.names), "role": c.role.value, "refused_by": list(c.clients), "says": c.says}
            for c in CONTRADICTIONS
        ],
        "see": pages,
    }
    summary = (
        "Settings with which a client does not start. librdkafka is the library of Python, .NET, Go and kcat. "
        "`kdg check` finds these settings."
    )
    sections = (Section("", Table(("settings", "refused by", "because"), rows)), see(pages))
    return Page("contradictions", "contradictions", "", summary, sections, data)


_ORDER = (
    ("options", "-b, -g, -G and all others"),
    ("-X PROP=VALUE", "any property of librdkafka; PROP=@FILE reads a secret from a file"),
    ("the environment", "KDG_BROKERS, KDG_GUARANTEE and KDG_GROUP; KDG_CONFIG names the file, KDG_PROFILE the profile"),
    ("the profile", "[profiles.NAME] in the file, chosen with --profile"),
    ("the file", "-F FILE, or else ~/.config/kdg/config.toml"),
    ("the guarantee", "its own settings: kdg explain NAME"),
)
_EXAMPLE = (
    "# kdg's own keys: brokers, guarantee, group, profile",
    "# all other keys are properties of librdkafka",
    'brokers = "localhost:9092"',
    "",
    "[profiles.prod]",
    'brokers = ["one:9093", "two:9093"]',
    'guarantee = "exactly-once"',
    'security.protocol = "SASL_SSL"',
    'sasl.username = "audit"',
    'sasl.password = { env = "KAFKA_PASSWORD" }',
    'ssl.key.password = { file = "key-password.txt" }',
)
_OTHER_FILES = (
    "A file whose name does not end in .toml has lines key=value, as kcat and Java have. kdg translates Java's names. "
    "If a name has no equivalent, kdg refuses it and names the nearest one."
)
_BROKERS = (
    "HOST:PORT, with commas between them; an IPv6 address is in brackets: [::1]:9092. A protocol before a broker, as "
    "in SASL_SSL://HOST:PORT, sets security.protocol. kdg checks the list, certificates and keys before it connects "
    "(exit 2). If a listener speaks another protocol than the client, kdg names the setting to write (exit 8)."
)


def config() -> Page:
    """Where settings come from."""
    pages = ["kdg produce TOPIC --dry-run", "kdg check --help"]
    sections = (
        Section("Strongest first", two_columns(_ORDER)),
        Section("Brokers", _BROKERS),
        Section("A file", Code("toml", _EXAMPLE)),
        Section("Other files", _OTHER_FILES),
        see(pages),
    )
    data = {
        "order": [{"source": source, "description": description} for source, description in _ORDER],
        "brokers": _BROKERS,
        "example": list(_EXAMPLE),
        "others": _OTHER_FILES,
        "see": pages,
    }
    summary = "kdg refuses a value that would break the guarantee, wherever the value comes from."
    return Page("config", "config", "", summary, sections, data)


# ── search ──


def found(words: str, hits: list[Hit]) -> Page:
    """The pages that a search found."""
    rows = tuple((f"kdg explain {hit.name}", hit.about) for hit in hits)
    data = {"found": [hit._asdict() for hit in hits]}
    return Page("search", words, "", "These pages mention it:", (Section("", two_columns(rows)),), data)
