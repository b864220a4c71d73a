"""Owns what differs between the machines that run the tests: Linux has /dev/full and /proc, macOS does not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

needs_dev_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")


def is_running(pid: int) -> bool:
    """Whether a process with this id exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


needs_proc = pytest.mark.skipif(not Path("/proc/self").exists(), reason="this system has no /proc")
