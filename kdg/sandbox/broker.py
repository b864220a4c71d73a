"""Owns one broker process: start, stop, kill, freeze, and the question whether it is ready.

It does not know the other nodes.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from kdg.sandbox.distribution import Distribution
from kdg.sandbox.errors import PortTakenError, SandboxError
from kdg.sandbox.nodes import HOST, Node

JVM = (
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",  # the file that it writes would be left behind after a SIGKILL
    "-Djava.awt.headless=true",
)

# The shell writes its pid and then becomes the JVM, so the pid is the JVM's. If the file cannot be written, because the
# reaper has moved the folder away, no JVM is started.
_WRITE_PID_AND_RUN = 'echo $$ > "$0" && exec "$@"'

# An ApiVersions request: version 0, correlation id 0, no client id (KIP-35). A broker in KRaft mode answers on the
# listener for clients only after it has registered with the controller.
_REQUEST = struct.pack(">ihhih", 10, 18, 0, 0, -1)
_ANSWER = struct.Struct(">iih")  # length, correlation id, error code

_PORT_TAKEN = "Address already in use"

READY_IN = 60.0  # seconds; enough for a machine under heavy load

_POLL = 0.02  # seconds
_LOG_LINES = 15  # shown in an error


class Broker:
    """One node of a sandbox. Every method may be called in any state; one that finds nothing to do does nothing."""

    def __init__(self, node: Node, distribution: Distribution) -> None:
        self._node = node
        self._distribution = distribution
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def id(self) -> int:
        """Kafka's broker id, from 1."""
        return self._node.id

    @property
    def port(self) -> int:
        """The port of clients on 127.0.0.1; it stays the same after a restart."""
        return self._node.port

    @property
    def address(self) -> str:
        """The address for clients, `127.0.0.1:port`."""
        return self._node.address

    def address_of(self, listener: str) -> str:
        """The address of a secured listener, `127.0.0.1:port`."""
        return f"{HOST}:{self._node.secured[listener]}"

    @property
    def pid(self) -> int | None:
        """The process id of the JVM; None if it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start the process and return at once; `wait_ready` waits until it answers."""
        if self.pid:
            return
        folder = self._node.folder
        jvm = (*JVM, f"-Djava.io.tmpdir={folder}")
        kafka = self._distribution.argv("kafka.Kafka", str(self._node.properties), jvm=jvm)
        with self._log_file.open("wb") as log:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _WRITE_PID_AND_RUN, folder / "pid", *kafka],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches kdg alone, which then stops the brokers
            )

    def stop(self, timeout: float = 30.0) -> None:
        """Shut down with SIGTERM: Kafka hands leadership over to other brokers.

        After `timeout` seconds SIGKILL follows.
        """
        self.resume()
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._reap(timeout)
        self.kill()

    def kill(self) -> None:
        """Kill it with SIGKILL, as in a crash of the process."""
        self._signal(signal.SIGKILL)
        self._reap()

    def pause(self) -> None:
        """Freeze it with SIGSTOP: it keeps its connections and answers nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on with SIGCONT."""
        self._signal(signal.SIGCONT)

    def wait_ready(self, timeout: float = READY_IN) -> None:
        """Return when it answers clients.

        Raises SandboxError with the end of its log if it ends, or after `timeout` seconds.
        """
        wait_ready([self], timeout)

    def is_ready(self) -> bool:
        """Whether it answers clients now. Raises SandboxError with the end of its log if it does not run."""
        if not self.pid:
            raise self._ended()
        return self._answers()

    def last_words(self) -> str:
        """The last lines of its log."""
        return "\n".join(self._log()[-_LOG_LINES:])

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection((HOST, self.port), timeout=0.5) as connection:
            connection.sendall(_REQUEST)
            answer = connection.recv(_ANSWER.size, socket.MSG_WAITALL)
            return len(answer) == _ANSWER.size and _ANSWER.unpack(answer)[2] == 0
        return False

    def _ended(self) -> SandboxError:
        log = self.last_words()
        if any(_PORT_TAKEN in line for line in self._log()):
            return PortTakenError(f"broker {self.id} of the sandbox found its port taken.", log)
        return SandboxError(f"broker {self.id} of the sandbox does not run.", log)

    def _log(self) -> list[str]:
        """The lines of the log since the last start."""
        with contextlib.suppress(OSError), self._log_file.open(errors="replace") as log:
            return log.read().splitlines()
        return []

    @property
    def _log_file(self) -> Path:
        return self._node.folder / "log"

    def _signal(self, number: signal.Signals) -> None:
        if pid := self.pid:
            os.killpg(pid, number)

    def _reap(self, timeout: float | None = None) -> None:
        if self._process:
            self._process.wait(timeout)
            (self._node.folder / "pid").unlink(missing_ok=True)
            self._process = None


def wait_ready(brokers: Sequence[Broker], timeout: float) -> None:
    """Return when all of them answer clients.

    Raises SandboxError as soon as one has ended, or after `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while waiting := [each for each in brokers if not each.is_ready()]:
        if time.monotonic() > deadline:
            late = waiting[0]
            message = f"broker {late.id} of the sandbox did not answer within {timeout:g} s."
            raise SandboxError(message, late.last_words())
        time.sleep(_POLL)
