"""Inputs without end, and what --undelivered keeps over several runs."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.hazards import Hazards
from tests.support.processes import KDG, lines, text


def cpu_of(kafka: Hazards, *args: str) -> tuple[int, float]:
    """Exit code and seconds of CPU of a run of kdg."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    code = kafka.kdg(*args).code
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return code, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("options", [(), ("-g", "eos"), ("--undelivered", "KEPT")], ids=["alo", "eos", "undelivered"])
def test_input_without_end_is_refused(kafka: Hazards, tmp_path: Path, options: tuple[str, ...]) -> None:
    """It ends by itself; what came before arrives, except in a transaction."""
    topic = kafka.topic()
    options = tuple(str(tmp_path / "kept") if option == "KEPT" else option for option in options)
    line = f'(seq 3; cat /dev/zero) | "{KDG}" produce {topic} {" ".join(options)}'
    done = kafka.kdg(line, argv=("bash", "-c"), timeout=20)
    whole = "-g" in options
    assert done.code == (4 if whole else 1), done
    assert "begins at byte 6 " in done.err
    assert kafka.values(topic) == ([] if whole else [b"1", b"2", b"3"])
    assert not (tmp_path / "kept").exists() or (tmp_path / "kept").read_bytes() == b""


def test_input_without_end_takes_little_memory(kafka: Hazards) -> None:
    topic = kafka.topic()
    measured = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], stdin=open('/dev/zero'), stderr=subprocess.DEVNULL)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    argv = [sys.executable, "-c", measured, KDG, "produce", topic]
    found = subprocess.run(argv, capture_output=True, timeout=20, check=True, env=kafka.environment())
    assert int(found.stdout) < 250_000  # kilobytes


def test_long_line_costs_what_its_length_says(kafka: Hazards, tmp_path: Path) -> None:
    topic = kafka.topic()
    for name, size in (("8", 8_000_000), ("40", 40_000_000)):
        (tmp_path / name).write_bytes(b"x" * size + b"\n")
    short, long = (cpu_of(kafka, "produce", topic, str(tmp_path / name)) for name in ("8", "40"))
    assert short[0] == long[0] == 3
    assert long[1] < 6 * short[1]


def test_undelivered_of_two_runs_are_both_kept(kafka: Hazards, tmp_path: Path) -> None:
    """A good run between them takes nothing away; all of it can be sent again."""
    topic, file = kafka.topic(), tmp_path / "kept"
    args = ("produce", topic, "--undelivered", str(file))
    for first in (0, 5):
        lost = kafka.kdg(*args, "-b", "127.0.0.1:1", "--timeout", "1s", input=text(lines(5, first)))
        assert lost.code == 8
        assert kafka.ok(*args, input=text(lines(1, 100 + first))).err.count("earlier run") == 1
    assert file.read_bytes() == text(lines(10))
    kafka.ok("produce", topic, str(file))
    assert kafka.values(topic) == [*lines(1, 100), *lines(1, 105), *lines(10)]
