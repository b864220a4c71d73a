"""The words for times and durations."""

from __future__ import annotations

import datetime as dt

import pytest

from kdg.errors import UsageError
from kdg.runtime.times import parse_duration, parse_time

NOW = 1_795_626_063.5
"""2026-11-25T17:01:03.500Z, in seconds."""


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1700000000000", 1_700_000_000_000),
        ("946684800000", 946_684_800_000),
        ("2026-01-01T00:00:00+00:00", 1_767_225_600_000),
        ("2026-01-01T01:00:00.250+01:00", 1_767_225_600_250),
        ("20260101T000000Z", 1_767_225_600_000),
        ("1970-01-01T00:00:00Z", 0),
        ("now", 1_795_626_063_500),
        ("-1h", 1_795_622_463_500),
        ("-1.5s", 1_795_626_062_000),
        ("+10m", 1_795_626_663_500),
        ("-7D", 1_795_021_263_500),
    ],
)
def test_a_time_is_iso_8601_milliseconds_or_relative(text: str, milliseconds: int) -> None:
    assert parse_time(text, "--until", NOW) == milliseconds


def test_a_time_without_a_zone_is_local() -> None:
    local = dt.datetime(2026, 1, 1, 12).astimezone()
    assert parse_time("2026-01-01T12:00", "--until", NOW) == int(local.timestamp() * 1000)


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-13-01", "12:00", "-5", "+5", "1e9", "-h", "-1", "0", "1" * 30])
def test_a_wrong_time_is_refused_with_its_flag(text: str) -> None:
    with pytest.raises(UsageError, match="--until"):
        parse_time(text, "--until", NOW)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("1795626063", "seconds 1795626063000"),
        ("1795626063000000", "microseconds 1795626063000"),
        ("1795626063000000000", "nanoseconds 1795626063000"),
        ("20261124", "2026-11-24"),
        ("202611241530", "2026-11-24T15:30:00"),
        ("20261124153007", "2026-11-24T15:30:07"),
        ("86400000", "milliseconds"),
        ("-5", "-5s -5h"),
    ],
)
def test_a_number_that_was_meant_otherwise_says_how(text: str, meant: str) -> None:
    """Seconds read as milliseconds are a day in 1970: a reader would start at the beginning, or stop there."""
    with pytest.raises(UsageError) as caught:
        parse_time(text, "-o s@", NOW)
    told = f"{caught.value} {caught.value.hint}"
    assert [word for word in (f"-o s@{text}", *meant.split()) if word not in told] == []


@pytest.mark.parametrize("text", ["1969-12-31T23:59:59.999Z", "1969-12-31", "-40000d", "+99999999d"])
def test_no_time_becomes_a_question_of_kafkas_own(text: str) -> None:
    """To Kafka, -1 ms is the end of a partition and -2 its beginning."""
    with pytest.raises(UsageError, match="1970"):
        parse_time(text, "--until", NOW)


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
