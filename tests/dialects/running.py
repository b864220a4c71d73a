"""Owns a program of these tests as a process."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO

from kdg.core.guarantees import Guarantee
from tests.support.kafka import Kafka
from tests.support.programs import command

WELL = (0, 128 + signal.SIGTERM)
"""A Java program ends with 143 after SIGTERM, whatever it does."""


class Copy:
    """A program that runs, and its stderr."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], log: IO[bytes]) -> None:
        self._log = log
        self._process = subprocess.Popen(argv, env=dict(env), stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    @property
    def err(self) -> str:
        """The text that it has written so far."""
        return os.pread(self._log.fileno(), 1 << 20, 0).decode()

    def ended(self, seconds: float = 60.0) -> int:
        """Its exit code, once it has ended by itself or after a signal."""
        return self._process.wait(seconds)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._process.terminate()

    def kill(self) -> None:
        """Send SIGKILL, and wait for the end."""
        self._process.kill()
        self._process.wait()


@contextmanager
def start(kafka: Kafka, guarantee: Guarantee, client: str, source: str, target: str, group: str) -> Iterator[Copy]:
    """A program, which is killed at the end if it still runs."""
    names = {"KDG_SOURCE": source, "KDG_TARGET": target, "KDG_GROUP": group, "KDG_WORKER": "1"}
    with tempfile.TemporaryFile() as log:
        run = Copy(command(guarantee, client), kafka.environment(names), log)
        try:
            yield run
        finally:
            run.kill()


def stop(run: Copy) -> None:
    """End it with SIGTERM."""
    run.terminate()
    assert run.ended() in WELL, run.err
