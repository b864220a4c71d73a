"""Owns the configuration of a node: its ports and its server.properties.

It does no I/O except to look for free ports.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kdg.core.requirement import IN_SYNC, REPLICAS
from kdg.sandbox.security import PROTOCOLS
from kdg.settings.requirements import strictest

HOST = "127.0.0.1"

# Below the ports that systems give to outgoing connections (from 32768 on Linux, from 49152 on macOS). bind(0) would
# choose one of those. Then, while a killed broker is away, a client's outgoing connection could be given the port of
# that broker.
_PORTS = range(20000, 32768)


@dataclass(frozen=True, slots=True)
class Node:
    """One member of the cluster; it is broker and controller at once. Ids count from 1."""

    id: int
    port: int
    controller_port: int
    folder: Path
    secured: Mapping[str, int] = field(default_factory=dict)
    """The port of each secured listener, by the name of the listener."""

    @property
    def address(self) -> str:
        """The address for clients, `127.0.0.1:port`."""
        return f"{HOST}:{self.port}"

    @property
    def data(self) -> Path:
        """The folder of its log (log.dirs)."""
        return self.folder / "data"

    @property
    def properties(self) -> Path:
        """The path of its server.properties."""
        return self.folder / "server.properties"


def plan(count: int, folder: Path, secured: Iterable[str] = ()) -> tuple[Node, ...]:
    """Plan `count` nodes on ports that are free now, each with a folder below `folder`.

    secured: the names of more listeners.
    """
    ports, names = free_ports(), tuple(secured)
    return tuple(
        Node(number, next(ports), next(ports), folder / str(number), {name: next(ports) for name in names})
        for number in range(1, count + 1)
    )


def free_ports() -> Iterator[int]:
    """Ports of 127.0.0.1 that are free at the moment, in random order, each once."""
    return (port for port in random.sample(_PORTS, len(_PORTS)) if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def server_properties(node: Node, nodes: tuple[Node, ...], overrides: Mapping[str, str]) -> str:
    """The text of the node's server.properties; `overrides` win."""
    rows = {**_addresses(node, nodes), **_SMALL_AND_QUICK, **_replication(len(nodes)), **overrides}
    return "".join(f"{name}={_escaped(value)}\n" for name, value in rows.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n")


def _addresses(node: Node, nodes: tuple[Node, ...]) -> dict[str, str]:
    listeners = ",".join(f"{name}://{HOST}:{port}" for name, port in {"CLIENTS": node.port, **node.secured}.items())
    protocols = {"CLIENTS": "PLAINTEXT", "CONTROLLER": "PLAINTEXT", **{name: PROTOCOLS[name] for name in node.secured}}
    return {
        "process.roles": "broker,controller",
        "node.id": str(node.id),
        "controller.quorum.voters": ",".join(f"{each.id}@{HOST}:{each.controller_port}" for each in nodes),
        "listeners": f"{listeners},CONTROLLER://{HOST}:{node.controller_port}",
        "advertised.listeners": listeners,
        "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
        "inter.broker.listener.name": "CLIENTS",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": str(node.data),
    }


_SMALL_AND_QUICK = {
    "auto.create.topics.enable": "true",
    "offsets.topic.num.partitions": "5",
    "transaction.state.log.num.partitions": "5",
    "share.coordinator.state.topic.num.partitions": "5",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    # An expired transaction is aborted within a second instead of ten.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    # A killed broker can register again only after its last session has timed out: 9 s by default.
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "3000",
    # The log cleaner allocates its buffer at the start: 128 MB by default, a quarter of the heap.
    "log.cleaner.dedupe.buffer.size": "8388608",
}


def _replication(brokers: int) -> dict[str, str]:
    """What the guarantees require of a cluster, as soon as there are enough brokers; one replica otherwise."""
    copies, in_sync = strictest(REPLICAS.setting), strictest(IN_SYNC.setting)
    if brokers < copies:
        copies, in_sync = 1, 1
    return {
        "default.replication.factor": str(copies),
        "min.insync.replicas": str(in_sync),
        "offsets.topic.replication.factor": str(copies),
        "transaction.state.log.replication.factor": str(copies),
        "transaction.state.log.min.isr": str(in_sync),
        "share.coordinator.state.topic.replication.factor": str(copies),
        "share.coordinator.state.topic.min.isr": str(in_sync),
    }
