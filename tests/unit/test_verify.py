"""A fault run without Kafka: the counting, the plan of faults, the pace, and the results."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, EXACTLY_ONCE, GUARANTEES, Guarantee
from kdg.verify import faults
from kdg.verify.counting import Tally, aborted_seen, allowed, breaches, name_wrong, tallies, tally, total
from kdg.verify.faults import FaultKind
from kdg.verify.result import Result, WorkerExit, table

numbers = st.lists(st.integers(0, 50), unique=True).map(sorted)


# ── counting ──


@given(numbers)
def test_an_output_equal_to_the_input_has_nothing_wrong(sent: list[int]) -> None:
    assert tally(sent, sent) == Tally(records=len(sent))


@given(numbers, st.data())
def test_records_that_are_removed_are_lost(sent: list[int], data: st.DataObject) -> None:
    gone = data.draw(st.sets(st.sampled_from(sent))) if sent else set()
    assert tally(sent, [n for n in sent if n not in gone]) == Tally(records=len(sent), lost=len(gone))


@given(numbers, st.data())
def test_repeated_records_are_duplicated(sent: list[int], data: st.DataObject) -> None:
    """Records that are written a second time are duplicated, and not out of order."""
    first, last = sorted((data.draw(st.integers(0, len(sent))), data.draw(st.integers(0, len(sent)))))
    seen = sent[:last] + sent[first:]
    assert tally(sent, seen) == Tally(records=len(sent), duplicated=last - first)


def test_a_record_after_a_later_one_is_out_of_order() -> None:
    assert tally([1, 2, 3, 4], [1, 3, 2, 4]).out_of_order == 1
    assert tally([1, 2, 3, 4], [4, 1, 2, 3]).out_of_order == 3


def test_a_record_that_nobody_sent_is_foreign() -> None:
    assert tally([1, 2], [1, 7, 2, 7]) == Tally(records=2, foreign=2)


def test_a_record_twice_in_the_source_may_come_twice() -> None:
    assert tally([1, 1, 2], [1, 1, 2]).duplicated == 0
    assert tally([1, 1, 2], [1, 1, 1, 2]).duplicated == 1


def test_missing_record_of_any_partition_is_lost() -> None:
    """All partitions are counted; the records of a partition that is missing in the output are lost."""
    found = tallies({0: [1, 2], 1: [1]}, {0: [[1, 2, 2]]})
    assert found == {0: Tally(records=2, duplicated=1), 1: Tally(records=1, lost=1)}
    assert total(found) == Tally(records=3, lost=1, duplicated=1)


def test_order_is_compared_within_an_output_partition() -> None:
    assert tally([1, 2, 3, 4], [1, 3], [2, 4]) == Tally(records=4)
    assert tally([1, 2, 3, 4], [3, 1], [2, 4]) == Tally(records=4, out_of_order=1)
    assert tally([1, 2], [1, 2], [2]) == Tally(records=2, duplicated=1)


def test_repetition_in_another_partition_is_a_duplicate() -> None:
    """A repetition in another partition is a duplicate, and not out of order."""
    assert tally([1, 2, 3, 4], [1, 4], [2, 3, 1]) == Tally(records=4, duplicated=1)


def test_record_seen_and_gone_was_aborted() -> None:
    """A record that a reader was shown, and that the topic does not hold at the end, was aborted."""
    live = {(0, 5): b"0:1", (0, 6): b"0:2", (1, 1): b"1:1"}
    assert aborted_seen(live, live) == []
    assert aborted_seen(live, {(0, 5): b"0:1", (0, 6): b"0:9"}) == [(0, 6), (1, 1)]


def test_the_records_that_are_wrong_are_named_as_ranges() -> None:
    named = name_wrong({3: [1, 2, 3, 4, 9]}, {3: [[4], [4]]})
    assert named == {"lost": ["3:1-3", "3:9"], "doubled": ["3:4"]}


# ── what a guarantee allows ──


def test_each_guarantee_allows_what_it_says() -> None:
    assert allowed(EXACTLY_ONCE) == {"records"}
    assert allowed(AT_LEAST_ONCE) == {"records", "duplicated"}
    assert allowed(AT_MOST_ONCE) == {"records", "lost", "out_of_order"}


@pytest.mark.parametrize("guarantee", GUARANTEES, ids=lambda guarantee: guarantee.short)
def test_no_guarantee_allows_aborted_records(guarantee: Guarantee) -> None:
    """No guarantee allows aborted records, foreign records, or a position that goes back."""
    found = Tally(records=9, aborted_seen=1, foreign=2, went_back=3)
    assert breaches(guarantee, found) == ["foreign 2", "aborted seen 1", "went back 3"]


# ── the plan of faults ──


def test_a_seed_determines_the_faults() -> None:
    assert list(islice(faults.plan(7), 50)) == list(islice(faults.plan(7), 50))
    assert list(islice(faults.plan(7), 50)) != list(islice(faults.plan(8), 50))


@given(st.integers())
def test_each_round_has_every_fault(seed: int) -> None:
    """A round has every kind of fault, and every gap leaves the group time to recover."""
    one_round = list(islice(faults.plan(seed), 11))
    assert {fault.kind for fault in one_round} == set(FaultKind)
    assert all(3 <= fault.gap <= 7 and 0 <= fault.victim < 1 for fault in one_round)


def test_only_the_kinds_that_were_asked_for_come() -> None:
    assert {fault.kind for fault in islice(faults.plan(1, [FaultKind.TERM]), 20)} == {FaultKind.TERM}


def test_brokers_of_the_user_are_not_disturbed() -> None:
    """Brokers of the user are not disturbed; a single broker is not killed under transactions."""
    assert faults.possible(faults.ALL, 0, transactional=False) == faults.ON_WORKERS
    assert FaultKind.BROKER_KILL not in faults.possible(faults.ALL, 1, transactional=True)
    assert faults.possible(faults.ALL, 1, transactional=False) == faults.ALL
    assert faults.possible(faults.ALL, 3, transactional=True) == faults.ALL


def test_only_an_absent_broker_explains_an_exit() -> None:
    """Only the absence of a broker explains that a worker ended, and only with some exit codes."""
    assert faults.excused(5, [FaultKind.KILL, FaultKind.BROKER_KILL])
    assert not faults.excused(5, [FaultKind.KILL])
    assert not faults.excused(1, [FaultKind.BROKER_PAUSE])
    assert not faults.excused(6, [FaultKind.BROKER_PAUSE])


def test_pace_makes_twenty_faults_a_minute() -> None:
    """The brisk pace makes twenty faults a minute; a long pause outlasts the timeouts, and a short one does not."""
    brisk = faults.BRISK
    assert 60 / (sum(brisk.gap) / 2 + brisk.session_ms / 1000) >= 20
    for pace in (faults.BRISK, faults.THOROUGH, faults.FOREIGN):
        assert min(pace.holds[FaultKind.PAUSE_LONG]) * 1000 > max(pace.session_ms, pace.transaction_ms)
        assert max(pace.holds[FaultKind.PAUSE_SHORT]) * 1000 < pace.session_ms
        assert set(pace.holds) == set(FaultKind)


# ── results ──


def result(tally: Tally, **more: object) -> Result:
    fields: dict[str, object] = {
        "guarantee": EXACTLY_ONCE.name,
        "protocol": "range",
        "brokers": 3,
        "seed": 1,
        "seconds": 60.0,
        "faults": {"kill": 2, "term": 1},
        "while_flowing": 2,
    }
    return Result(partitions={0: tally}, **(fields | more))  # type: ignore[arg-type]  # as named above


def test_unexpected_end_breaks_the_promise() -> None:
    """An unexpected exit, and what is stuck, break the promise too."""
    odd = WorkerExit(2, 1, 12.0, ("kill",), "kdg: a defect", expected=False)
    known = WorkerExit(1, 5, 12.0, ("broker-kill",), "kdg: unknown", expected=True)
    found = result(Tally(records=5), exits=[odd, known], stuck=["a transaction stayed open"])
    assert found.breaches(EXACTLY_ONCE) == ["a transaction stayed open", "worker 2 ended with 1 at 12 s"]
    assert found.unexpected == [odd]


def test_the_table_has_a_row_for_each_run() -> None:
    head, rule, row = table([result(Tally(records=40_000, lost=3))]).splitlines()
    assert head.count("|") == rule.count("|") == row.count("|")
    assert "| 40,000 | 3 (kill 2, term 1) | 2 | 3 | 0 |" in row
