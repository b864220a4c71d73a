"""`kdg verify` on a real Kafka: a right program passes, wrong ones fail with the right counts, and nothing is left.

The programs run at the same time, each with its own topics on one broker; each test then looks at one of the results.
"""

from __future__ import annotations

import ast
import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from confluent_kafka.admin import AdminClient

from kdg.core.guarantees import AT_LEAST_ONCE
from kdg.errors import NotMet
from kdg.verify import engine
from kdg.verify.faults import FaultKind
from kdg.verify.setup import PREFIX, Setup
from tests.support.kafka import Kafka
from tests.support.processes import KDG, Done, Run
from tests.support.waiting import eventually

from .test_sandbox_command import PROC, processes_below

GROUP_AT = "the group is at "

PROGRAMS = str(Path(__file__).parents[1] / "verify" / "programs.py")
SESSION = {"VERIFY_SESSION_MS": "2000"}
NO_REBALANCE = {"VERIFY_SESSION_MS": "14000"}
"""Longer than any pause, so that no other worker reads aborted records again, and the count is exact."""


@dataclass(frozen=True, slots=True)
class Case:
    """A program, the guarantee that it claims, and the faults that show what is wrong with it."""

    program: str
    guarantee: str
    faults: str
    seconds: int
    environment: Mapping[str, str]


CASES = (
    Case("commit-after", "at-least-once", "kill,term", 10, SESSION),
    Case("auto-commit", "at-least-once", "kill", 10, SESSION),
    Case("no-rewind", "exactly-once", "pause", 10, NO_REBALANCE),
)


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a run, and the files that it wrote. skipped: how many records the program itself knows to be lost."""

    done: Done
    report: Mapping[str, Any]
    junit: Xml.Element
    skipped: int


def argv(case: Case, kafka: Kafka, folder: Path) -> list[str]:
    options = ["-g", case.guarantee, "--faults", case.faults, "--for", f"{case.seconds}s", "--seed", "1"]
    options += ["--on-this-cluster", "-b", kafka.bootstrap]
    options += ["--report", str(folder / "report"), "--junit", str(folder / "junit")]
    return [KDG, "verify", *options, "--", sys.executable, PROGRAMS, case.program]


def environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KDG_", "VERIFY_"))}
    (folder / "tmp").mkdir(parents=True)
    return {**kept, "TMPDIR": str(folder / "tmp"), "VERIFY_SKIPPED": str(folder / "skipped"), **more}


@pytest.fixture(scope="module")
def ended(kafka: Kafka, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    """The results of all cases, which run at the same time."""
    root = tmp_path_factory.mktemp("verify")
    found = {}
    with ExitStack() as stack:
        runs = {}
        for case in CASES:
            folder = root / case.program
            env = environment(folder, **case.environment)
            runs[case.program] = folder, stack.enter_context(Run(argv(case, kafka, folder), env, DEVNULL, None))
        for name, (folder, run) in runs.items():
            done = run.end(120)
            skipped = folder / "skipped"
            found[name] = Ended(
                done,
                json.loads((folder / "report").read_text()),
                Xml.parse(folder / "junit").getroot(),  # noqa: S314  # written by kdg itself
                len(skipped.read_bytes().splitlines()) if skipped.exists() else 0,
            )
            assert list((folder / "tmp").iterdir()) == []
            assert processes_below(folder) == []
    return found


def failed_checks(ended: Ended) -> set[str | None]:
    return {case.get("name") for case in ended.junit.iter("testcase") if case.find("failure") is not None}


def test_flush_then_commit_holds_at_least_once(ended: Mapping[str, Ended]) -> None:
    """At-least-once holds for a program that commits after the flush."""
    found = ended["commit-after"]
    assert found.done.code == 0, found.done.err
    assert b"at-least-once held" in found.done.out.splitlines()[-1]
    assert found.report["lost"] == 0
    assert found.report["records"] > 5_000
    assert found.report["faults"]
    assert set(found.report["faults"]) <= {"kill", "term"}
    assert failed_checks(found) == set()
    assert "\x1b" not in found.done.err + found.done.out.decode()


def test_a_commit_before_processing_loses(ended: Mapping[str, Ended]) -> None:
    found = ended["auto-commit"]
    assert found.done.code == 10
    assert found.report["lost"] > 0
    assert found.report["foreign"] == 0
    assert f"at-least-once is broken: lost {found.report['lost']}" in found.done.err
    assert failed_checks(found) == {"no record lost"}


def test_no_rewind_after_an_abort_loses_what_was_aborted(ended: Mapping[str, Ended]) -> None:
    found = ended["no-rewind"]
    assert found.done.code == 10
    assert found.skipped > 0
    # If the very last batch was aborted, no later batch moved the position past it.
    assert found.report["lost"] == found.skipped + not_passed(found.report)
    assert found.report["doubled"] == 0
    assert sum(partition["lost"] for partition in found.report["partitions"].values()) == found.report["lost"]


def not_passed(report: Mapping[str, Any]) -> int:
    """How many records come after the last position of the group."""
    line = next(entry for entry in reversed(report["history"]) if GROUP_AT in entry)
    positions = ast.literal_eval(line.partition(GROUP_AT)[2])
    return sum(found["records"] - positions.get(int(number), 0) for number, found in report["partitions"].items())


def left_on(kafka: Kafka) -> list[str]:
    """The topics and groups of verify that are still on the cluster."""
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    groups = [group.group_id for group in admin.list_consumer_groups().result(10).valid]
    return [name for name in [*admin.list_topics(timeout=10).topics, *groups] if name.startswith(PREFIX)]


def test_verify_leaves_nothing_on_the_cluster(ended: Mapping[str, Ended], kafka: Kafka) -> None:
    """Nothing is left on the cluster; what kdg creates there was announced first."""
    assert eventually(lambda: left_on(kafka) == [], 10)
    for case in CASES:
        first = ended[case.program].done.err.splitlines()[0]
        assert "this makes the topics kdg-verify-" in first
        assert kafka.bootstrap in first


@pytest.mark.parametrize("here", [True, False], ids=["on this cluster", "on its own"])
def test_a_signal_ends_it_and_nothing_is_left(kafka: Kafka, tmp_path: Path, here: bool) -> None:
    where = ["--on-this-cluster", "-b", kafka.bootstrap] if here else []
    argv = [KDG, "verify", "-g", "eos", "--for", "60s", "-v", *where]
    with Run(argv, environment(tmp_path), DEVNULL, None) as run:
        assert eventually(lambda: " worker " in run.err, 60), run.err
        assert processes_below(tmp_path) or not PROC.exists()
        assert not here or left_on(kafka)
        run.signal(signal.SIGINT)
        done = run.end(40)
    assert done.code == -signal.SIGINT
    assert done.out == b""
    assert processes_below(tmp_path) == []
    assert list((tmp_path / "tmp").iterdir()) == []
    assert eventually(lambda: left_on(kafka) == [], 10)


def test_a_program_that_copies_nothing_is_reported_soon(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "STARTS_WITHIN", 2.0)
    setup = Setup(AT_LEAST_ONCE, kinds=[FaultKind.KILL], workers=1, command=[sys.executable, "-c", "print(1/0)"])
    with pytest.raises(NotMet, match=r"(?s)no record came out within 2 s.*ZeroDivisionError"):
        engine.run(setup, kafka.bootstrap, ())
    assert eventually(lambda: left_on(kafka) == [], 10)
