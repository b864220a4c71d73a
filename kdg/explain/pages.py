"""Owns the pages beside those of one guarantee or setting: the overview, two guarantees compared, the exit codes."""

from __future__ import annotations

from collections.abc import Iterator

from kdg.core.destinations import DestinationKind
from kdg.core.guarantees import GUARANTEES, Guarantee, Role
from kdg.errors import EXIT_CODES, ExitCode
from kdg.explain.dialects import shown_value as value_of
from kdg.explain.facts import DEDUPLICATION, FACTS
from kdg.explain.questions import QUESTIONS, Question
from kdg.explain.search import Hit
from kdg.explain.words import ROLES, ending, in_commands, pair, path, possible
from kdg.settings.conflicts import CONTRADICTIONS, JAVA, LIBRDKAFKA
from kdg.text.render import DOT, Code, Page, Section, Table


def overview() -> Page:
    """The three guarantees beside each other."""
    see = ["kdg explain NAME", f"kdg explain {pair(GUARANTEES[1], GUARANTEES[2])}", "kdg explain lost messages"]
    see += [f"kdg explain {name}" for name in ("exit-codes", "questions", "contradictions", "config")]
    sections = (
        Section("guarantees", "", table(), [_overview_data(row) for row in GUARANTEES]),
        Section("settings", "SETTINGS", DOT.join(FACTS), list(FACTS)),
        Section("see", "SEE", DOT.join(see), see),
    )
    return Page(
        "overview", "kdg: delivery guarantees", "", "What may become of a record, and what that asks for.", sections
    )


def table() -> Table:
    """The README's table: what each guarantee may lose or double, what its commands do, what it asks for."""
    lines: list[tuple[str, ...]] = [
        ("loss", *(possible(row.may_lose) for row in GUARANTEES)),
        ("duplicates", *(possible(row.may_duplicate) for row in GUARANTEES)),
        ("speed", *(row.speed for row in GUARANTEES)),
        *((command, *(path(row, command) for row in GUARANTEES)) for command in ROLES),
        ("asks of the cluster", *(row.asks_of_cluster for row in GUARANTEES)),
    ]
    return Table(("", *(row.name for row in GUARANTEES)), tuple(lines))


def _overview_data(row: Guarantee) -> dict[str, object]:
    return {
        "name": row.name,
        "short": row.short,
        "may_lose": row.may_lose,
        "may_double": row.may_duplicate,
        "speed": row.speed,
        "promise": row.promise,
        "commands": {command: path(row, command) for command in ROLES},
        "asks_of_cluster": row.asks_of_cluster,
    }


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
        ("loss", lambda row: possible(row.may_lose)),
        ("duplicates", lambda row: possible(row.may_duplicate)),
        ("speed", lambda row: row.speed),
    ):
        yield what, of(one), of(other)


def _settings_of(one: Guarantee, other: Guarantee) -> Iterator[tuple[str, str, str]]:
    for role in Role:
        for name in dict.fromkeys(s.name for row in (one, other) for s in row.settings(role)):
            yield name, _value_in(one, role, name), _value_in(other, role, name)


def _value_in(row: Guarantee, role: Role, name: str) -> str:
    values = [f"{value_of(s)}{in_commands(s)}" for s in row.settings(role) if s.name == name]
    return ", ".join(values) or "as it is"


def _paths_of(one: Guarantee, other: Guarantee) -> Iterator[tuple[str, str, str]]:
    for command in ROLES:
        yield command, path(one, command), path(other, command)
    yield "a batch", f"{one.batch_records:,} records", f"{other.batch_records:,} records"
    yield "asks for", one.asks_of_cluster, other.asks_of_cluster
    yield "where it ends", one.where_it_ends, other.where_it_ends
    yield "costs", one.costs, other.costs


def end(where: DestinationKind) -> Page:
    """One place where the records of consume may end, under each guarantee."""
    rows = tuple((row.name, ending(row, where)) for row in GUARANTEES)
    sections = (
        Section("guarantees", "", Table(("", ""), rows), dict(rows)),
        Section("where_it_ends", "WHERE IT ENDS", where.beyond),
        Section("see", "SEE", "kdg consume --help", ["kdg consume --help"]),
    )
    return Page("end", where.flag, "consume", "What is promised of records that end here.", sections)


def dedup() -> Page:
    """`--dedup-by`."""
    rows = DEDUPLICATION
    homes = [row.name for row in GUARANTEES if "--dedup-by" in row.flags]
    sections = (
        Section("dedup", "", Table(("", ""), rows), dict(rows)),
        Section("see", "SEE", f"kdg explain {homes[0]}", [f"kdg explain {name}" for name in homes]),
    )
    summary = f"{', '.join(homes)} without the doubles: what was written before is dropped."
    return Page("dedup", "--dedup-by", "consume, pipe", summary, sections)


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


def question(asked: Question) -> Page:
    """A question and its answer."""
    pages = [f"kdg explain {name}" for name in asked.see]
    sections = (Section("answer", "", asked.answer), Section("see", "SEE", DOT.join(pages), pages))
    return Page("question", asked.name, "a question", asked.question, sections)


def questions() -> Page:
    """All of them."""
    rows = tuple((q.name, q.question) for q in QUESTIONS)
    data = [q._asdict() for q in QUESTIONS]
    sections = (
        Section("questions", "", Table(("", ""), rows), data),
        Section("see", "SEE", f"kdg explain {QUESTIONS[0].name}", [f"kdg explain {QUESTIONS[0].name}"]),
    )
    return Page("questions", "questions", "", "What people ask; `kdg explain NAME` answers.", sections)


_REFUSED_BY = {(LIBRDKAFKA, JAVA): "all", (LIBRDKAFKA,): "librdkafka", (JAVA,): "Java"}


def contradictions() -> Page:
    """What a client refuses together."""
    rows = tuple((" + ".join(c.names), _REFUSED_BY[c.clients], c.says) for c in CONTRADICTIONS)
    data = [{"settings": list(c.names), "role": c.role.value, "refused_by": list(c.clients), "says": c.says} for c in CONTRADICTIONS]  # fmt: skip
    sections = (
        Section("contradictions", "", Table(("settings", "refused by", "because"), rows), data),
        Section("see", "SEE", "kdg check --help", ["kdg check --help"]),
    )
    summary = "What a client does not start with. Python, .NET, Go and kcat are librdkafka's. kdg check finds them."
    return Page("contradictions", "contradictions", "", summary, sections)


_CONFIG = (
    ("options", "-b, -g, -G and all others"),
    ("-X PROP=VALUE", "any property of librdkafka; PROP=@FILE reads a secret from a file"),
    ("the environment", "KDG_BROKERS, KDG_GUARANTEE, KDG_GROUP; KDG_CONFIG and KDG_PROFILE name what follows"),
    ("the profile", "[profiles.NAME], chosen with --profile"),
    ("the file", "-F FILE, else ~/.config/kdg/config.toml"),
    ("the guarantee", "its own settings: kdg explain NAME"),
)
_EXAMPLE = (
    "# kdg's own keys: brokers, guarantee, group, profile; all else librdkafka's",
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
_OTHERS = "A file that does not end in .toml is key=value: kcat's as it stands, or Java's, whose names are translated; what has no equal is refused with what comes nearest."  # fmt: skip


def config() -> Page:
    """Where settings come from."""
    sections = (
        Section("order", "STRONGEST FIRST", Table(("", ""), _CONFIG)),
        Section("example", "A FILE", Code("toml", _EXAMPLE)),
        Section("others", "OTHER FILES", _OTHERS),
        Section("see", "SEE", "kdg produce TOPIC --dry-run · kdg check --help", ["kdg check --help"]),
    )
    return Page("config", "config", "", "A value that would break the guarantee is refused, wherever it comes from.", sections)  # fmt: skip


def found(words: str, hits: list[Hit]) -> Page:
    """What a search found."""
    rows = tuple((f"kdg explain {hit.name}", hit.about) for hit in hits)
    data = [hit._asdict() for hit in hits]
    return Page("search", words, "", "Pages that speak of it:", (Section("found", "", Table(("", ""), rows), data),))
