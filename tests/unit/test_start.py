"""The words of `-o`."""

from __future__ import annotations

import pytest

from kdg.errors import UsageError
from kdg.sources.start_offsets import Where, parse_start


@pytest.mark.parametrize(
    ("text", "where", "value"),
    [
        ("beginning", Where.BEGINNING, 0),
        ("earliest", Where.BEGINNING, 0),
        ("END", Where.END, 0),
        ("latest", Where.END, 0),
        ("0", Where.OFFSET, 0),
        ("17", Where.OFFSET, 17),
        ("-17", Where.TAIL, 17),
        ("s@1700000000000", Where.TIME, 1_700_000_000_000),
        ("s@2026-01-01T00:00:00Z", Where.TIME, 1_767_225_600_000),
        ("s@-1h", Where.TIME, 1_795_622_463_500),
        ("s@now", Where.TIME, 1_795_626_063_500),
    ],
)
def test_a_start_is_read(text: str, where: Where, value: int) -> None:
    start = parse_start(text, 1_795_626_063.5)
    assert (start.where, start.value, start.text) == (where, value, text)


@pytest.mark.parametrize("text", ["", "middle", "+3", "1.5", "--3", "s@", "s@soon", "@5", "1" * 30, "0x10"])
def test_wrong_start_names_what_is_possible(text: str) -> None:
    """A wrong start is refused; the message names it and the hint says what is possible."""
    with pytest.raises(UsageError) as caught:
        parse_start(text, 1_795_626_063.5)
    assert (text.removeprefix("s@") or "-o") in str(caught.value)
    assert caught.value.hint
