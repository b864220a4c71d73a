"""Owns what `kdg explain [NAME [NAME]]` answers: which page a name means, and the page in the format asked for.

Pure, and quick to import: neither confluent_kafka nor rich nor typer, and the crash model only when a page needs it.
No fact stands here or is written twice: promises, settings, reasons and cycles are the rows of `kdg/core/guarantees.py`,
crash sentences come out of `kdg/core/crash/table.py`, exit codes out of `kdg/errors.py`, all else about Kafka out of `facts.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kdg.core.destinations import DestinationKind
from kdg.core.guarantees import GUARANTEES, find
from kdg.errors import EXIT_CODES, UsageError
from kdg.explain import pages
from kdg.explain.dialects import CLIENTS, dotnet_name
from kdg.explain.facts import FACTS, Fact
from kdg.explain.guarantee_page import guarantee
from kdg.explain.questions import QUESTIONS
from kdg.explain.search import search
from kdg.explain.setting_page import setting
from kdg.explain.words import ROLES
from kdg.settings.java import java_name
from kdg.settings.librdkafka import CANONICAL, KNOWN, canonical
from kdg.text.render import FORMATS, Page, markdown_of, render

__all__ = ["CLIENTS", "COMMANDS", "FORMATS", "explain", "names", "table_markdown"]

COMMANDS = tuple(ROLES)

ENDS = {
    "stdout": DestinationKind.STDOUT,
    "output": DestinationKind.FILE,
    "sqlite": DestinationKind.SQLITE,
    "cmd": DestinationKind.COMMAND,
}
"""Where records end, by the name that has a page."""
_DEDUP = ("dedup-by", "dedup-store", "dedup-ttl")
_EXIT_LISTS = ("exitcodes", "exitcode", "exits", "exit")
_MOST = 2
MISSPELLED = 0.8
"""How much alike a word and a name are where the word is the name, misspelled."""
_LISTS = {"questions": pages.questions, "contradictions": pages.contradictions, "config": pages.config}
_QUESTIONS = {question.name: question for question in QUESTIONS}


def explain(
    names: Sequence[str],
    client: str = "librdkafka",
    format: str = "text",  # noqa: A002  the flag's own name
    command: str | None = None,
    width: int = 80,
    color: bool = False,
) -> str:
    """The page that the names mean, ending with a newline.

    names: none, a guarantee, a setting, an exit code, two guarantees, or words to search for. client: one of CLIENTS. format: one of
    FORMATS. command: keeps a guarantee's page to one of COMMANDS. Raises UsageError for what is none of these, and
    offers what is near it.
    """
    _one_of("--client", client, CLIENTS)
    _one_of("--format", format, tuple(FORMATS))
    if command is not None:
        _one_of("--command", command, COMMANDS)
    return render(_page(list(names), client, command), format, width, color=color)


def table_markdown() -> str:
    """The README's table: what each guarantee may lose or double, and what it asks for."""
    return markdown_of(pages.table()) + "\n"


def names() -> tuple[str, ...]:
    """Every name that has a page, for completion and for tests."""
    exits = (f"exit-{row.code}" for row in EXIT_CODES)
    return (*(row.name for row in GUARANTEES), *FACTS, *ENDS, *_DEDUP, *exits, "exit-codes", *_LISTS, *_QUESTIONS)


def _one_of(flag: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise UsageError(f"{flag} {value!r} is not known.", f"Choose one of {', '.join(known)}.")


def _page(asked: list[str], client: str, command: str | None) -> Page:
    if not asked:
        return pages.overview()
    if len(asked) > 1 and asked[0].lower().startswith("exit"):
        asked = ["-".join(asked)]
    if len(asked) == 1:
        return _one(asked[0], client, command)
    words = " ".join(asked)
    if not all(_is_name(word) for word in asked) and (hits := search(asked)):
        return pages.found(words, hits)
    if len(asked) > _MOST:
        raise UsageError(f"{len(asked)} names are too many.", "kdg explain takes one name, or two guarantees.")
    return _two(asked[0], asked[1], client, command)


def _is_name(word: str) -> bool:
    return find(word) is not None or canonical(word) in FACTS or word in _LISTS or _exit(word) is not None


def _two(one: str, other: str, client: str, command: str | None) -> Page:
    left, right = find(one), find(other)
    if left is None or right is None:
        wrong = one if left is None else other
        raise UsageError(f"{wrong!r} is no guarantee, and only guarantees stand side by side.", _near(wrong))
    return guarantee(left, client, command) if left is right else pages.comparison(left, right)


def _one(text: str, client: str, command: str | None) -> Page:
    name = text.strip().lstrip("-")
    page = _exit(name) or _option(name) or _setting(name, client) or _listed(name.lower())
    if page is not None:
        return page
    row = find(name)
    if row is not None:
        return guarantee(row, client, command)
    if canonical(name) in KNOWN:
        raise UsageError(f"{text!r} is a setting of Kafka's clients that has no part in a guarantee.", _near(name))
    if (hits := search(name.split())) and not _closest(name, MISSPELLED):
        return pages.found(name, hits)
    raise UsageError(f"{text!r} is no guarantee, setting or exit code.", _near(name))


def _listed(name: str) -> Page | None:
    if name in _LISTS:
        return _LISTS[name]()
    return pages.question(_QUESTIONS[name]) if name in _QUESTIONS else None


def _exit(name: str) -> Page | None:
    squashed = _squash(name)
    if squashed in _EXIT_LISTS:
        return pages.exit_codes()
    number = squashed.removeprefix("exitcode").removeprefix("exit")
    rows = [row for row in EXIT_CODES if number == str(row.code) or name.lower() == row.outcome]
    return pages.exit_code(rows[0]) if rows else None


def _option(name: str) -> Page | None:
    wanted = name.lower().replace("_", "-")
    if wanted in _DEDUP:
        return pages.dedup()
    return pages.end(ENDS[wanted]) if wanted in ENDS else None


def _setting(name: str, client: str) -> Page | None:
    fact = FACTS.get(canonical(name)) or _spelled()[0].get(_squash(name))
    return None if fact is None else setting(fact, client)


def _squash(name: str) -> str:
    """One spelling for enable.auto.commit, enable_auto_commit and EnableAutoCommit."""
    return "".join(c for c in name.lower() if c.isalnum())


def _spelled() -> tuple[dict[str, Fact], list[str]]:
    """Each fact by every name it has in any client, squashed; and those names as they are written."""
    written = [(name, fact) for name, fact in FACTS.items()]
    written += [(alias, FACTS[name]) for alias, name in CANONICAL.items() if name in FACTS]
    written += [(name(fact.name), fact) for name in (dotnet_name, java_name) for fact in FACTS.values()]
    named = [(name, fact) for name, fact in written if name]
    return {_squash(name): fact for name, fact in reversed(named)}, [name for name, _ in named]


def _closest(name: str, cutoff: float = 0.5) -> list[str]:
    import difflib

    candidates = [
        *(row.name for row in GUARANTEES),
        *_spelled()[1],
        *ENDS,
        *_DEDUP,
        "exit-codes",
        *_LISTS,
        *_QUESTIONS,
        *(row.outcome for row in EXIT_CODES),
    ]
    return difflib.get_close_matches(name.lower(), dict.fromkeys(candidates), n=3, cutoff=cutoff)


def _near(name: str) -> str:
    near = _closest(name)
    listed = (
        "kdg explain lists the guarantees and settings; kdg explain questions, exit-codes and contradictions the rest."
    )
    return f"Did you mean {' or '.join(near)}?" if near else listed
