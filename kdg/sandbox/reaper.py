"""Owns that nothing is left behind: a process that outlives the holder of a sandbox, however that ends, and clears up.

Run as a script, `reaper.py FOLDER`, in a session of its own. Its stdin is a pipe whose other end only the holder has:
the end of that pipe is the end of the holder, by SIGKILL too (and on macOS, which has no parent-death signal). Then it
kills every process group named in a `*/pid` file below FOLDER and deletes FOLDER.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path

_TRIES = 200
_PAUSE = 0.05  # seconds


def clear(folder: Path) -> None:
    """Kill what runs in `folder` and delete it; again until it is gone, for 10 s: the dying may still write."""
    gone = folder.with_name(f"{folder.name}.gone")
    with contextlib.suppress(OSError):
        folder.rename(gone)  # a broker that is being started can no longer write its pid file, and so does not start
    for _ in range(_TRIES):
        for file in gone.glob("*/pid"):
            _kill(file)
        shutil.rmtree(gone, ignore_errors=True)
        if not gone.exists():
            break
        time.sleep(_PAUSE)


def _kill(file: Path) -> None:
    with contextlib.suppress(OSError, ValueError):  # gone meanwhile, or not written yet
        os.killpg(int(file.read_text()), signal.SIGKILL)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    clear(Path(sys.argv[1]))
