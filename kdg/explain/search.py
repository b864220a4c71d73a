"""Owns the search for pages by words, such as `kdg explain lost messages`. It counts words; there is no index."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kdg.core.guarantees import GUARANTEES
from kdg.errors import EXIT_CODES
from kdg.explain.facts import FACTS
from kdg.explain.questions import QUESTIONS
from kdg.settings.conflicts import CONTRADICTIONS

MOST = 6
"""The most pages that a search shows."""

_NOISE = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "at",
        "be",
        "but",
        "can",
        "did",
        "do",
        "does",
        "for",
        "from",
        "get",
        "have",
        "how",
        "i",
        "if",
        "in",
        "is",
        "it",
        "me",
        "my",
        "not",
        "of",
        "on",
        "or",
        "so",
        "that",
        "the",
        "there",
        "this",
        "to",
        "was",
        "we",
        "what",
        "when",
        "where",
        "which",
        "who",
        "why",
        "will",
        "with",
        "you",
        "your",
        "after",
    ]
)
"""Words that say nothing about the page."""

_ALIKE = (
    "loss lose lost losing loses missing missed gone vanish vanished disappear",
    "double doubles doubled duplicate duplicates duplicated twice repeat repeated again replay replayed dedupe",
    "record records message messages event events",
    "order ordering reorder reordered sequence",
    "crash crashes crashed kill killed die dies died",
    "commit commits committed committing",
    "broker brokers cluster",
    "transaction transactions transactional txn",
    "retry retries retried resend resent",
    "abort aborted aborts rollback",
    "stuck hang hangs stands still stalled blocked stop stops",
    "fence fenced fencing zombie",
    "position positions offset offsets",
    "database databases postgres postgresql mysql",
    "filter filters filtered filtering",
)
"""Words with the same meaning, one meaning a line."""

_MEANING = {word: line.split()[0] for line in _ALIKE for word in line.split()}


class Hit(NamedTuple):
    """A page: its name, and a line that says what it is about."""

    name: str
    about: str


class _Entry(NamedTuple):
    hit: Hit
    title: frozenset[str]
    text: frozenset[str]


class _Score(NamedTuple):
    matches: int
    weight: float
    hit: Hit


def search(words: Iterable[str]) -> list[Hit]:
    """The pages that contain the most of the words, best first. A word in a name or a question counts more."""
    asked = _stems(" ".join(words))
    if not asked:
        return []
    scored = [_score(asked, entry) for entry in _entries()]
    complete = sorted((s for s in scored if s.matches == len(asked)), key=lambda s: -s.weight)
    best = complete or sorted((s for s in scored if s.matches), key=lambda s: (-s.matches, -s.weight))
    return [score.hit for score in best[:MOST]]


def _score(asked: frozenset[str], entry: _Entry) -> _Score:
    in_title = 2 * len(asked & entry.title) / (len(entry.title) or 1)
    return _Score(len(asked & (entry.title | entry.text)), in_title, entry.hit)


def _entries() -> Iterator[_Entry]:
    for q in QUESTIONS:
        yield _entry(q.name, q.question, f"{q.name} {q.question}", q.answer)
    for guarantee in GUARANTEES:
        text = f"{guarantee.promise} {guarantee.where_it_ends} {guarantee.costs}"
        yield _entry(guarantee.name, guarantee.promise, guarantee.name, text)
    for fact in FACTS.values():
        effects = (("loss", fact.loss), ("duplicates", fact.duplicates), ("order", fact.order))
        said = " ".join(f"{what} {text}" for what, text in effects if text)
        about = next((f"{what}: {text}" for what, text in effects if text), fact.note or fact.side)
        yield _entry(fact.name, about, fact.name, f"{said} {fact.note}")
    for code in EXIT_CODES:
        yield _entry(f"exit-{code.code}", code.meaning, f"exit {code.outcome}", f"{code.meaning} {code.advice}")
    refused = "settings that a client refuses together"
    yield _entry("contradictions", refused, "contradictions refused together", " ".join(c.says for c in CONTRADICTIONS))
    sources = "config configuration file profile environment secret password toml properties"
    yield _entry("config", "files, profiles and the environment", sources, "")


def _entry(name: str, about: str, title: str, text: str) -> _Entry:
    return _Entry(Hit(name, about), _stems(title), _stems(text))


def _stems(text: str) -> frozenset[str]:
    """The words of a text, without their plural s; words with the same meaning become one word."""
    words = (w for w in re.findall(r"[a-z0-9]+", text.lower()) if w not in _NOISE)
    return frozenset(_MEANING.get(word, re.sub(r"(?<=\w{3})s$", "", word)) for word in words)
