"""Owns the times and durations that users write: `2026-01-31T12:00:00Z`, `15m`. Pure."""

from __future__ import annotations

import datetime as dt
import re

from kdg.errors import UsageError

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "": 1.0}


def parse_time(text: str, flag: str) -> int:
    """Milliseconds since the epoch, from ISO 8601 or from milliseconds: `2026-01-31T12:00:00Z`.

    ISO 8601 without a zone is local time, as in `date`. flag: the option, for the message. Raises UsageError.
    """
    if re.fullmatch(r"\d{1,15}", text.strip()):
        return int(text)
    try:
        moment = dt.datetime.fromisoformat(text.strip())
        return int(moment.timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f"{flag} {text!r} is not a time.", "Use ISO 8601, such as 2026-01-31T12:00:00Z, or milliseconds since 1970."
        ) from None


def parse_duration(text: str, flag: str) -> float:
    """Seconds, from `500ms`, `30s`, `15m`, `2h` or `7d`; a bare number is seconds. Raises UsageError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|)", text.strip().lower())
    if found is None:
        raise UsageError(
            f"{flag} {text!r} is not a duration.", "Use 500ms, 30s, 15m, 2h or 7d; a bare number is seconds."
        )
    return float(found[1]) * _UNITS[found[2]]
