"""Owns the process: the one place where it ends."""

from __future__ import annotations

import gc
import os
import signal
import sys

GC_THRESHOLD = 100_000
"""A READ makes thousands of messages that all go together; at Python's 700 the collector would look through them again and again."""


def main() -> None:
    """The console script. Ends by the signal itself where a signal ended the run, so that a shell sees it."""
    gc.set_threshold(GC_THRESHOLD)
    # Until a run takes the signals over, Ctrl-C ends the process as it ends any other, without a traceback.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    from kdg.cli.app import run

    code = run(sys.argv[1:])
    _flush()
    if code in (128 + signal.SIGINT, 128 + signal.SIGTERM):
        from kdg.runtime.signals import die_by

        die_by(code - 128)
    # Without waiting for a client whose close hangs (librdkafka #4884), nor for the interpreter to take itself apart.
    os._exit(code)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    main()
