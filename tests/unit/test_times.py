"""The words for times and durations."""

from __future__ import annotations

import datetime as dt

import pytest

from kdg.errors import UsageError
from kdg.runtime.times import parse_duration, parse_time


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
