"""Closed standard descriptors, full disks and readers that went away: the process itself, without a broker."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

from tests.support.processes import KDG

ANSWERS = [
    "explain",
    "explain contradictions",
    "explain 7",
    "--help",
    "--version",
    "produce --help",
    "check -X acks=0",
    "produce t -b h:1 --dry-run",
    "--show-completion bash",
]
"""Command lines whose answer goes to stdout."""


def shell(line: str, env: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a line for the shell, in which `kdg` is the command."""
    script = f'kdg() {{ "{KDG}" "$@"; }}; {line}'
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KDG_")}
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, timeout=30, check=False, env={**kept, **(env or {})}
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert "a defect of kdg" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("line", ANSWERS)
def test_answer_to_a_full_disk_is_exit_1_in_one_line(line: str) -> None:
    code, _out, err = shell(f"kdg {line} >/dev/full")
    assert (code, err) == (1, "kdg: stdout cannot be written: No space left on device.\n")


def test_completion_to_a_full_disk_is_exit_1_in_one_line() -> None:
    asked = {"_KDG_COMPLETE": "complete_bash", "COMP_WORDS": "kdg exp", "COMP_CWORD": "1"}
    assert shell("kdg", asked)[:2] == (0, "explain\n")
    code, _out, err = shell("kdg >/dev/full", asked)
    assert (code, err) == (1, "kdg: stdout cannot be written: No space left on device.\n")


@pytest.mark.parametrize("line", [*ANSWERS, "consume t -b 127.0.0.1:1", "verify", "sandbox"])
def test_closed_stdout_that_is_needed_is_exit_2_at_once(line: str) -> None:
    code, _out, err = shell(f"kdg {line} <&- >&-")
    assert code == 2
    assert err.startswith("kdg: stdout is closed")


@pytest.mark.parametrize("line", ANSWERS)
def test_reader_that_goes_away_is_not_an_error(line: str) -> None:
    wanted = 10 if line.startswith("check") else 0
    assert shell(f"kdg {line} | true; exit ${{PIPESTATUS[0]}}") == (wanted, "", "")


@pytest.mark.parametrize("line", ["explain 7", "explain nonsense", "consume t", "check -X acks=0"])
@pytest.mark.parametrize("where", ["2>&-", "2>/dev/full", "2> >(true)"])
def test_exit_code_does_not_depend_on_stderr(line: str, where: str) -> None:
    wanted = shell(f"kdg {line}")
    assert shell(f"kdg {line} {where}")[:2] == wanted[:2]


def test_too_few_descriptors_are_exit_1_in_one_line() -> None:
    """`ulimit -n` below what the Kafka client needs is not a defect of kdg; the message says what to raise."""
    few = (
        "import os, resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (6, 6)); "
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    argv = [sys.executable, "-c", few, KDG, "produce", "t", "-b", "127.0.0.1:1", "--timeout", "1s"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 1
    assert done.stderr.startswith("kdg: this process may not open so many files.")
    assert "ulimit -n" in done.stderr
