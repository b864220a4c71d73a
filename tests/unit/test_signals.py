"""Signals while the main thread hangs in a call of a C library: Python never runs its handlers then."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from kdg.runtime.signals import CAUGHT

if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # the tests run under nohup, and kdg would ignore it, too
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="another PTHREAD_MUTEX_INITIALIZER than zeros")

STUCK = """
import ctypes, sys
from kdg.runtime.signals import Signals

libc, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(64)  # zeros are PTHREAD_MUTEX_INITIALIZER on Linux
libc.pthread_mutex_lock(mutex)
with Signals(within={within}):
    sys.stdout.write("stuck\\n")
    sys.stdout.flush()
    libc.pthread_mutex_lock(mutex)
"""


def stuck(within: str) -> subprocess.Popen[bytes]:
    """A process that waits for a lock which is never released."""
    code = STUCK.format(within=within)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"stuck\n"
    return process


@pytest.mark.parametrize("signum", CAUGHT, ids=lambda s: s.name)
def test_signal_ends_a_call_that_hangs(signum: int) -> None:
    """The process ends `within` seconds after a signal, although the call does not return."""
    with stuck("0.3") as process:
        began = time.monotonic()
        process.send_signal(signum)
        _out, err = process.communicate(timeout=10)
        assert time.monotonic() - began >= 0.3
    assert process.returncode == -signum
    assert f"{signal.Signals(signum).name} came 0.3 s ago".encode() in err


def test_second_signal_ends_a_call_at_once() -> None:
    """The second signal ends the process at once, although the call does not return."""
    with stuck("60") as process:
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        _out, err = process.communicate(timeout=10)
    # Two signals that arrive at the same time are delivered in the order of their numbers.
    assert process.returncode in (-signal.SIGINT, -signal.SIGTERM)
    assert err == b""


def test_a_terminal_that_closes_twice_does_not_end_the_run_at_once() -> None:
    """The kernel sends SIGHUP, and the shell of the terminal sends it again: the run still has its time to settle."""
    with stuck("1") as process:
        began = time.monotonic()
        for _ in range(2):
            process.send_signal(signal.SIGHUP)
            time.sleep(0.1)
        _out, err = process.communicate(timeout=10)
        assert time.monotonic() - began >= 1
    assert process.returncode == -signal.SIGHUP
    assert b"SIGHUP came 1 s ago" in err


def test_process_that_no_signal_ends_exits_with_its_status() -> None:
    """Process 1 of a container ignores a signal without a handler, as if it was blocked: kdg exits with its status."""
    code = (
        "import signal\n"
        "from kdg.runtime.signals import die_by\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n"
        "die_by(signal.SIGTERM)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 128 + signal.SIGTERM
