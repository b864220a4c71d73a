"""Owns finding pages by words (`kdg explain lost messages`): pure counting over what the pages say, no index kept."""

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

_NOISE = frozenset(["a", "an", "and", "are", "at", "be", "but", "can", "did", "do", "does", "for", "from", "get", "have", "how", "i", "if", "in", "is", "it", "me", "my", "not", "of", "on", "or", "so", "that", "the", "there", "this", "to", "was", "we", "what", "when", "where", "which", "who", "why", "will", "with", "you", "your", "after"])  # fmt: skip
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
    "stuck hang hangs stands still stalled blocked",
    "fence fenced fencing zombie",
    "position positions offset offsets",
)
_MEANING = {word: line.split()[0] for line in _ALIKE for word in line.split()}


class Hit(NamedTuple):
    """A page: its name and the line that says what it is about."""

    name: str
    about: str


class _Entry(NamedTuple):
    hit: Hit
    title: frozenset[str]
    text: frozenset[str]


def search(words: Iterable[str]) -> list[Hit]:
    """The pages that say the most of the words, best first; those in a name or a question weigh more."""
    asked = _stems(" ".join(words))
    if not asked:
        return []
    scored = [(len(asked & (e.title | e.text)), 2 * len(asked & e.title) / (len(e.title) or 1), e.hit) for e in _entries()]  # fmt: skip
    found = sorted((s for s in scored if s[0] == max(1, len(asked))), key=lambda s: -s[1])
    found = found or sorted((s for s in scored if s[0]), key=lambda s: (-s[0], -s[1]))
    return [hit for _, _, hit in found[:MOST]]


def _entries() -> Iterator[_Entry]:
    for q in QUESTIONS:
        yield _entry(q.name, q.question, f"{q.name} {q.question}", q.answer)
    for row in GUARANTEES:
        yield _entry(row.name, row.promise, row.name, f"{row.promise} {row.where_it_ends} {row.costs}")
    for fact in FACTS.values():
        effects = (("loss", fact.loss), ("duplicates", fact.duplicates), ("order", fact.order))
        said = " ".join(f"{what} {text}" for what, text in effects if text)
        about = next((f"{what}: {text}" for what, text in effects if text), fact.note or fact.side)
        yield _entry(fact.name, about, fact.name, f"{said} {fact.note}")
    for code in EXIT_CODES:
        yield _entry(f"exit-{code.code}", code.meaning, f"exit {code.outcome}", f"{code.meaning} {code.advice}")
    yield _entry("contradictions", "settings that a client refuses together", "contradictions refused together", " ".join(c.says for c in CONTRADICTIONS))  # fmt: skip
    yield _entry("config", "files, profiles and the environment", "config configuration file profile environment secret password toml properties", "")  # fmt: skip


def _entry(name: str, about: str, title: str, text: str) -> _Entry:
    return _Entry(Hit(name, about), _stems(title), _stems(text))


def _stems(text: str) -> frozenset[str]:
    """Words that mean the same as one word; dots and dashes separate."""
    words = (w for w in re.findall(r"[a-z0-9]+", text.lower()) if w not in _NOISE)
    return frozenset(_MEANING.get(word, re.sub(r"(?<=\w{3})s$", "", word)) for word in words)
