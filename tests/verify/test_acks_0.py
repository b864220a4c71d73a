"""acks=0 called at-least-once, on three brokers one of which is frozen until another leads in its place: the long form
of tests/broker/test_verify.py, because a short run may happen to lose nothing. Part of `make hazards`."""

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
    """Acks=0 called at least once loses when brokers are replaced."""
    report = tmp_path / "report"
    options = [
        "-g",
        "at-least-once",
        "--brokers",
        "3",
        "--faults",
        "broker-pause",
        "--for",
        "60s",
        "--report",
        str(report),
    ]
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
