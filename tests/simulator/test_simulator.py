"""A hundred thousand histories over every command and guarantee.

Each keeps its guarantee; the faults do cause allowed damage.

KDG_SIM_SEED is the first seed, KDG_SIM_SCHEDULES how many are run. A seed that fails is printed with its history. Once
the defect is fixed, the seed goes into REGRESSIONS.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kdg.core.crash.world import SHAPES
from tests.mutants import MUTANTS
from tests.mutants.mutant import Caught, Mutant
from tests.simulator.__main__ import report
from tests.simulator.history import CASES, Case, History

# Read here: no test sees the KDG_* of this machine (tests/conftest.py).
FIRST = int(os.environ.get("KDG_SIM_SEED", "0"))
SCHEDULES = int(os.environ.get("KDG_SIM_SCHEDULES", "100000"))
HALVES = 2
"""Processes that share the work: a developer's machine and CI have at least two cores."""
MUTANT_SCHEDULES = 20_000
pytestmark = pytest.mark.timeout(900)  # two minutes where the machine is not busy otherwise

REGRESSIONS: tuple[tuple[str, int], ...] = (
    # The start of a new group, committed by no member, went over what another instance had committed meanwhile.
    ("amo consume", 45),
    ("amo pipe", 45),
    # Two instances with -e, each behind a marker that it had not settled, waited for each other.
    ("alo consume", 241),
    ("eos pipe", 50),
    # A settling that failed inside a rebalance rewound; what the same read brought of a partition that stayed was kept.
    ("eos pipe", 4523),
    # At-most-once gave a partition away before what it had sent of it had arrived.
    ("amo pipe", 5707),
    # A settling failed because the topic was made again; a second revoke before the run's end settled all the same.
    ("alo consume -- CMD", 5480),
    # An error inside a poll that kept the membership was dropped, if a rebalance in the same poll had ended the work.
    ("amo pipe -- CMD", 165),
)


@dataclass
class Total:
    """The sum of the tallies of the two processes."""

    schedules: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    doubled: Counter[str] = field(default_factory=Counter)
    faults: int = 0
    seconds: float = 0.0
    failed: list[tuple[str, int]] = field(default_factory=list)


@pytest.fixture(scope="module")
def total() -> Total:
    """The result of all schedules, which are run once."""
    command = [sys.executable, "-m", "tests.simulator", "--step", str(HALVES), "--schedules", str(SCHEDULES // HALVES)]
    root, began = Path(__file__).parents[2], time.monotonic()
    halves = [
        subprocess.Popen([*command, "--seed", str(FIRST + half)], cwd=root, stdout=subprocess.PIPE)
        for half in range(HALVES)
    ]
    found = Total()
    for half in halves:
        out, _err = half.communicate()
        tally = json.loads(out)
        for counts, name in ((found.schedules, "schedules"), (found.lost, "lost"), (found.doubled, "doubled")):
            counts.update(tally[name])
        found.faults += tally["faults"]
        found.failed += [(name, seed) for name, seed, _broken in tally["failed"]]
    found.seconds = time.monotonic() - began
    return found


@pytest.mark.parametrize(("name", "seed"), REGRESSIONS, ids=[f"{name} {seed}" for name, seed in REGRESSIONS])
def test_a_history_that_broke_once_does_not_break_again(name: str, seed: int) -> None:
    verdict = History(CASES[name], seed).run()
    assert not verdict.broken, report(name, seed)


def test_every_history_keeps_its_guarantee(total: Total, capsys: pytest.CaptureFixture[str]) -> None:
    count = total.schedules.total()
    with capsys.disabled():
        sys.stdout.write(
            f"\nsimulator: {count} schedules from seed {FIRST}, {total.faults} faults, {total.seconds:.0f} s "
            f"({count / total.seconds:.0f}/s)\n"
        )
    assert not total.failed, "\n\n".join(report(name, seed) for name, seed in total.failed)
    assert count == SCHEDULES // HALVES * HALVES


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_allowed_damage_does_happen_in_the_model(total: Total, case: Case) -> None:
    """Records are lost or duplicated where the guarantee allows it; otherwise the faults would have no effect."""
    assert bool(total.lost[case.name]) == case.guarantee.may_lose
    assert bool(total.doubled[case.name]) == case.guarantee.may_duplicate


def test_every_command_and_guarantee_has_a_case() -> None:
    """Every command under every guarantee that it serves.

    The sinks of consume are tested in tests/broker/test_sinks.py.
    """
    commands = {case.command for case in CASES.values()}
    wanted = {
        f"{case.guarantee.short} {shape.command}"
        for case in CASES.values()
        for shape in SHAPES.values()
        if shape.serves(case.guarantee) and shape.command in commands
    }
    assert {name for name, case in CASES.items() if not case.works} == wanted


def test_ordinary_schedules_patch_nothing() -> None:
    """The simulator replaces no name of kdg: it runs kdg as it is, on surroundings that it hands in."""
    folder = Path(__file__).parent
    modules = {path.name for path in folder.glob("*.py") if path != Path(__file__)}
    assert {
        name for name in modules if re.search(r"\bmock\b|setattr|monkeypatch|mutants", (folder / name).read_text())
    } == set()


SIMULATED = [(mutant, caught) for mutant in MUTANTS.values() for caught in mutant.simulated]


def first_seed_that_shows(mutant: Mutant, caught: Caught) -> int | None:
    with mutant.applied():
        for seed in range(MUTANT_SCHEDULES):
            broken = History(CASES[caught.by], seed).run().broken
            if any(words in line for line in broken for words in caught.shows):
                return seed
    return None


@pytest.mark.parametrize(
    ("mutant", "caught"), SIMULATED, ids=[f"{mutant.name}: {caught.by}" for mutant, caught in SIMULATED]
)
def test_the_simulator_catches_a_mutant(mutant: Mutant, caught: Caught) -> None:
    assert first_seed_that_shows(mutant, caught) is not None


def test_a_broken_history_is_shown_with_few_faults() -> None:
    mutant = MUTANTS["no-flush"]
    caught = mutant.simulated[0]
    seed = first_seed_that_shows(mutant, caught)
    assert seed is not None
    with mutant.applied():
        lines = report(caught.by, seed).splitlines()
    assert lines[0] == f"alo pipe, seed {seed}:"
    assert lines[1].startswith("  lost: ")
    assert any("commits source" in line for line in lines)


def test_the_same_seed_is_the_same_history() -> None:
    def lines(seed: int) -> list[str]:
        history = History(CASES["eos pipe"], seed, trace=True)
        history.run()
        return history.lines()

    assert [lines(seed) for seed in range(20)] == [lines(seed) for seed in range(20)]
