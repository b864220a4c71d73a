"""Owns the cleaning up after a sandbox or a fault run: a separate process that does it even if kdg was killed.

The process runs this file as a script, `reaper.py FOLDER`, in a session of its own. Its stdin is a pipe whose other end
only kdg holds. The pipe closes when kdg closes it, or when kdg ends in any way, SIGKILL included; this works on macOS
too, which has no signal for the death of a parent. Then the reaper kills every process group named in a `FOLDER/*/pid`
file, and deletes FOLDER.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

_TRIES = 200
_PAUSE = 0.05  # seconds


def start(folder: Path) -> subprocess.Popen[bytes]:
    """Start the reaper of `folder`. Close its stdin to have the folder cleared, then wait for it."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,  # a shell that waits for the end of kdg's stdout must not wait for the reaper
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def clear(folder: Path) -> None:
    """Kill the processes of `folder` and delete it.

    Tried again for 10 s, because a dying process may still write files.
    """
    gone = folder.with_name(f"{folder.name}.gone")
    with contextlib.suppress(OSError):
        folder.rename(gone)  # a process that is being started can no longer write its pid file, and so does not start
    for _ in range(_TRIES):
        for file in gone.glob("*/pid"):
            _kill(file)
        shutil.rmtree(gone, ignore_errors=True)
        if not gone.exists():
            break
        time.sleep(_PAUSE)


def _kill(file: Path) -> None:
    with contextlib.suppress(OSError, ValueError):  # the process has ended, or its pid is not written yet
        os.killpg(int(file.read_text()), signal.SIGKILL)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    clear(Path(sys.argv[1]))
