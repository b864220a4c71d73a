"""The configuration of a sandbox's nodes: replication, addresses, ports, the user's properties."""

from __future__ import annotations

from pathlib import Path

import pytest

from kdg.sandbox import nodes


def properties(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


@pytest.mark.parametrize(("brokers", "copies", "in_sync"), [(1, "1", "1"), (2, "1", "1"), (3, "3", "2"), (4, "3", "2")])
def test_three_brokers_keep_three_copies_and_fewer_keep_one(brokers: int, copies: str, in_sync: str) -> None:
    planned = nodes.plan(brokers, Path("/x"))
    rows = properties(nodes.server_properties(planned[0], planned, {}))
    assert {value for name, value in rows.items() if name.endswith("replication.factor")} == {copies}
    assert {rows["min.insync.replicas"], rows["transaction.state.log.min.isr"]} == {in_sync}


def test_every_address_is_on_the_loopback() -> None:
    planned = nodes.plan(3, Path("/x"))
    rows = properties(nodes.server_properties(planned[1], planned, {}))
    addresses = ",".join((rows["listeners"], rows["advertised.listeners"], rows["controller.quorum.voters"])).split(",")
    assert all("127.0.0.1:" in address for address in addresses)
    assert len(addresses) == 6


def test_the_users_properties_win_and_keep_their_backslashes() -> None:
    planned = nodes.plan(1, Path("/x"))
    text = nodes.server_properties(planned[0], planned, {"min.insync.replicas": "7", "new": "a\\b"})
    assert properties(text)["min.insync.replicas"] == "7"
    assert "new=a\\\\b\n" in text
    assert text.count("min.insync.replicas=") == 1


def test_ports_are_distinct() -> None:
    """Ports are distinct, and below the ports of outgoing connections."""
    planned = nodes.plan(20, Path("/x"))
    ports = {port for node in planned for port in (node.port, node.controller_port)}
    assert len(ports) == 40
    assert max(ports) < 32768
