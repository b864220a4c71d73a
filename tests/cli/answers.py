"""Checks that several tests make of an answer: exit code, stdout, stderr."""

from __future__ import annotations

import re

import pytest

ARGUMENTS = {"produce": ["t"], "consume": ["t"], "pipe": ["t", "u", "-G", "g"]}
"""The fewest arguments with which each command with records runs."""

each_command = pytest.mark.parametrize("command", ARGUMENTS)


def refused(answer: tuple[int, str, str], *named: str) -> None:
    """Exit 2, nothing on stdout, one message that names these as whole words, and what to do."""
    code, out, err = answer
    assert code == 2, err
    assert out == ""
    assert err.startswith("kdg: ")
    assert sum(line.startswith("kdg: ") for line in err.splitlines()) == 1
    missing = [name for name in named if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", err)]
    assert missing == [], err


def settings_of(out: str) -> dict[str, tuple[str, str]]:
    """Value and origin of each setting that --dry-run printed; of a pipe's the producer's, which comes last."""
    found = {}
    for line in out.splitlines():
        parts = line.split()
        if line.startswith("  ") and len(parts) >= 3:
            found[parts[0]] = (parts[1], parts[2])
    return found
