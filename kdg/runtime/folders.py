"""Owns where kdg keeps what it can make again: the user's cache folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """kdg's folder in the user's cache: below `$XDG_CACHE_HOME`, or in the default cache folder of Linux or macOS."""
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "kdg"
    return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "kdg"
