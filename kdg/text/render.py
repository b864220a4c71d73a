"""Owns how a page becomes text, Markdown or JSON. Text and Markdown print its sections, JSON prints its data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kdg.text.page import Code, Page, Section, Table
from kdg.text.tables import GAP, aligned, markdown_table, wrap

WIDTH = 80
"""Characters in a line of text."""

LABEL = 15
"""Characters that the heading of a line of prose takes."""

DOT = " · "
"""What separates the items of a list; an item is not broken if it fits into one line."""

_KEPT = "\u00a0"
"""Replaces the spaces of an item while the list is wrapped."""


def render(page: Page, format: str, *, color: bool = False) -> str:  # noqa: A002  the flag's own name
    """The page, ending with a newline. format: a name in FORMATS. color: bold headings, in text. Raises KeyError."""
    return FORMATS[format](page, color)


def listed(items: Sequence[str]) -> str:
    """The items as one line of prose."""
    return DOT.join(items)


def _text(page: Page, color: bool) -> str:
    bold: Callable[[str], str] = "\x1b[1m{}\x1b[0m".format if color else str
    gap = " " * max(WIDTH - len(page.name) - len(page.brief), GAP)
    if len(page.name) + len(page.brief) + GAP > WIDTH:
        gap = "\n"
    lines = [f"{bold(page.name)}{gap}{page.brief}".rstrip(), *(wrap(page.summary, WIDTH) if page.summary else ()), ""]
    for section in page.sections:
        if isinstance(section.content, str):
            lines += _prose(_title(section), section.content, bold)
        else:
            lines += [*([""] if lines[-1] else []), *_block(_title(section), section.content, bold), ""]
    return "\n".join(lines).rstrip() + "\n"


def _title(section: Section) -> str:
    return f"{section.heading.upper()} {section.subject}".strip()


def _prose(title: str, content: str, bold: Callable[[str], str]) -> list[str]:
    if not title:
        return [*wrap(content, WIDTH), ""]
    label = title.ljust(LABEL) if len(title) < LABEL else f"{title}  "
    items = [part if len(part) > WIDTH - LABEL else part.replace(" ", _KEPT) for part in content.split(DOT)]
    content = DOT.join(items) if len(items) > 1 else content
    lines = [line.replace(_KEPT, " ").rstrip() for line in wrap(content, WIDTH, label, " " * LABEL)]
    return [lines[0].replace(title, bold(title), 1), *lines[1:]]


def _block(title: str, content: Table | Code, bold: Callable[[str], str]) -> list[str]:
    heading = [bold(line) for line in wrap(title, WIDTH)] if title else []
    if isinstance(content, Code):
        return [*heading, *(f"{' ' * GAP}{line}".rstrip() for line in content.lines)]
    head = [content.columns] if any(content.columns) else []
    return [*heading, *aligned([*head, *content.rows], indent=GAP, width=WIDTH)]


def _markdown(page: Page, color: bool) -> str:  # noqa: ARG001  every format is called alike
    parts = [f"# {page.name}", f"*{page.brief}*" if page.brief else "", page.summary]
    for section in page.sections:
        title = f"{section.heading} {section.subject}".strip()
        parts += [f"## {title}" if title else "", markdown_of(section.content)]
    return "\n\n".join(part for part in parts if part) + "\n"


def markdown_of(content: str | Table | Code) -> str:
    """The content of a section as Markdown, without a newline at the end."""
    if isinstance(content, str):
        return content
    if isinstance(content, Code):
        return "\n".join((f"```{content.language}", *content.lines, "```"))
    return markdown_table(content.columns, content.rows)


def _json(page: Page, color: bool) -> str:  # noqa: ARG001  every format is called alike
    import json

    facts: dict[str, Any] = {"kind": page.kind, "name": page.name, "brief": page.brief, "summary": page.summary}
    return json.dumps(facts | dict(page.data), indent=2, ensure_ascii=False) + "\n"


FORMATS: Mapping[str, Callable[[Page, bool], str]] = {"text": _text, "markdown": _markdown, "json": _json}
"""The formats that `--format` takes, and the function that makes each."""
