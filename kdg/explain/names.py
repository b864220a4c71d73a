"""Owns which page a name means: guarantees, settings in any client's spelling, exit codes, options, questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kdg.core.destinations import DestinationKind
from kdg.core.guarantees import GUARANTEES, find
from kdg.errors import EXIT_CODES, UsageError
from kdg.explain import pages
from kdg.explain.dialects.dotnet import dotnet_name
from kdg.explain.exit_code_pages import exit_code_page, exit_codes_page
from kdg.explain.facts import FACTS, Fact
from kdg.explain.guarantee_page import guarantee_page
from kdg.explain.questions import QUESTIONS, question_page, questions_page
from kdg.explain.search import search
from kdg.explain.setting_page import setting_page
from kdg.settings.java import java_name
from kdg.settings.librdkafka import CANONICAL, KNOWN, canonical
from kdg.text.page import Page

DESTINATIONS = {
    "stdout": DestinationKind.STDOUT,
    "output": DestinationKind.FILE,
    "sqlite": DestinationKind.SQLITE,
    "cmd": DestinationKind.COMMAND,
}
"""The destinations of `kdg consume`, by the name of their page."""

_DEDUP = ("dedup-by", "dedup-store", "dedup-ttl")
_EXIT_LISTS = ("exitcodes", "exitcode", "exits", "exit")
_LISTS: dict[str, Callable[[], Page]] = {
    "questions": questions_page,
    "contradictions": pages.contradictions,
    "config": pages.config,
}
_QUESTIONS = {question.name: question for question in QUESTIONS}

_MOST = 2
"""The most names that one call takes."""
_MISSPELLED = 0.8
"""How similar a word must be to a name (0 to 1) to count as a misspelling, and not as a word to search for."""


def names() -> tuple[str, ...]:
    """Every name that has a page."""
    exits = (f"exit-{row.code}" for row in EXIT_CODES)
    guarantees = (guarantee.name for guarantee in GUARANTEES)
    return (*guarantees, *FACTS, *DESTINATIONS, *_DEDUP, *exits, "exit-codes", *_LISTS, *_QUESTIONS)


def page_of(asked: Sequence[str], client: str) -> Page:
    """The page that the names mean. Raises UsageError if there is none, and suggests similar names."""
    if not asked:
        return pages.overview()
    asked = [word for name in asked for word in name.split()] or asked
    if len(asked) > 1 and asked[0].lower().startswith("exit"):
        asked = ["-".join(asked)]
    if find("-".join(asked)) is not None:  # "exactly once", with quotes or without
        asked = ["-".join(asked)]
    if len(asked) == 1:
        return _one(asked[0], client)
    words = " ".join(asked)
    if not all(_is_name(word) for word in asked) and (hits := search(asked)):
        return pages.found(words, hits)
    if len(asked) > _MOST:
        raise UsageError(f"{len(asked)} names are too many.", "kdg explain takes one name, or two guarantees.")
    return _two(asked[0], asked[1], client)


def _is_name(word: str) -> bool:
    return find(word) is not None or canonical(word) in FACTS or word in _LISTS or _exit(word) is not None


def _two(one: str, other: str, client: str) -> Page:
    left, right = find(one), find(other)
    if left is None or right is None:
        wrong = one if left is None else other
        raise UsageError(f"{wrong!r} is not a guarantee; kdg explain compares only guarantees.", _near(wrong))
    return guarantee_page(left, client) if left is right else pages.comparison(left, right)


def _one(text: str, client: str) -> Page:
    name = text.strip().lstrip("-")
    page = _exit(name) or _option(name) or _setting(name, client) or _listed(name.lower())
    if page is not None:
        return page
    guarantee = find(name)
    if guarantee is not None:
        return guarantee_page(guarantee, client)
    if canonical(name) in KNOWN:
        raise UsageError(f"{text!r} is a setting of Kafka's clients that does not affect any guarantee.", _near(name))
    if (hits := search(name.split())) and not _similar(name, _MISSPELLED):
        return pages.found(name, hits)
    raise UsageError(f"{text!r} is not a guarantee, a setting or an exit code.", _near(name))


def _listed(name: str) -> Page | None:
    if name in _LISTS:
        return _LISTS[name]()
    return question_page(_QUESTIONS[name]) if name in _QUESTIONS else None


def _exit(name: str) -> Page | None:
    squashed = _squash(name)
    if squashed in _EXIT_LISTS:
        return exit_codes_page()
    number = squashed.removeprefix("exitcode").removeprefix("exit")
    rows = [row for row in EXIT_CODES if number == str(row.code) or name.lower() == row.outcome]
    if not rows and squashed.startswith("exit") and number.isdigit():
        codes = ", ".join(str(row.code) for row in EXIT_CODES)
        raise UsageError(f"kdg has no exit code {number}.", f"Its exit codes are {codes}.")
    return exit_code_page(rows[0]) if rows else None


def _option(name: str) -> Page | None:
    wanted = name.lower().replace("_", "-")
    if wanted in _DEDUP:
        return pages.dedup()
    return pages.destination(DESTINATIONS[wanted]) if wanted in DESTINATIONS else None


def _setting(name: str, client: str) -> Page | None:
    fact = FACTS.get(canonical(name)) or _spelled()[0].get(_squash(name))
    return None if fact is None else setting_page(fact, client)


def _squash(name: str) -> str:
    """One spelling for enable.auto.commit, enable_auto_commit and EnableAutoCommit."""
    return "".join(c for c in name.lower() if c.isalnum())


def _spelled() -> tuple[dict[str, Fact], list[str]]:
    """Each fact by every name that it has in any client, squashed; and those names as they are written."""
    written = [(name, fact) for name, fact in FACTS.items()]
    written += [(alias, FACTS[name]) for alias, name in CANONICAL.items() if name in FACTS]
    written += [(name(fact.name), fact) for name in (dotnet_name, java_name) for fact in FACTS.values()]
    named = [(name, fact) for name, fact in written if name]
    return {_squash(name): fact for name, fact in reversed(named)}, [name for name, _ in named]


def _similar(name: str, cutoff: float = 0.5) -> list[str]:
    import difflib

    outcomes = (row.outcome for row in EXIT_CODES)
    candidates = dict.fromkeys([*names(), *_spelled()[1], *outcomes])
    return difflib.get_close_matches(name.lower(), candidates, n=3, cutoff=cutoff)


def _near(name: str) -> str:
    similar = _similar(name)
    if similar:
        return f"Did you mean {' or '.join(similar)}?"
    return (
        "kdg explain lists the guarantees and settings; kdg explain questions, exit-codes and contradictions list the "
        "rest."
    )
