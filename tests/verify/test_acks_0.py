"""A program with acks=0 on three brokers, one of which is frozen until another one is the leader. Part of `make
hazards`.

It belongs to tests/broker/test_verify.py, but a short run may happen to lose nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

KDG = str(Path(sys.executable).with_name("kdg"))
PROGRAMS = str(Path(__file__).with_name("programs.py"))


@pytest.mark.timeout(240)
def test_acks_0_as_at_least_once_loses(tmp_path: Path) -> None:
    """A program with acks=0 that claims at-least-once loses records when another broker becomes the leader."""
    report = tmp_path / "report"
    options = ["-g", "at-least-once", "--brokers", "3", "--faults", "broker-pause", "--for", "60s"]
    options += ["--report", str(report)]
    done = subprocess.run(
        [KDG, "verify", *options, "--", sys.executable, PROGRAMS, "acks-0"],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 10
    found = json.loads(report.read_text())
    assert found["lost"] == sum(partition["lost"] for partition in found["partitions"].values()) > 0
    assert f"at-least-once is broken: lost {found['lost']}" in done.stderr
