"""The verdict on a fault run: held, broken or not shown, as text, JSON and JUnit XML."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, EXACTLY_ONCE, Guarantee
from kdg.verify.counting import Tally
from kdg.verify.result import Result
from kdg.verify.verdict import Verdict

FAULTS = {"kill": 11, "term": 6, "pause-short": 4, "pause-long": 2}


def verdict(*tallies: Tally, guarantee: Guarantee = EXACTLY_ONCE, while_flowing: int = 20, **more: Any) -> Verdict:
    found = Result(
        guarantee=guarantee.name,
        protocol="range",
        brokers=1,
        seed=7,
        seconds=61.0,
        partitions=dict(enumerate(tallies)),
        faults=FAULTS,
        while_flowing=while_flowing,
        **more,
    )
    return Verdict(guarantee, found, seconds=60.0)


CLEAN = Tally(records=24_060)


# ── the verdict ──


def test_a_run_in_which_nothing_went_wrong_held() -> None:
    found = verdict(CLEAN, CLEAN, CLEAN, CLEAN)
    assert found.error is None
    assert found.text().splitlines()[-2:] == [
        "faults 23 (kill 11, term 6, pause 6), 4 partitions, 96,240 records",
        "lost 0   doubled 0   out of order 0   aborted seen 0          exactly-once held",
    ]


def test_the_table_has_a_line_for_each_partition() -> None:
    head, *rows = verdict(CLEAN, replace(CLEAN, lost=1_234)).text().splitlines()[:-2]
    assert head.split() == ["partition", "records", "lost", "doubled", "out", "of", "order", "aborted", "seen"]
    assert [row.split() for row in rows] == [
        ["0", "24,060", "0", "0", "0", "0"],
        ["1", "24,060", "1,234", "0", "0", "0"],
    ]


@pytest.mark.parametrize(
    ("guarantee", "wrong"),
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
def test_a_breach_of_the_promise_is_exit_10(guarantee: Guarantee, wrong: Tally) -> None:
    """A count that the guarantee does not allow breaks the promise, with exit 10."""
    error = verdict(CLEAN + wrong, guarantee=guarantee).error
    assert error is not None
    assert error.exit_code == 10
    assert f"{guarantee.name} is broken" in str(error)
    assert " 1" in str(error)


@pytest.mark.parametrize(
    ("guarantee", "allowed"), [(AT_LEAST_ONCE, Tally(duplicated=9)), (AT_MOST_ONCE, Tally(lost=9))]
)
def test_an_allowed_count_breaks_nothing(guarantee: Guarantee, allowed: Tally) -> None:
    assert verdict(CLEAN + allowed, guarantee=guarantee).error is None


def test_wrong_records_are_named() -> None:
    """Wrong records are named if they break the promise."""
    named = {"lost": ["0:3-5"], "doubled": ["1:7"]}
    error = verdict(CLEAN + Tally(lost=3, duplicated=1), guarantee=AT_LEAST_ONCE, wrong=named).error
    assert error is not None
    assert "lost 0:3-5" in error.hint
    assert "1:7" not in error.hint


@pytest.mark.parametrize("while_flowing", [0, 5, 13])
def test_faults_while_nothing_flows_show_nothing(while_flowing: int) -> None:
    found = verdict(CLEAN, while_flowing=while_flowing)
    assert found.error is not None
    assert found.error.exit_code == 10
    assert f"only {while_flowing} of 23 faults" in str(found.error)
    assert found.text().rstrip().endswith("exactly-once not shown")
    assert found.as_json()["outcome"] == "not-met"


def test_too_few_faults_for_the_time_show_nothing() -> None:
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
    """If the guarantee held, JUnit has a test case for each check, and all pass."""
    found = suite(verdict(CLEAN))
    names = [case.get("name") for case in found.iter("testcase")]
    assert "no record lost" in names
    assert "no record doubled" in names
    assert found.get("tests") == str(len(names))
    assert found.get("failures") == "0"
    assert list(found.iter("failure")) == []


def test_junit_fails_what_broke() -> None:
    """JUnit fails the check that broke, and has no test case for a count that is allowed."""
    found = suite(verdict(CLEAN + Tally(lost=3, duplicated=2), guarantee=AT_LEAST_ONCE, wrong={"lost": ["0:<&>"]}))
    cases = {case.get("name"): case.find("failure") for case in found.iter("testcase")}
    assert "no record doubled" not in cases
    failed = {name: failure.get("message") for name, failure in cases.items() if failure is not None}
    assert failed == {"no record lost": "lost 3"}
    assert found.get("failures") == "1"


def test_junit_fails_without_proof() -> None:
    """JUnit fails if something is stuck, or if too few faults hit."""
    found = suite(verdict(CLEAN, while_flowing=1, stuck=["a transaction stayed open"]))
    failed = [case.get("name") for case in found.iter("testcase") if case.find("failure") is not None]
    assert failed == ["all is settled in the end", "faults hit while records flowed"]
