"""The README as a CommonMark reader sees it: headings, code blocks, tables and links."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
SOURCE = (ROOT / "README.md").read_text(encoding="utf-8")
TOKENS = MarkdownIt("commonmark").enable("table").parse(SOURCE)
LANGUAGES = {"sh", "console", "text", "toml", "yaml"}
COMMANDS = ["produce", "consume", "pipe", "explain", "verify", "check", "sandbox"]


def headings(level: str) -> list[str]:
    return [
        TOKENS[at + 1].content for at, token in enumerate(TOKENS) if token.type == "heading_open" and token.tag == level
    ]


def fences() -> list[Token]:
    return [token for token in TOKENS if token.type == "fence"]


def links() -> list[str]:
    inline = [child for token in TOKENS for child in token.children or []]
    found = [child.attrGet("href") or child.attrGet("src") for child in inline if child.type in ("link_open", "image")]
    return [str(target) for target in found]


def anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def section(heading: str) -> str:
    """The source from a heading to the next one of the same level or a higher one."""
    marks = heading.split(" ", maxsplit=1)[0]
    after = SOURCE.partition(f"\n{heading}\n")[2]
    assert after, heading
    return re.split(rf"^#{{1,{len(marks)}}} ", after, maxsplit=1, flags=re.MULTILINE)[0]


def test_every_code_block_is_closed_and_has_a_language() -> None:
    lines = SOURCE.splitlines()
    for block in fences():
        assert block.map is not None
        assert lines[block.map[1] - 1] == "```", f"the code block of line {block.map[0] + 1} is not closed"
        assert block.info in LANGUAGES


def test_no_code_block_has_swallowed_prose() -> None:
    """A heading or a table inside a block of code would be shown as text."""
    for block in fences():
        assert re.findall(r"^##|^\| ---|^```", block.content, re.MULTILINE) == []


def test_every_heading_of_the_source_is_a_heading_for_the_reader() -> None:
    outside = re.sub(r"^```.*?^```$", "", SOURCE, flags=re.DOTALL | re.MULTILINE)
    written = re.findall(r"^#+ (.+)$", outside, re.MULTILINE)
    assert headings("h1") + headings("h2") + headings("h3") == sorted(written, key=lambda h: _level(outside, h))


def _level(source: str, heading: str) -> int:
    return len(re.findall(rf"^(#+) {re.escape(heading)}$", source, re.MULTILINE)[0])


def test_one_title_and_no_heading_twice() -> None:
    assert headings("h1") == ["kdg"]
    assert len(set(headings("h2") + headings("h3"))) == len(headings("h2") + headings("h3"))
    assert headings("h4") == []


def test_the_contents_name_every_section() -> None:
    contents = SOURCE.partition("\nContents: ")[2].partition("\n\n")[0]
    assert {anchor(heading) for heading in headings("h2") + headings("h3")} == set(
        re.findall(r"\(#([^)]+)\)", contents)
    )


def test_the_commands_stand_under_the_commands() -> None:
    assert re.findall(r"^### kdg (\w+)$", section("## The commands"), re.MULTILINE) == COMMANDS


@pytest.mark.parametrize(
    ("heading", "text"),
    [
        ("### kdg sandbox", "`--security tls|mtls|scram`"),
        ("### kdg verify", "$ kdg verify --cost"),
        ("## In CI", "runs-on: ubuntu-latest"),
        ("## In CI", "with `delivery-test.sh`"),
        ("## Under fire", "<!-- generated: torture -->"),
        ("## Deduplication", "--dedup-store FILE"),
    ],
)
def test_each_topic_stands_in_its_section(heading: str, text: str) -> None:
    assert text in section(heading)
    assert SOURCE.count(text) == 1 or text.startswith("--")


def test_every_link_leads_somewhere() -> None:
    anchors = {anchor(heading) for level in ("h1", "h2", "h3") for heading in headings(level)}
    assert links()
    for target in links():
        assert (target[1:] in anchors) if target.startswith("#") else (ROOT / target).exists(), target


def test_every_table_is_a_table_for_the_reader() -> None:
    """If a reader takes the rows of a table for a paragraph, the bars are shown."""
    paragraphs = [token.content for token in TOKENS if token.type == "inline"]
    assert [text for text in paragraphs if re.search(r"^\|? ?--- ?\|", text, re.MULTILINE)] == []
    assert sum(token.type == "table_open" for token in TOKENS) >= 10
