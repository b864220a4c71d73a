"""Owns the life of a whole sandbox: laid out, started, ready, and removed."""

from __future__ import annotations

import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from kdg.sandbox import reaper
from kdg.sandbox.broker import JVM, READY_IN, Broker, wait_ready
from kdg.sandbox.distribution import Distribution, distribution
from kdg.sandbox.errors import PortTakenError, SandboxError
from kdg.sandbox.jars import kafka_version
from kdg.sandbox.nodes import Node, plan, server_properties
from kdg.sandbox.security import ADMIN, LISTENER_OF, PROTOCOLS, Security

_LAYOUTS = 3  # attempts at finding free ports


class Sandbox:
    """A cluster of `brokers` real Kafka nodes on 127.0.0.1, there inside `with` and gone without a trace after it.

    `secured` adds listeners with TLS and logins (security.py); `client` has what a client needs for them.

    `properties` are added to each node's server.properties and win over what is there. `note` gets a line of text when
    something takes a while. Entering raises SandboxError: no Java, no jars, a node that ends or does not answer.
    What is left by a holder that was killed, processes and data, is removed by a process that watches it (reaper.py).
    """

    def __init__(
        self,
        brokers: int = 1,
        *,
        properties: Mapping[str, str] | None = None,
        secured: bool = False,
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.brokers: tuple[Broker, ...] = ()
        self._count = brokers
        self._properties = dict(properties or {})
        self._secured = secured
        self.security: Security | None = None
        self._note = note
        self._distribution: Distribution | None = None
        self._reaper: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """Every broker, as `bootstrap.servers` wants them: `127.0.0.1:port,127.0.0.1:port`."""
        return ",".join(each.address for each in self.brokers)

    def client(self, mode: str, user: str = ADMIN) -> dict[str, str]:
        """What a client sets to log in as a user at a secured sandbox; mode: one of LISTENER_OF."""
        return {"bootstrap.servers": self.secured_bootstrap(mode), **self._security().client(mode, user)}

    def secured_bootstrap(self, mode: str) -> str:
        """Every broker at the listener of a mode."""
        return ",".join(each.address_of(LISTENER_OF[mode]) for each in self.brokers)

    def config_file(self, mode: str) -> Path:
        """kdg's configuration file for the mode, in the sandbox's own folder."""
        return self._security().write_config(mode, self.secured_bootstrap(mode))

    def _security(self) -> Security:
        assert self.security is not None, "a secured sandbox, inside `with`"  # noqa: S101  # the caller's defect
        return self.security

    def tool(self, main_class: str, *args: str) -> list[str]:
        """The command that runs one of Kafka's own tools, such as org.apache.kafka.tools.consumer.ConsoleConsumer."""
        return self._parts().argv(main_class, *args)

    def __enter__(self) -> Self:
        self._parts()
        nodes = "1 broker" if self._count == 1 else f"{self._count} brokers"
        self._note(f"starting Apache Kafka {kafka_version()}, {nodes}")
        try:
            self._start()
        except BaseException:  # a signal, too
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._remove()

    def _parts(self) -> Distribution:
        if self._distribution is None:
            self._distribution = distribution(self._note)
        return self._distribution

    def _start(self, layouts: int = _LAYOUTS) -> None:
        self._lay_out()
        for broker in self.brokers:
            broker.start()
        try:
            wait_ready(self.brokers, READY_IN)
        except PortTakenError:
            if layouts == 1:
                raise
            self._remove()
            self._start(layouts - 1)

    def _lay_out(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="kdg-sandbox-")).resolve()
        self._reaper = _start_reaper(folder)
        nodes = plan(self._count, folder, PROTOCOLS if self._secured else ())
        properties, users = self._properties, []
        if self._secured:
            self.security = Security(folder / "security")
            self.security.make()
            properties, users = self.security.properties() | properties, self.security.format_arguments()
        for node in nodes:
            node.folder.mkdir()
            node.properties.write_text(server_properties(node, nodes, properties))
        _format(self._parts(), nodes, users)
        self.brokers = tuple(Broker(node, self._parts()) for node in nodes)

    def _remove(self) -> None:
        """Kill, and have the reaper clear up; interrupted, the reaper does it all."""
        brokers, reaper, self.brokers, self._reaper = self.brokers, self._reaper, (), None
        try:
            for broker in brokers:
                broker.kill()
        finally:
            if reaper and reaper.stdin:
                reaper.stdin.close()
                reaper.wait()


def _start_reaper(folder: Path) -> subprocess.Popen[bytes]:
    """Start the process that removes `folder` and what runs in it once our end of its stdin closes."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", reaper.__file__, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,  # a shell that waits for the end of our stdout must not wait for the reaper
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _format(parts: Distribution, nodes: tuple[Node, ...], users: Sequence[str] = ()) -> None:
    """Format all log directories in one go, as the first node's, and then give each of the others its own id."""
    first = nodes[0]
    properties = first.folder / "format.properties"
    every = ",".join(str(node.data) for node in nodes)
    properties.write_text(f"{first.properties.read_text()}log.dirs={every}\n")  # the last mention counts
    cluster = f"kdg-{secrets.token_hex(8)}"
    args = ("format", "--cluster-id", cluster, "--config", str(properties), *users)
    tool = parts.argv("kafka.tools.StorageTool", *args, jvm=JVM)
    done = subprocess.run(tool, capture_output=True, text=True, start_new_session=True, check=False)
    if done.returncode:
        raise SandboxError("the sandbox's data folder cannot be formatted.", (done.stderr or done.stdout).strip())
    for node in nodes[1:]:
        meta = node.data / "meta.properties"
        meta.write_text(meta.read_text().replace(f"node.id={first.id}\n", f"node.id={node.id}\n"))
