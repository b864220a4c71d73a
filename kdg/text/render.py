"""Owns how a page looks as text, Markdown or JSON. It knows nothing of guarantees.

A page is a headline and sections; a section is prose, a table or code. The same sections make all three formats, so
that they cannot say different things.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

LABEL = 15
"""Columns that the heading of a line of prose takes."""

DOT = " · "
"""Between the items of a list; an item is not broken where it fits on a line."""

_NARROW = 40
_KEPT = "\u00a0"
_GAP = 2


class Table(NamedTuple):
    """Rows of text; an empty heading is allowed."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Code(NamedTuple):
    """Lines to paste; they are never wrapped."""

    language: str
    lines: tuple[str, ...]


class Section(NamedTuple):
    """key: its name in JSON, for good; none leaves it out. data: what JSON gets, or a
    function that gives it, where that is more than is shown.
    """

    key: str
    heading: str
    content: str | Table | Code
    data: Any = None


class Page(NamedTuple):
    """What one call of `kdg explain` answers. brief: set flush right beside the title."""

    kind: str
    name: str
    brief: str
    summary: str
    sections: tuple[Section, ...]


def render(page: Page, format: str, width: int = 80, *, color: bool = False) -> str:  # noqa: A002  the flag's own name
    """The page, ending with a newline. Raises KeyError for a format that is not in FORMATS."""
    return FORMATS[format](page, max(width, _NARROW), color)


def _text(page: Page, width: int, color: bool) -> str:
    bold = "\x1b[1m{}\x1b[0m".format if color else str
    gap = " " * max(width - len(page.name) - len(page.brief), 2)
    if len(page.name) + len(page.brief) + _GAP > width:
        gap = "\n"
    lines = [f"{bold(page.name)}{gap}{page.brief}".rstrip(), *(_wrap(page.summary, width) if page.summary else ()), ""]
    for section in page.sections:
        if not isinstance(section.content, str):
            lines += [] if lines[-1] == "" else [""]
        lines += _TEXT[type(section.content)](section, width, bold)
    return "\n".join(lines).rstrip() + "\n"


def _prose(section: Section, width: int, bold: Callable[[str], str]) -> list[str]:
    assert isinstance(section.content, str)  # noqa: S101  _TEXT dispatches by this type
    label = section.heading.ljust(LABEL) if len(section.heading) < LABEL else f"{section.heading}  "
    items = [part if len(part) > width - LABEL else part.replace(" ", _KEPT) for part in section.content.split(DOT)]
    content = DOT.join(items) if len(items) > 1 else section.content
    lines = [line.replace(_KEPT, " ") for line in _wrap(content, width, label, " " * LABEL)]
    return [lines[0].replace(section.heading, bold(section.heading), 1), *lines[1:]]


def _table(section: Section, width: int, bold: Callable[[str], str]) -> list[str]:
    assert isinstance(section.content, Table)  # noqa: S101  _TEXT dispatches by this type
    head = [section.content.columns] if any(section.content.columns) else []
    rows = [*head, *section.content.rows]
    widths = column_widths(rows, width - _GAP)
    lines = [bold(line) for line in _wrap(section.heading, width)] if section.heading else []
    for row in rows:
        lines += _row(row, widths)
    return [*lines, ""]


def _row(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    from itertools import zip_longest

    cells = [_wrap(cell, width) for cell, width in zip(row, widths, strict=True)]
    gap = " " * _GAP
    return [
        (gap + gap.join(part.ljust(width) for part, width in zip(parts, widths, strict=True))).rstrip()
        for parts in zip_longest(*cells, fillvalue="")
    ]


def _code(section: Section, width: int, bold: Callable[[str], str]) -> list[str]:  # noqa: ARG001  called alike
    assert isinstance(section.content, Code)  # noqa: S101  _TEXT dispatches by this type
    return [bold(section.heading), *(f"{' ' * _GAP}{line}".rstrip() for line in section.content.lines), ""]


_TEXT: dict[type, Callable[[Section, int, Callable[[str], str]], list[str]]] = {
    str: _prose,
    Table: _table,
    Code: _code,
}


def column_widths(rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """As wide as its longest cell for each column; the widest give way until all fit, and words are broken last."""
    columns = list(zip(*rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    words = [max((len(word) for cell in column for word in cell.split()), default=0) for column in columns]
    while sum(widths) + _GAP * (len(widths) - 1) > width:
        roomy = [index for index, size in enumerate(widths) if size > words[index]] or range(len(widths))
        widths[max(roomy, key=widths.__getitem__)] -= 1
    return widths


def _wrap(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    import textwrap

    return textwrap.wrap(text, max(width, 1), initial_indent=first, subsequent_indent=rest, break_on_hyphens=False) or [
        first
    ]


def _markdown(page: Page, width: int, color: bool) -> str:  # noqa: ARG001  every format is called alike
    parts = [f"# {page.name}", f"*{page.brief}*" if page.brief else "", page.summary]
    for section in page.sections:
        parts += [f"## {section.heading.capitalize()}" if section.heading else "", markdown_of(section.content)]
    return "\n\n".join(part for part in parts if part) + "\n"


def markdown_of(content: str | Table | Code) -> str:
    """A section's content as Markdown."""
    if isinstance(content, str):
        return content
    if isinstance(content, Code):
        return "\n".join((f"```{content.language}", *content.lines, "```"))
    rule = tuple("---" for _ in content.columns)
    rows = (content.columns, rule, *content.rows)
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)


def _json(page: Page, width: int, color: bool) -> str:  # noqa: ARG001  every format is called alike
    import json

    facts: dict[str, Any] = {"kind": page.kind, "name": page.name, "brief": page.brief, "summary": page.summary}
    facts |= {section.key: data_of(section) for section in page.sections if section.key}
    return json.dumps(facts, indent=2, ensure_ascii=False) + "\n"


def data_of(section: Section) -> Any:
    """A section as JSON has it: a text, a list of objects by column, or a list of lines."""
    if section.data is not None:
        return section.data() if callable(section.data) else section.data
    if isinstance(section.content, Table):
        return [dict(zip(section.content.columns, row, strict=True)) for row in section.content.rows]
    return list(section.content.lines) if isinstance(section.content, Code) else section.content


FORMATS: Mapping[str, Callable[[Page, int, bool], str]] = {"text": _text, "markdown": _markdown, "json": _json}
