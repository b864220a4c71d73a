"""Owns the process of `kdg`: the only place where it ends."""

from __future__ import annotations

import gc
import os
import signal
import sys
from contextlib import suppress

from kdg.runtime.standard_streams import open_standard_streams

GC_THRESHOLD = 100_000
"""How many new objects start a garbage collection. One READ creates thousands of messages, and all of them are released
together; with Python's default of 700, the collector would go through them many times in vain."""


def main() -> None:
    """The console script. If a signal ended the run, the process ends by the same signal, so that a shell sees it."""
    open_standard_streams()
    _undo_inherited_signals()
    gc.set_threshold(GC_THRESHOLD)
    # Until a run handles the signals, Ctrl-C ends the process at once and without a traceback.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    from kdg.cli.app import run

    code = run(sys.argv[1:])
    with suppress(Exception):  # stdout: `run` has reported its error; stderr: nobody could read one
        sys.stderr.flush()
    if code > 128:  # as a shell shows a signal
        from kdg.runtime.signals import CAUGHT, die_by

        if code - 128 in CAUGHT:
            die_by(code - 128)
    # os._exit does not wait for a client whose close hangs (librdkafka #4884), nor for the shutdown of the interpreter.
    os._exit(code)


def _undo_inherited_signals() -> None:
    """Undo what a parent process did to signals and a program inherits without wanting it.

    If SIGCHLD is ignored, the system drops the exit status of a child, and Python takes a command that failed for one
    that has succeeded. A blocked signal never arrives, so nothing but SIGKILL would end the run.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signal.valid_signals())


if __name__ == "__main__":
    main()
