"""`kdg verify` refuses what contradicts itself before it starts anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from .answers import refused
from .conftest import Kdg


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        (["-g", "payments"], ["payments", "-G"]),
        (["--faults", "kill,flood"], ["flood", "broker-pause"]),
        (["--faults", ""], ["--faults"]),
        (["--for", "0"], ["--for 0"]),
        (["--for", "soon"], ["--for", "soon"]),
        (["--brokers", "2"], ["--brokers 2", "1 or 3"]),
        (["-b", "h:1"], ["-b", "--on-this-cluster"]),
        (["--on-this-cluster"], ["-b", "KDG_BROKERS"]),
        (["--on-this-cluster", "-b", "h:1", "--brokers", "3"], ["--brokers", "--on-this-cluster"]),
        (["--on-this-cluster", "-b", "h:1", "--faults", "broker-kill"], ["broker-kill", "not disturbed"]),
        (["-g", "eos", "--faults", "broker-kill"], ["broker-kill", "--brokers 3"]),
        (["-g", "eos", "-X", "acks=0"], ["acks=0", "exactly-once"]),
        (["-X", "linger.ms=1", "--", "sh"], ["-X", "CMD"]),
        (["--", "no-such-command-here"], ["no-such-command-here"]),
        (["--cost", "-g", "eos"], ["-g", "--cost"]),
        (["--cost", "--junit", "f"], ["--junit", "--cost"]),
        (["--cost", "--", "sh"], ["-- CMD", "--cost"]),
        (["--report", "no/such/folder/r"], ["--report"]),
        (["--junit", "no/such/folder/j"], ["--junit"]),
    ],
    ids=str,
)
def test_verify_refuses_contradictions(
    kdg: Kdg, typed: list[str], named: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No sandbox is started for options that contradict each other."""
    monkeypatch.delenv("KDG_BROKERS", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("kdg.sandbox.cluster.Sandbox.__enter__", lambda _self: pytest.fail("a sandbox was started"))
    refused(kdg("verify", *typed), *named)
