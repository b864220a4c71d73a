"""Owns what a page consists of. `kdg explain` and `kdg check` build pages; `kdg/text/render.py` prints them.

Example:
    Page("exit-code", "exit 7", "position-gone", "", (Section("Code", "7"),), {"code": 7})
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Table(NamedTuple):
    """Rows of cells. columns: the headings; they are not printed if all of them are empty."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Code(NamedTuple):
    """Lines to copy; they are never wrapped. language: the name after a Markdown code fence."""

    language: str
    lines: tuple[str, ...]


class Section(NamedTuple):
    """One part of a page.

    heading: in sentence case; text prints it in capitals. subject: follows the heading, and is printed as it is.
    """

    heading: str
    content: str | Table | Code
    subject: str = ""


class Page(NamedTuple):
    """The answer to one `kdg explain` or `kdg check`.

    kind: what the page is about, such as "setting". brief: a few words beside the name. summary: a sentence below the
    name.
    sections: what text and Markdown show. data: what JSON shows, by field name; scripts rely on these names.
    """

    kind: str
    name: str
    brief: str
    summary: str
    sections: tuple[Section, ...]
    data: Mapping[str, Any]


def two_columns(rows: tuple[tuple[str, str], ...]) -> Table:
    """A table of names and descriptions, without headings."""
    return Table(("", ""), rows)
