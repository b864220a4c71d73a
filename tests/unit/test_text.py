"""How rows become columns, and a page becomes text, Markdown or JSON."""

from __future__ import annotations

import json

import pytest

from kdg.text.page import Code, Page, Section, Table, two_columns
from kdg.text.render import render
from kdg.text.tables import aligned, column_widths, markdown_table, wrap
from kdg.text.words import plural_were

PAGE = Page(
    "kind",
    "name",
    "brief",
    "A summary.",
    (
        Section("Costs", "nothing"),
        Section("A crash in", two_columns((("after read", "nothing happened"),)), "consume --output"),
        Section("Program", Code("python", ("x = 1", "", "y = 2"))),
        Section("", "An answer."),
        Section("", Table(("a", "b"), (("1", "2|3"),))),
    ),
    {"costs": None, "numbers": [1, 2]},
)


def test_columns_give_way_widest_first_and_words_last() -> None:
    assert column_widths([("ab", "a b c d e f g h")], 12) == [2, 8]
    assert column_widths([("abcdefgh", "ij kl")], 12) == [8, 2]
    assert column_widths([("abcdefgh", "ijklmnop")], 12) == [5, 5]
    assert column_widths([("abcdefgh", "ij kl")], None) == [8, 5]


def test_rows_are_aligned_and_numbers_to_the_right() -> None:
    rows = [("", "records/s"), ("at-least-once", "12"), ("exactly-once", "3,000")]
    assert aligned(rows, right={1}) == [
        "               records/s",
        "at-least-once         12",
        "exactly-once       3,000",
    ]
    assert aligned([("a", ""), ("bcd", "")], indent=2) == ["  a", "  bcd"]
    assert aligned([]) == []


@pytest.mark.parametrize("width", [20, 40, 80])
def test_a_table_stays_within_its_width(width: int) -> None:
    rows = [("short", "a sentence that is longer than twenty characters"), ("longer name", "another one")]
    lines = aligned(rows, indent=2, width=width)
    assert max(map(len, lines)) <= width
    assert " ".join(" ".join(lines).split()).startswith("short a sentence")


def test_a_text_is_wrapped_between_words() -> None:
    assert wrap("one two three", 9) == ["one two", "three"]
    assert wrap("one two", 9, "- ", "  ") == ["- one two"]
    assert wrap("one two three", 9, "- ", "  ") == ["- one two", "  three"]
    assert wrap("", 9, "- ") == ["- "]


def test_a_markdown_table_escapes_its_cells() -> None:
    assert markdown_table(("a",), [("b|c",)]) == "| a |\n| --- |\n| b\\|c |"


def test_a_page_as_text() -> None:
    """Headings are in capitals, their subjects are not; prose without a heading is not indented.

    Code keeps its empty lines.
    """
    lines = render(PAGE, "text").splitlines()
    assert lines[0] == "name" + "brief".rjust(76)
    assert lines[1:] == [
        "A summary.",
        "",
        "COSTS          nothing",
        "",
        "A CRASH IN consume --output",
        "  after read  nothing happened",
        "",
        "PROGRAM",
        "  x = 1",
        "",
        "  y = 2",
        "",
        "An answer.",
        "",
        "  a  b",
        "  1  2|3",
    ]


def test_a_page_as_markdown() -> None:
    text = render(PAGE, "markdown")
    assert text.startswith("# name\n\n*brief*\n\nA summary.\n\n## Costs\n\nnothing\n\n## A crash in consume --output\n")
    assert "```python\nx = 1\n\ny = 2\n```" in text
    assert text.endswith("| 1 | 2\\|3 |\n")


def test_a_page_as_json_is_its_data() -> None:
    """JSON has the frame and the data of a page, and nothing of its sections."""
    assert json.loads(render(PAGE, "json")) == {
        "kind": "kind",
        "name": "name",
        "brief": "brief",
        "summary": "A summary.",
        "costs": None,
        "numbers": [1, 2],
    }


@pytest.mark.parametrize(("count", "said"), [(0, "0 records were"), (1, "1 record was"), (5, "5 records were")])
def test_the_verb_follows_the_number(count: int, said: str) -> None:
    assert plural_were(count, "record") == said
