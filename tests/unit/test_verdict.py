"""What `kdg verify` says of a run: held, broken, not shown, in words, JSON and JUnit XML; and of what a guarantee
costs.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from rich.console import Console

from kdg.cli.commands.verify import live_view
from kdg.cli.verify_view import MARKS, View
from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, EXACTLY_ONCE, Guarantee
from kdg.runs import verify as verify_run
from kdg.verify import cost, faults
from kdg.verify.counting import Tally
from kdg.verify.faults import FaultKind
from kdg.verify.progress import InjectedFault, Progress
from kdg.verify.result import Result
from kdg.verify.setup import Names, Setup, commands, environment
from kdg.verify.verdict import Verdict
from kdg.verify.workers import FILES_FOLDER, WorkerPool

NAMES = Names("kdg-verify-1-source", "kdg-verify-1-target", "kdg-verify-1-group")
FAULTS = {"kill": 11, "term": 6, "pause-short": 4, "pause-long": 2}


def verdict(*tallies: Tally, row: Guarantee = EXACTLY_ONCE, while_flowing: int = 20, **more: object) -> Verdict:
    found = Result(row.name, "range", 1, 7, 61.0, dict(enumerate(tallies)), FAULTS, while_flowing, **more)  # type: ignore[arg-type]
    return Verdict(row, found, seconds=60.0)


CLEAN = Tally(records=24_060)


# ── the verdict ──


def test_a_run_without_a_fault_in_it_held() -> None:
    found = verdict(CLEAN, CLEAN, CLEAN, CLEAN)
    assert found.error is None
    assert found.text().splitlines()[-2:] == [
        "faults 23 (kill 11, term 6, pause 6), 4 partitions, 96,240 records",
        "lost 0   doubled 0   out of order 0   aborted seen 0          exactly-once held",
    ]


def test_the_table_has_a_line_for_each_partition() -> None:
    head, *rows = verdict(CLEAN, replace(CLEAN, lost=1_234)).text().splitlines()[:-2]
    assert head.split() == ["partition", "records", "lost", "doubled", "out", "of", "order", "aborted", "seen"]
    assert [row.split() for row in rows] == [["0", "24,060", "0", "0", "0", "0"], ["1", "24,060", "1,234", "0", "0", "0"]]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        (AT_LEAST_ONCE, Tally(lost=1)),
        (AT_MOST_ONCE, Tally(duplicated=1)),
        (EXACTLY_ONCE, Tally(lost=1)),
        (EXACTLY_ONCE, Tally(duplicated=1)),
        (EXACTLY_ONCE, Tally(out_of_order=1)),
        (AT_LEAST_ONCE, Tally(aborted_seen=1)),
        (AT_MOST_ONCE, Tally(foreign=1)),
    ],
)
def test_what_the_row_does_not_allow_breaks_it_with_exit_10(row: Guarantee, wrong: Tally) -> None:
    error = verdict(CLEAN + wrong, row=row).error
    assert error is not None
    assert error.exit_code == 10
    assert f"{row.name} is broken" in str(error)
    assert " 1" in str(error)


@pytest.mark.parametrize(("row", "allowed"), [(AT_LEAST_ONCE, Tally(duplicated=9)), (AT_MOST_ONCE, Tally(lost=9))])
def test_what_the_row_allows_does_not(row: Guarantee, allowed: Tally) -> None:
    assert verdict(CLEAN + allowed, row=row).error is None


def test_wrong_records_are_named() -> None:
    """The records that are wrong are named where they break the promise."""
    named = {"lost": ["0:3-5"], "doubled": ["1:7"]}
    error = verdict(CLEAN + Tally(lost=3, duplicated=1), row=AT_LEAST_ONCE, wrong=named).error
    assert error is not None
    assert "lost 0:3-5" in error.hint
    assert "1:7" not in error.hint


@pytest.mark.parametrize("while_flowing", [0, 5, 13])
def test_faults_that_hit_nothing_show_nothing(while_flowing: int) -> None:
    found = verdict(CLEAN, while_flowing=while_flowing)
    assert found.error is not None
    assert found.error.exit_code == 10
    assert f"only {while_flowing} of 23 faults" in str(found.error)
    assert found.text().rstrip().endswith("exactly-once not shown")
    assert found.as_json()["outcome"] == "not-met"


def test_too_few_faults_for_the_time_show_nothing_either() -> None:
    few = replace(verdict(CLEAN).result, faults={"kill": 5}, while_flowing=5)
    assert Verdict(EXACTLY_ONCE, few, seconds=50.0).error is None
    assert Verdict(EXACTLY_ONCE, few, seconds=60.0).error is not None
    assert Verdict(EXACTLY_ONCE, replace(few, faults={}, while_flowing=0), seconds=1.0).error is not None


# ── for programs ──


def test_the_report_has_the_counts_by_partition_and_the_faults() -> None:
    report = json.loads(json.dumps(verdict(CLEAN, CLEAN + Tally(lost=2)).as_json()))
    assert report["outcome"] == "not-met"
    assert report["exit_code"] == 10
    assert report["lost"] == report["partitions"]["1"]["lost"] == 2
    assert report["records"] == 48_120
    assert report["faults"] == {"kill": 11, "term": 6, "pause": 6}
    assert report["broken"] == ["lost 2"]


def suite(found: Verdict) -> Xml.Element:
    return Xml.fromstring(found.as_junit())  # noqa: S314  # our own


def test_junit_of_a_run_that_held() -> None:
    """JUnit has a test for each check and all pass when it held."""
    found = suite(verdict(CLEAN))
    names = [case.get("name") for case in found.iter("testcase")]
    assert "no record lost" in names
    assert "no record doubled" in names
    assert found.get("tests") == str(len(names))
    assert found.get("failures") == "0"
    assert list(found.iter("failure")) == []


def test_junit_fails_what_broke() -> None:
    """JUnit fails the check that broke and knows nothing of what is allowed."""
    found = suite(verdict(CLEAN + Tally(lost=3, duplicated=2), row=AT_LEAST_ONCE, wrong={"lost": ["0:<&>"]}))
    cases = {case.get("name"): case.find("failure") for case in found.iter("testcase")}
    assert "no record doubled" not in cases
    failed = {name: failure.get("message") for name, failure in cases.items() if failure is not None}
    assert failed == {"no record lost": "lost 3"}
    assert found.get("failures") == "1"


def test_junit_fails_without_proof() -> None:
    """JUnit fails when something got stuck or nothing was shown."""
    found = suite(verdict(CLEAN, while_flowing=1, stuck=["a transaction stayed open"]))
    failed = [case.get("name") for case in found.iter("testcase") if case.find("failure") is not None]
    assert failed == ["all is settled in the end", "faults hit while records flowed"]


# ── the workers' commands ──


def test_secret_file_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """A secret is never in a command and its file is for nobody else."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    setup = Setup(EXACTLY_ONCE, connection={"sasl.password": "hidden"})
    argv = commands(setup, NAMES)
    assert len(argv) == 3
    assert "hidden" not in str(argv)
    with WorkerPool(argv, {}, files=setup.connection) as pool:
        given = [word for word in pool.workers[0].argv if word.startswith("sasl.password=@")]
        file = Path(given[0].partition("@")[2])
        assert file.read_text() == "hidden"
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        assert FILES_FOLDER not in str(pool.workers[0].argv)
    assert list(tmp_path.iterdir()) == []


def test_foreign_program_gets_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Another program finds the topics the group and the brokers in its environment."""
    monkeypatch.setenv("KDG_GUARANTEE", "eos")
    setup = Setup(EXACTLY_ONCE, command=("copy", "it"), workers=2)
    assert commands(setup, NAMES) == [["copy", "it"], ["copy", "it"]]
    given = {name: value for name, value in environment(setup, NAMES, "h:1").items() if name.startswith("KDG_")}
    assert given == {"KDG_BROKERS": "h:1", "KDG_SOURCE": NAMES.source, "KDG_TARGET": NAMES.target, "KDG_GROUP": NAMES.group}  # fmt: skip


def test_the_users_own_configuration_does_not_reach_kdgs_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KDG_PROFILE", "production")
    given = environment(Setup(EXACTLY_ONCE), NAMES, "h:1")
    assert "KDG_PROFILE" not in given
    assert given["KDG_CONFIG"] == "/dev/null"


@pytest.fixture
def pipeline(tmp_path: Path) -> WorkerPool:
    """Two processes in one command; each writes its pid."""
    part = f'{sys.executable} -S -c \'import os, time; print(os.getpid(), file=open("{tmp_path}/pid-%s", "w")); time.sleep(60)\''
    return WorkerPool([["sh", "-c", f"{part % 'a'} | {part % 'b'}; true"]], {}, tmp_path / "logs")


def pids(folder: Path) -> list[int]:
    return [int(text) for file in folder.glob("pid-*") if (text := file.read_text().strip())]


def lives(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"


def until(what: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not what() and time.monotonic() < deadline:
        time.sleep(0.01)
    return what()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="asks /proc whether a process lives")
@pytest.mark.parametrize("killed", [True, False], ids=["killed", "first one ended"])
def test_no_process_of_a_command_outlives_it(pipeline: WorkerPool, tmp_path: Path, killed: bool) -> None:
    with pipeline:
        worker = pipeline.workers[0]
        worker.start()
        assert until(lambda: len(pids(tmp_path)) == 2)
        if killed:
            worker.kill()
        else:
            os.kill(int((worker.folder / "pid").read_text()), signal.SIGKILL)
            assert until(lambda: worker.reap() is not None or not worker.alive)
        assert until(lambda: not any(map(lives, pids(tmp_path))))


# ── the pace ──


def test_pace_makes_twenty_faults_a_minute() -> None:
    """The brisk pace makes twenty faults a minute and a long pause outlasts what it has to."""
    brisk = faults.BRISK
    assert 60 / (sum(brisk.gap) / 2 + brisk.session_ms / 1000) >= 20
    for pace in (faults.BRISK, faults.THOROUGH, faults.FOREIGN):
        assert min(pace.holds[FaultKind.PAUSE_LONG]) * 1000 > max(pace.session_ms, pace.transaction_ms)
        assert max(pace.holds[FaultKind.PAUSE_SHORT]) * 1000 < pace.session_ms
        assert set(pace.holds) == set(FaultKind)


# ── the live view ──


def test_view_shows_records_lag_and_faults() -> None:
    """The view shows records lag and the faults on a time line."""
    console = Console(file=StringIO(), width=80, force_terminal=True, color_system=None)
    view = View(Setup(EXACTLY_ONCE), console)
    injected = [
        InjectedFault(10.0, FaultKind.KILL, while_flowing=True),
        InjectedFault(30.0, FaultKind.PAUSE_LONG, while_flowing=False),
    ]
    with view:
        view.show(Progress("faults", 31.0, 1_500, 1_400, injected))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "1,500 fed, 1,400 out, lag 100" in shown
    line = next(line for line in shown.splitlines() if "faults" in line and "─" in line)
    assert line.index("K") < line.index("P")
    assert "K kill 1" in shown
    assert "P pause 1" in shown


@pytest.mark.parametrize(
    ("terminal", "quiet", "verbose", "live"),
    [(True, False, False, True), (False, False, False, False), (True, True, False, False), (True, False, True, False)],
)
def test_only_a_terminal_has_the_live_view(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, quiet: bool, verbose: bool, live: bool
) -> None:
    stderr = StringIO()
    monkeypatch.setattr("sys.stderr", stderr)
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    told: list[str] = []
    with verify_run.live(Setup(EXACTLY_ONCE), told.append, live_view, quiet=quiet, verbose=verbose) as (show, tell):
        show(Progress("faults", 1.0, 5, 4, []))
        tell("a fault")
    assert ("lag" in stderr.getvalue()) == live
    assert (told == ["a fault"]) == verbose


def test_the_view_has_a_mark_for_every_kind_of_fault() -> None:
    assert set(MARKS) == set(faults.WORDS)


# ── the cost ──


def test_throughput_is_what_came_after_the_first_arrival() -> None:
    assert cost.rate([(10.0, 500), (11.0, 300), (12.0, 300)]) == 300


def test_percentiles_are_those_of_the_nearest_rank() -> None:
    assert cost.percentile(range(100), 50) == 50
    assert cost.percentile(range(100), 99) == 99
    assert cost.percentile([7.0], 99) == 7.0


def test_cost_is_a_table_and_a_chart() -> None:
    """The cost is a table and a chart whose bars are in proportion."""
    costs = [cost.Cost("at-most-once", 9, 50_000, 10, 20), cost.Cost("exactly-once", 9, 100_000, 500, 1_000)]
    text = cost.text(costs)
    assert text.splitlines()[:3] == [
        "              records/s     p50       p99",
        "at-most-once     50,000   10 ms     20 ms",
        "exactly-once    100,000  500 ms  1,000 ms",
    ]
    bars = [line.count("█") for line in text.splitlines() if "█" in line]
    assert bars == [20, 40, 1, 40]
