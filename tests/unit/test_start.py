"""The words for where reading starts and ends, and for how long to wait."""

from __future__ import annotations

import datetime as dt

import pytest

from kdg.errors import UsageError
from kdg.sources.start_offsets import Where, parse_duration, parse_start, parse_time


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
    ],
)
def test_a_start_is_read(text: str, where: Where, value: int) -> None:
    start = parse_start(text)
    assert (start.where, start.value, start.text) == (where, value, text)


@pytest.mark.parametrize("text", ["", "middle", "+3", "1.5", "--3", "s@", "s@soon", "@5", "1" * 30, "0x10"])
def test_wrong_start_names_what_is_possible(text: str) -> None:
    """A wrong start is refused and named with what is possible."""
    with pytest.raises(UsageError) as caught:
        parse_start(text)
    assert (text.removeprefix("s@") or "-o") in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1700000000000", 1_700_000_000_000),
        ("2026-01-01T00:00:00+00:00", 1_767_225_600_000),
        ("2026-01-01T01:00:00.250+01:00", 1_767_225_600_250),
    ],
)
def test_a_time_is_iso_8601_or_milliseconds(text: str, milliseconds: int) -> None:
    assert parse_time(text, "--until") == milliseconds


def test_a_time_without_a_zone_is_local() -> None:
    local = dt.datetime(2026, 1, 1, 12).astimezone()
    assert parse_time("2026-01-01T12:00", "--until") == int(local.timestamp() * 1000)


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-13-01", "12:00", "-5", "1e9"])
def test_a_wrong_time_is_refused_with_its_flag(text: str) -> None:
    with pytest.raises(UsageError, match="--until"):
        parse_time(text, "--until")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("30s", 30), ("15m", 900), ("2h", 7200), ("7d", 604_800), ("5", 5), ("1.5s", 1.5), ("2 S", 2)],
)
def test_a_duration_has_a_unit_and_a_bare_number_is_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text, "--timeout") == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1s", "5 years", "1s2", "ms", "1e3", "nan", "inf"])
def test_a_wrong_duration_is_refused_with_its_flag(text: str) -> None:
    with pytest.raises(UsageError, match="--timeout"):
        parse_duration(text, "--timeout")
