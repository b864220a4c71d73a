"""Owns where reading starts and ends: `-o`, `--until`, and the words users write for them. Pure."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from enum import Enum

from kdg.errors import UsageError


class Where(Enum):
    """The kinds of places in a partition that `-o` names."""

    BEGINNING = "beginning"
    END = "end"
    OFFSET = "offset"
    TAIL = "tail"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Start:
    """A place in every partition. value: the offset, the offsets back from the end, or milliseconds since the epoch."""

    where: Where
    value: int = 0
    text: str = "beginning"


BEGINNING = Start(Where.BEGINNING)


def parse_start(text: str) -> Start:
    """What `-o TEXT` means: beginning, end, N, -N or s@TIME. Raises UsageError."""
    plain = text.strip().lower()
    if plain in ("beginning", "earliest"):
        return Start(Where.BEGINNING, text=text)
    if plain in ("end", "latest"):
        return Start(Where.END, text=text)
    if re.fullmatch(r"\d{1,18}", plain):
        return Start(Where.OFFSET, int(plain), text)
    if re.fullmatch(r"-\d{1,18}", plain):
        return Start(Where.TAIL, int(plain[1:]), text)
    if plain.startswith("s@"):
        return Start(Where.TIME, parse_time(text.strip()[2:], "-o s@"), text)
    raise UsageError(
        f"-o {text!r} is no place to start.",
        "Use beginning, end, an offset N, -N for N offsets back from the end, or s@TIME (ISO 8601 or milliseconds).",
    )


def parse_time(text: str, flag: str) -> int:
    """Milliseconds since the epoch. ISO 8601 without a zone is local time, as in `date`. Raises UsageError."""
    if re.fullmatch(r"\d{1,15}", text.strip()):
        return int(text)
    try:
        moment = dt.datetime.fromisoformat(text.strip())
        return int(moment.timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f"{flag} {text!r} is no time.", "Use ISO 8601, such as 2026-01-31T12:00:00Z, or milliseconds since 1970."
        ) from None


_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "": 1.0}


def parse_duration(text: str, flag: str) -> float:
    """Seconds: `500ms`, `30s`, `15m`, `7d`; a bare number is seconds. Raises UsageError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|)", text.strip().lower())
    if found is None:
        raise UsageError(f"{flag} {text!r} is no duration.", "Use 500ms, 30s, 15m, 2h or 7d; a bare number is seconds.")
    return float(found[1]) * _UNITS[found[2]]
