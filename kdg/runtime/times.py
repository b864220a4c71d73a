"""Owns the times and durations that users write: `2026-01-31T12:00:00Z`, `-1h`, `15m`. Pure."""

from __future__ import annotations

import datetime as dt
import re

from kdg.errors import UsageError

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "": 1.0}
_RELATIVE = re.compile(r"([+-])(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_CENTURY = (946_684_800_000, 4_102_444_800_000)
"""The years 2000 to 2099, in milliseconds since 1970."""
_LAST = 253_402_300_799_999
"""The end of the year 9999."""
_DATE = len("20260131")
_COMPACT = {"%Y%m%d": _DATE, "%Y%m%d%H%M": 12, "%Y%m%d%H%M%S": 14}
"""The forms of a date that have digits only, with their lengths."""
_FORMS = "Use ISO 8601, such as 2026-01-31T12:00:00Z, milliseconds since 1970, now, or a time before now such as -1h"


def parse_time(text: str, flag: str, now: float) -> int:
    """Milliseconds since 1970: `2026-01-31T12:00:00Z`, `1769860800000`, `now`, `-1h`.

    ISO 8601 without a zone is local time, as in `date`. A number that is no time of this century in milliseconds is
    refused, because it was meant otherwise: as seconds, or as a date without its hyphens.

    flag: the option, for the message. now: seconds since 1970. Raises UsageError.
    """
    word = text.strip()
    shown = f"{flag}{word}" if flag.endswith("@") else f"{flag} {word}"
    relative = _RELATIVE.fullmatch(word.lower())
    if word.lower() == "now":
        milliseconds = int(now * 1000)
    elif relative is not None:
        distance = float(relative[2]) * _UNITS[relative[3]]
        milliseconds = int((now - distance if relative[1] == "-" else now + distance) * 1000)
    elif re.fullmatch(r"[+-]?[0-9]+", word):
        milliseconds = _of_number(word, shown)
    else:
        milliseconds = _of_iso(word, shown)
    if not 0 <= milliseconds <= _LAST:  # Kafka takes a negative time as another question, such as for the end
        raise UsageError(f"{shown}: no record is from before 1970 or after 9999.", f"{_FORMS}.")
    return milliseconds


def _of_iso(word: str, shown: str) -> int:
    try:
        return int(dt.datetime.fromisoformat(word).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"{shown!r} is not a time.", f"{_FORMS}.") from None


def _of_number(word: str, shown: str) -> int:
    number = int(word)
    if _CENTURY[0] <= number < _CENTURY[1]:
        return number
    if word[0] in "+-":
        raise UsageError(f"{shown} is a number with a sign, which is no time.", f"Give it a unit: {word}s, {word}h.")
    for format_, length in _COMPACT.items():
        try:
            # A local time.
            meant = dt.datetime.strptime(word, format_).isoformat() if len(word) == length else ""  # noqa: DTZ007
        except ValueError:
            continue
        if meant:
            what = f"a date without hyphens, {meant.removesuffix('T00:00:00') if length == _DATE else meant}"
            raise UsageError(f"{shown} is not in milliseconds since 1970; it looks like {what}.", f"{_FORMS}.")
    for unit, factor in (("seconds", 1000.0), ("microseconds", 1e-3), ("nanoseconds", 1e-6)):
        if _CENTURY[0] <= number * factor < _CENTURY[1]:
            raise UsageError(
                f"{shown} is not in milliseconds since 1970; it looks like {unit}.",
                f"In milliseconds that is {int(number * factor)}.",
            )
    raise UsageError(f"{shown} is not a time of this century in milliseconds since 1970.", f"{_FORMS}.")


def parse_duration(text: str, flag: str) -> float:
    """Seconds, from `500ms`, `30s`, `15m`, `2h` or `7d`; a bare number is seconds. Raises UsageError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|)", text.strip().lower())
    if found is None:
        raise UsageError(
            f"{flag} {text!r} is not a duration.", "Use 500ms, 30s, 15m, 2h or 7d; a bare number is seconds."
        )
    return float(found[1]) * _UNITS[found[2]]
