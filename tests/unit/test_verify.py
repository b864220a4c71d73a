"""What a run is judged by, without Kafka: counting, the plan of faults, the verdict over all runs, the workers as
processes.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, EXACTLY_ONCE, GUARANTEES
from kdg.verify import faults
from kdg.verify.counting import Tally, aborted_seen, allowed, breaches, name_wrong, tallies, tally, total
from kdg.verify.faults import FaultKind
from kdg.verify.result import Result, WorkerExit, table
from kdg.verify.workers import WorkerPool

numbers = st.lists(st.integers(0, 50), unique=True).map(sorted)


# Counting


@given(numbers)
def test_an_output_that_is_the_input_has_nothing_wrong(sent: list[int]) -> None:
    assert tally(sent, sent) == Tally(records=len(sent))


@given(numbers, st.data())
def test_what_is_taken_out_is_lost_and_nothing_else(sent: list[int], data: st.DataObject) -> None:
    gone = data.draw(st.sets(st.sampled_from(sent))) if sent else set()
    assert tally(sent, [n for n in sent if n not in gone]) == Tally(records=len(sent), lost=len(gone))


@given(numbers, st.data())
def test_repeated_stretch_is_a_duplicate(sent: list[int], data: st.DataObject) -> None:
    """A stretch that comes again is duplicated and not out of order."""
    first, last = sorted((data.draw(st.integers(0, len(sent))), data.draw(st.integers(0, len(sent)))))
    seen = sent[:last] + sent[first:]
    assert tally(sent, seen) == Tally(records=len(sent), duplicated=last - first)


def test_a_record_that_comes_after_a_later_one_is_out_of_order() -> None:
    assert tally([1, 2, 3, 4], [1, 3, 2, 4]).out_of_order == 1
    assert tally([1, 2, 3, 4], [4, 1, 2, 3]).out_of_order == 3


def test_a_record_that_nobody_sent_is_foreign() -> None:
    assert tally([1, 2], [1, 7, 2, 7]) == Tally(records=2, foreign=2)


def test_what_the_source_itself_holds_twice_may_come_twice() -> None:
    assert tally([1, 1, 2], [1, 1, 2]).duplicated == 0
    assert tally([1, 1, 2], [1, 1, 1, 2]).duplicated == 1


def test_missing_record_of_any_partition_is_lost() -> None:
    """Partitions are counted together and a missing one is lost."""
    found = tallies({0: [1, 2], 1: [1]}, {0: [[1, 2, 2]]})
    assert found == {0: Tally(records=2, duplicated=1), 1: Tally(records=1, lost=1)}
    assert total(found) == Tally(records=3, lost=1, duplicated=1)


def test_order_is_a_matter_of_one_partition_of_the_output() -> None:
    assert tally([1, 2, 3, 4], [1, 3], [2, 4]) == Tally(records=4)
    assert tally([1, 2, 3, 4], [3, 1], [2, 4]) == Tally(records=4, out_of_order=1)
    assert tally([1, 2], [1, 2], [2]) == Tally(records=2, duplicated=1)


def test_repetition_in_another_partition_is_a_duplicate() -> None:
    """A repetition in another partition is duplicated and not out of order."""
    assert tally([1, 2, 3, 4], [1, 4], [2, 3, 1]) == Tally(records=4, duplicated=1)


def test_record_seen_and_gone_was_aborted() -> None:
    """A record that was shown and is not there in the end was aborted."""
    live = {(0, 5): b"0:1", (0, 6): b"0:2", (1, 1): b"1:1"}
    assert aborted_seen(live, live) == []
    assert aborted_seen(live, {(0, 5): b"0:1", (0, 6): b"0:9"}) == [(0, 6), (1, 1)]


def test_the_records_that_are_wrong_are_named_as_ranges() -> None:
    named = name_wrong({3: [1, 2, 3, 4, 9]}, {3: [[4], [4]]})
    assert named == {"lost": ["3:1-3", "3:9"], "doubled": ["3:4"]}


# What the rows allow


def test_each_row_allows_what_it_says_and_exactly_once_nothing() -> None:
    assert allowed(EXACTLY_ONCE) == {"records"}
    assert allowed(AT_LEAST_ONCE) == {"records", "duplicated"}
    assert allowed(AT_MOST_ONCE) == {"records", "lost", "out_of_order"}


@pytest.mark.parametrize("row", GUARANTEES, ids=lambda row: row.short)
def test_no_guarantee_allows_aborted_records(row: object) -> None:
    """No row allows aborted or foreign records or a position that goes back."""
    assert row in GUARANTEES
    found = Tally(records=9, aborted_seen=1, foreign=2, went_back=3)
    assert all(breaches(each, found) == ["foreign 2", "aborted seen 1", "went back 3"] for each in GUARANTEES)


# The plan of faults


def test_a_seed_determines_the_faults() -> None:
    assert list(islice(faults.plan(7), 50)) == list(islice(faults.plan(7), 50))
    assert list(islice(faults.plan(7), 50)) != list(islice(faults.plan(8), 50))


@given(st.integers())
def test_each_round_has_every_fault(seed: int) -> None:
    """A round has every kind and every gap leaves the group time."""
    one_round = list(islice(faults.plan(seed), 11))
    assert {fault.kind for fault in one_round} == set(FaultKind)
    assert all(3 <= fault.gap <= 7 and 0 <= fault.victim < 1 for fault in one_round)


def test_only_the_kinds_that_were_asked_for_come() -> None:
    assert {fault.kind for fault in islice(faults.plan(1, [FaultKind.TERM]), 20)} == {FaultKind.TERM}


def test_foreign_brokers_are_left_alone() -> None:
    """Brokers that are not ours are left alone and a lone one is not killed under transactions."""
    assert faults.possible(faults.ALL, 0, transactional=False) == faults.ON_WORKERS
    assert FaultKind.BROKER_KILL not in faults.possible(faults.ALL, 1, transactional=True)
    assert faults.possible(faults.ALL, 1, transactional=False) == faults.ALL
    assert faults.possible(faults.ALL, 3, transactional=True) == faults.ALL


def test_only_a_brokers_absence_excuses_an_end_and_not_every_one() -> None:
    assert faults.excused(5, [FaultKind.KILL, FaultKind.BROKER_KILL])
    assert not faults.excused(5, [FaultKind.KILL])
    assert not faults.excused(1, [FaultKind.BROKER_PAUSE])
    assert not faults.excused(6, [FaultKind.BROKER_PAUSE])


# Results


def result(tally: Tally, **more: object) -> Result:
    fields: dict[str, object] = {
        "guarantee": EXACTLY_ONCE.name, "protocol": "range", "brokers": 3, "seed": 1, "seconds": 60.0,
        "faults": {"kill": 2, "term": 1}, "while_flowing": 2,
    }  # fmt: skip
    return Result(partitions={0: tally}, **(fields | more))  # type: ignore[arg-type]  # as named above


def test_unexpected_end_breaks_the_promise() -> None:
    """An unexpected end and what got stuck break the promise too."""
    odd = WorkerExit(2, 1, 12.0, ("kill",), "kdg: a defect", expected=False)
    known = WorkerExit(1, 5, 12.0, ("broker-kill",), "kdg: unknown", expected=True)
    found = result(Tally(records=5), exits=[odd, known], stuck=["a transaction stayed open"])
    assert found.breaches(EXACTLY_ONCE) == ["a transaction stayed open", "worker 2 ended with 1 at 12 s"]
    assert found.unexpected == [odd]


def test_the_table_has_a_row_for_each_run() -> None:
    head, rule, row = table([result(Tally(records=40_000, lost=3))]).splitlines()
    assert head.count("|") == rule.count("|") == row.count("|")
    assert "| 40,000 | 3 (kill 2, term 1) | 2 | 3 | 0 |" in row


# Workers


@pytest.fixture
def pool(tmp_path: Path) -> WorkerPool:
    script = "import sys, time; print('hello', file=sys.stderr, flush=True); time.sleep(60)"
    return WorkerPool([[sys.executable, "-S", "-c", script]] * 2, {}, tmp_path / "logs")


def until(what: object, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not what() and time.monotonic() < deadline:  # type: ignore[operator]
        time.sleep(0.01)
    return bool(what())  # type: ignore[operator]


def test_killed_worker_starts_again(pool: WorkerPool) -> None:
    """A worker is killed and started again and its stderr is kept."""
    with pool:
        worker = pool.workers[0]
        for _ in range(2):
            worker.start()
            assert until(lambda: "hello" in worker.last_words())
            assert worker.kill() == -signal.SIGKILL
        assert not worker.alive
        assert worker.log.read_text() == "== start 1\nhello\n== start 2\nhello\n"


def test_frozen_worker_is_not_at_work(pool: WorkerPool) -> None:
    """A frozen worker is not at work and its end is reported once."""
    with pool:
        worker = pool.workers[1]
        worker.start()
        worker.pause()
        assert worker.alive
        assert not worker.at_work
        assert worker.reap() is None
        worker.resume()
        worker.send(signal.SIGTERM)
        assert worker.reap(10.0) == -signal.SIGTERM
        assert worker.reap() is None


def test_the_reaper_knows_a_worker_that_was_frozen_at_once(pool: WorkerPool) -> None:
    with pool:
        worker = pool.workers[0]
        for _ in range(20):
            worker.start()
            worker.pause()
            assert os.getsid(int((worker.folder / "pid").read_text())) != os.getsid(0)
            worker.kill()


def test_nothing_runs_and_nothing_lies_about_after_the_crew(pool: WorkerPool) -> None:
    with pool:
        for worker in pool.workers:
            worker.start()
        pool.workers[0].pause()
        folder = pool.workers[0].folder.parent
    assert not any(worker.alive for worker in pool.workers)
    assert not folder.exists()
