"""Owns one broker process: started, stopped, killed, frozen, and known to be ready. Does not know its neighbours."""

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
    "-XX:-UsePerfData",  # its file in /tmp outlives a SIGKILL
    "-Djava.awt.headless=true",
)

# The shell becomes the JVM, so the pid it writes is the JVM's; without the file (its folder is gone) there is no JVM.
_WRITE_PID_AND_RUN = 'echo $$ > "$0" && exec "$@"'

# ApiVersions, version 0, correlation id 0, no client id (KIP-35). A broker in KRaft mode answers on the clients'
# listener only once the controller has let it in.
_ASK = struct.pack(">ihhih", 10, 18, 0, 0, -1)
_ANSWER = struct.Struct(">iih")  # length, correlation id, error code

_PORT_TAKEN = "Address already in use"

READY_IN = 60.0  # seconds, on a machine that has much else to do

_POLL = 0.02  # seconds
_TOLD = 15  # lines of the log


class Broker:
    """One node of a sandbox. All of its methods may be called in any state; what is already so is left so."""

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
        """Where clients reach it on 127.0.0.1; the same after a restart."""
        return self._node.port

    @property
    def address(self) -> str:
        """Where clients reach it, `127.0.0.1:port`."""
        return self._node.address

    def address_of(self, listener: str) -> str:
        """Where clients reach a secured listener, `127.0.0.1:port`."""
        return f"{HOST}:{self._node.secured[listener]}"

    @property
    def pid(self) -> int | None:
        """The JVM's process id; None if it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start the process and return at once; see `wait_ready`."""
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
                start_new_session=True,  # Ctrl-C is the holder's to act on first
            )

    def stop(self, timeout: float = 30.0) -> None:
        """Shut down as Kafka does on SIGTERM, leadership handed over; SIGKILL after `timeout` seconds."""
        self.resume()
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._reap(timeout)
        self.kill()

    def kill(self) -> None:
        """SIGKILL: what was not flushed to the disk is left to the operating system, as in a crash."""
        self._signal(signal.SIGKILL)
        self._reap()

    def pause(self) -> None:
        """SIGSTOP: it keeps its connections and answers nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def wait_ready(self, timeout: float = READY_IN) -> None:
        """Return when it answers clients. SandboxError with the end of its log if it dies or `timeout` seconds pass."""
        wait_ready([self], timeout)

    def is_ready(self) -> bool:
        """It answers clients now. SandboxError with the end of its log if it does not run."""
        if not self.pid:
            raise self._ended()
        return self._answers()

    def last_words(self) -> str:
        """The last lines of its log."""
        return "\n".join(self._log()[-_TOLD:])

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection((HOST, self.port), timeout=0.5) as connection:
            connection.sendall(_ASK)
            answer = connection.recv(_ANSWER.size, socket.MSG_WAITALL)
            return len(answer) == _ANSWER.size and _ANSWER.unpack(answer)[2] == 0
        return False

    def _ended(self) -> SandboxError:
        log = self.last_words()
        if any(_PORT_TAKEN in line for line in self._log()):
            return PortTakenError(f"broker {self.id} of the sandbox found its port taken.", log)
        return SandboxError(f"broker {self.id} of the sandbox does not run.", log)

    def _log(self) -> list[str]:
        """The log of this start."""
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
    """Return when all of them answer clients. SandboxError as soon as one has ended, or after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while waiting := [each for each in brokers if not each.is_ready()]:
        if time.monotonic() > deadline:
            late = waiting[0]
            message = f"broker {late.id} of the sandbox did not answer within {timeout:g} s."
            raise SandboxError(message, late.last_words())
        time.sleep(_POLL)
