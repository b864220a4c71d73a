"""Owns whether a path still names the file that a run has opened by it."""

from __future__ import annotations

import os
from pathlib import Path

Identity = tuple[int, int]
"""Device and number of a file: the same as long as it exists, whatever it is called."""


def identity(path: Path) -> Identity | None:
    """The file that has this name now; None if there is none."""
    try:
        return of_status(path.stat())
    except OSError:
        return None


def of_status(status: os.stat_result) -> Identity:
    """The file that was looked at."""
    return status.st_dev, status.st_ino
