"""`kdg explain` with words: the questions, and the search."""

from __future__ import annotations

import pytest

from kdg.explain import explain
from kdg.explain.questions import QUESTIONS, Question
from tests.support.pages import data


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("lost messages", "lost-messages"),
        ("why are there duplicates", "idempotent-duplicates"),
        ("duplicates", "idempotent-duplicates"),
        ("fenced by a newer instance", "fenced-alone"),
        ("consumer stands still", "stuck"),
        ("consumer stops", "stuck"),
        ("database", "side-effects"),
        ("events vanished", "lost-messages"),
        ("two clusters", "two-clusters"),
        ("password", "config"),
        ("unclean election", "unclean.leader.election.enable"),
        ("report timed out", "timed-out"),
        ("poison", "poison-record"),
        ("postgres", "side-effects"),
        ("systemd", "service"),
        ("filter", "filter-failures"),
        ("dotnet", "clients"),
    ],
)
def test_words_find_their_page(words: str, page: str) -> None:
    found = data(*words.split())["found"]
    assert page in [hit["name"] for hit in found][:3]
    assert page in explain(words.split())


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.name)
def test_every_question_has_an_answer_and_where_to_go_on(question: Question) -> None:
    page = data(question.name)
    assert page["summary"] == question.question
    assert page["answer"] == question.answer
    assert page["see"] == [f"kdg explain {name}" for name in question.see]
    assert page["see"]


@pytest.mark.parametrize("words", [["exactly", "once"], ["exactly once"], ["Exactly-once"]])
@pytest.mark.parametrize("client", ["librdkafka", "dotnet"])
def test_a_guarantee_is_found_without_its_hyphen(words: list[str], client: str) -> None:
    assert explain(words, client) == explain(["exactly-once"], client)
