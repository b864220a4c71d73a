"""Owns how rows become aligned columns, or a Markdown table. Whoever prints columns calls this module."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

GAP = 2
"""Spaces between two columns."""

Rows = Sequence[Sequence[str]]


def aligned(rows: Rows, indent: int = 0, width: int | None = None, right: Collection[int] = ()) -> list[str]:
    """The rows as lines of aligned columns.

    width: the most characters a line may have; cells that do not fit are wrapped. None: nothing is wrapped.
    right: the columns that are aligned to the right, such as numbers.
    """
    if not rows:
        return []
    widths = column_widths(rows, None if width is None else width - indent)
    gap = " " * GAP
    return [
        (" " * indent + gap.join(_padded(parts, widths, right))).rstrip()
        for row in rows
        for parts in _lines_of(row, widths)
    ]


def _lines_of(row: Sequence[str], widths: Sequence[int]) -> Iterator[tuple[str, ...]]:
    from itertools import zip_longest

    return zip_longest(*(wrap(cell, width) for cell, width in zip(row, widths, strict=True)), fillvalue="")


def _padded(parts: Sequence[str], widths: Sequence[int], right: Collection[int]) -> Iterator[str]:
    for index, (part, width) in enumerate(zip(parts, widths, strict=True)):
        yield part.rjust(width) if index in right else part.ljust(width)


def column_widths(rows: Rows, width: int | None) -> list[int]:
    """The width of each column: that of its longest cell, or less if the columns do not fit into width.

    The widest column shrinks first. A column becomes narrower than its longest word only if no other column can
    shrink.
    """
    columns = list(zip(*rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    if width is None:
        return widths
    words = [max((len(word) for cell in column for word in cell.split()), default=0) for column in columns]
    while sum(widths) + GAP * (len(widths) - 1) > width:
        roomy = [index for index, size in enumerate(widths) if size > words[index]] or range(len(widths))
        widths[max(roomy, key=widths.__getitem__)] -= 1
    return widths


def wrap(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    """The text in lines of at most width characters; at least one line.

    first, rest: how the first line and the other lines begin.
    """
    if len(first) + len(text) <= width and "\n" not in text:
        return [f"{first}{text}"]
    import textwrap

    return textwrap.wrap(text, max(width, 1), initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def markdown_table(columns: Sequence[str], rows: Rows) -> str:
    """A Markdown table, without a newline at the end."""
    rule = ["---"] * len(columns)
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in (columns, rule, *rows)
    )
