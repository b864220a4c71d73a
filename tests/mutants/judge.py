"""Owns whether a test fails under a mutant for the right reason.

The right reason is an assertion of the test that shows the words of the registry. A crash is not: a replacement that
does not fit ends kdg by a TypeError, and the test fails although it has not looked at the protection.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from .mutant import Mutant

CRASHES = ("a defect of kdg", "Traceback (most recent call last)")
REPORT = "MUTANT_REPORT"
"""The variable with the file that the failure is written to."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a test failed. when: setup, call or teardown. raised: the exception's class. text: as pytest shows it."""

    when: str
    raised: str
    text: str


def pytest_exception_interact(
    node: pytest.Item | pytest.Collector,
    call: pytest.CallInfo[object],
    report: pytest.TestReport | pytest.CollectReport,
) -> None:
    """As a plugin of the run that is judged: write down why the test fails."""
    assert call.excinfo is not None
    failed = Failed(call.when or "collect", call.excinfo.typename, report.longreprtext)
    Path(os.environ[REPORT]).write_text(json.dumps(asdict(failed)), encoding="utf-8")


def failure_of(mutant: Mutant) -> Failed | None:
    """Run the test of a mutant. Why it fails; None if it passes."""
    assert mutant.test is not None
    from . import ROOT

    options = ["-q", "-x", "--no-header", "--tb=short", "-p", "no:randomly", "-p", "tests.mutants.judge"]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report"
        environment = {**os.environ, "MUTANT": mutant.name, REPORT: str(report), "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, mutant.test.by],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if report.exists():
            return Failed(**json.loads(report.read_text(encoding="utf-8")))
    return None if done.returncode == 0 else Failed("collect", "no report", done.stdout + done.stderr)


def wrong_with(mutant: Mutant, failed: Failed | None) -> str:
    """Why this failure does not show that the protection is missing; empty if it does."""
    assert mutant.test is not None
    if failed is None:
        return "the test passes"
    if failed.when != "call":
        return f"the test fails in {failed.when}, not in its own assertions: {_last(failed.text)}"
    crashed = any(words in failed.text for words in CRASHES)
    if crashed and not mutant.test.crashes:
        return f"kdg crashes: {_last(failed.text)}"
    if mutant.test.crashes and not crashed:
        return f"kdg does not crash: {_last(failed.text)}"
    if failed.raised != "AssertionError":
        return f"the test ends by {failed.raised}, not by an assertion: {_last(failed.text)}"
    if not any(words in failed.text for words in mutant.test.shows):
        return f"the failure shows none of {', '.join(map(repr, mutant.test.shows))}: {_last(failed.text)}"
    return ""


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.startswith("E ")]
    return " ".join(" ".join(lines).split())[:600]
