"""Owns the life of a whole sandbox: nodes are planned, formatted and started; at the end all of it is removed."""

from __future__ import annotations

import secrets
import subprocess
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

_ATTEMPTS = 3  # at finding free ports


class Sandbox:
    """A cluster of `brokers` real Kafka nodes on 127.0.0.1. It runs inside `with`; afterwards nothing of it is left.

    properties: added to each node's server.properties; they win over the sandbox's own. secured: adds listeners with
    TLS and logins (security.py); `client` returns the settings that a client needs for them. note: receives a line of
    text when something takes a while.

    Entering raises SandboxError: there is no Java, the jars cannot be fetched, or a node ends or does not answer. If
    kdg is killed, the reaper removes processes and data (reaper.py).
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
        """The addresses of all brokers, for `bootstrap.servers`: `127.0.0.1:port,127.0.0.1:port`."""
        return ",".join(each.address for each in self.brokers)

    def client(self, mode: str, user: str = ADMIN) -> dict[str, str]:
        """The settings with which a client logs in as `user` at a secured sandbox. mode: a key of LISTENER_OF."""
        return {"bootstrap.servers": self.secured_bootstrap(mode), **self._security().client(mode, user)}

    def secured_bootstrap(self, mode: str) -> str:
        """The addresses of all brokers at the listener of a mode."""
        return ",".join(each.address_of(LISTENER_OF[mode]) for each in self.brokers)

    def config_file(self, mode: str) -> Path:
        """Write a configuration file of kdg for the mode, in the sandbox's folder, and return its path."""
        return self._security().write_config(mode, self.secured_bootstrap(mode))

    def _security(self) -> Security:
        assert self.security is not None, "only for a secured sandbox, inside `with`"  # noqa: S101  # caller's defect
        return self.security

    def tool(self, main_class: str, *args: str) -> list[str]:
        """The command line of one of Kafka's own tools, such as org.apache.kafka.tools.consumer.ConsoleConsumer."""
        return self._parts().argv(main_class, *args)

    def __enter__(self) -> Self:
        self._parts()
        nodes = "1 broker" if self._count == 1 else f"{self._count} brokers"
        self._note(f"starting Apache Kafka {kafka_version()}, {nodes}")
        try:
            self._start()
        except BaseException:  # KeyboardInterrupt included
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

    def _start(self, attempts: int = _ATTEMPTS) -> None:
        self._lay_out()
        for broker in self.brokers:
            broker.start()
        try:
            wait_ready(self.brokers, READY_IN)
        except PortTakenError:
            if attempts == 1:
                raise
            self._remove()
            self._start(attempts - 1)

    def _lay_out(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="kdg-sandbox-")).resolve()
        self._reaper = reaper.start(folder)
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
        """Kill the brokers, and let the reaper delete the folder; if this is interrupted, the reaper does both."""
        brokers, process, self.brokers, self._reaper = self.brokers, self._reaper, (), None
        try:
            for broker in brokers:
                broker.kill()
        finally:
            if process and process.stdin:
                process.stdin.close()
                process.wait()


def _format(parts: Distribution, nodes: tuple[Node, ...], users: Sequence[str] = ()) -> None:
    """Format the log directories of all nodes, in one call, because each call starts a JVM.

    The call formats all of them as the first node's; afterwards the others get their own ids.
    """
    first = nodes[0]
    properties = first.folder / "format.properties"
    every = ",".join(str(node.data) for node in nodes)
    properties.write_text(f"{first.properties.read_text()}log.dirs={every}\n")  # the last log.dirs line wins
    cluster = f"kdg-{secrets.token_hex(8)}"
    args = ("format", "--cluster-id", cluster, "--config", str(properties), *users)
    tool = parts.argv("kafka.tools.StorageTool", *args, jvm=JVM)
    done = subprocess.run(tool, capture_output=True, text=True, start_new_session=True, check=False)
    if done.returncode:
        raise SandboxError("the sandbox's data folder cannot be formatted.", (done.stderr or done.stdout).strip())
    for node in nodes[1:]:
        meta = node.data / "meta.properties"
        meta.write_text(meta.read_text().replace(f"node.id={first.id}\n", f"node.id={node.id}\n"))
