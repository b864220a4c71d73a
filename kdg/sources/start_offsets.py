"""Owns what `-o` means: the words a user writes for the offset where reading starts. Pure.

`parse_start` turns the text into a Start; kdg.kafka.lookup.Lookup.starts asks the cluster which offsets that Start is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from kdg.errors import UsageError
from kdg.runtime.times import parse_time


class Where(Enum):
    """The ways in which `-o` names an offset."""

    BEGINNING = "beginning"
    END = "end"
    OFFSET = "offset"
    TAIL = "tail"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Start:
    """An offset in every partition, before the cluster is asked: `-o -10` is Start(Where.TAIL, 10, "-10").

    value: the offset (OFFSET), how many offsets before the end (TAIL), or milliseconds since the epoch (TIME).
    text: what the user wrote.
    """

    where: Where
    value: int = 0
    text: str = "beginning"


BEGINNING = Start(Where.BEGINNING)


def parse_start(text: str, now: float) -> Start:
    """The Start that `-o TEXT` means: beginning, end, N, -N or s@TIME. now: seconds since 1970. Raises UsageError."""
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
        return Start(Where.TIME, parse_time(text.strip()[2:], "-o s@", now), text)
    raise UsageError(
        f"-o {text!r} is not a place to start.",
        "Use beginning, end, an offset N, -N for N offsets back from the end, or s@TIME, such as s@-1h.",
    )
