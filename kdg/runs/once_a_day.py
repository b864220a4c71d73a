"""Owns which notes were shown today, so that a run every minute does not show the same note every minute."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from time import time

from kdg.runtime.folders import cache_folder

DAY = 86_400
FILE = "notes.json"
"""In the cache folder: when each note was last shown, in seconds since 1970, by the digest of its text."""


def first_today(text: str, now: Callable[[], float] = time) -> bool:
    """Whether this text was not shown within a day; it counts as shown from now on.

    True as well if that cannot be looked up or stored: a note too many is better than one too few.
    """
    key, moment = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32], now()
    with suppress(OSError, ValueError, TypeError, AttributeError, RuntimeError):
        path = cache_folder() / FILE
        shown: dict[str, float] = {}
        with suppress(OSError, ValueError):
            found = json.loads(path.read_text(encoding="utf-8"))
            shown = {name: when for name, when in found.items() if 0 <= moment - when < DAY}
        if key in shown:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f"{FILE}.{os.getpid()}")
        new.write_text(json.dumps({**shown, key: moment}), encoding="utf-8")
        new.replace(path)
    return True
