"""The model check: no crash of any command breaks the promise of its guarantee; a broken guarantee is caught."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kdg.core.crash.explore import Fault, Outcome, crash_points, outcomes_of_faults
from kdg.core.crash.table import SENTENCES, crash_table
from kdg.core.crash.world import SHAPES, Shape, steps_of
from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, EXACTLY_ONCE, GUARANTEES, Guarantee, Step
from kdg.core.state import Failure
from tests.mutants import MUTANTS
from tests.mutants.mutant import Caught, Mutant

PAIRS = [(guarantee, shape) for guarantee in GUARANTEES for shape in SHAPES.values() if shape.serves(guarantee)]
IDS = [f"{guarantee.name} {shape.command}" for guarantee, shape in PAIRS]
CHUNKINGS = [(1, 1, 1), (3, 1, 1), (3, 1, 2), (3, 2, 1), (3, 3, 1), (4, 1, 3), (4, 2, 2), (5, 2, 1)]
"""Records in the input, records in a chunk, chunks in an interval."""


def every_outcome(guarantee: Guarantee, shape: Shape, crashes: int = 1) -> Iterator[Outcome]:
    for total, chunk, settle_every in CHUNKINGS:
        if total * crashes > 6:
            continue
        for point in crash_points(guarantee, shape, total, chunk, settle_every, crashes):
            yield from point.outcomes


def broken(guarantee: Guarantee, shape: Shape) -> set[str]:
    """What the guarantee breaks of its promise: "lost", "duplicated", both or nothing."""
    outcomes = list(every_outcome(guarantee, shape))
    lost = {"lost"} if not guarantee.may_lose and any(o.lost for o in outcomes) else set()
    return lost | ({"duplicated"} if not guarantee.may_duplicate and any(o.duplicated for o in outcomes) else set())


@pytest.mark.parametrize(("guarantee", "shape"), PAIRS, ids=IDS)
def test_no_crash_breaks_the_promise(guarantee: Guarantee, shape: Shape) -> None:
    assert broken(guarantee, shape) == set()


@pytest.mark.parametrize(("guarantee", "shape"), PAIRS, ids=IDS)
def test_no_two_crashes_break_the_promise(guarantee: Guarantee, shape: Shape) -> None:
    outcomes = list(every_outcome(guarantee, shape, crashes=2))
    assert guarantee.may_lose or not any(o.lost for o in outcomes)
    assert guarantee.may_duplicate or not any(o.duplicated for o in outcomes)


@pytest.mark.parametrize(("guarantee", "shape"), PAIRS, ids=IDS)
def test_what_may_be_lost_or_duplicated_is_somewhere(guarantee: Guarantee, shape: Shape) -> None:
    """The model does find losses and duplicates where the promise allows them: otherwise the check could not fail."""
    outcomes = list(every_outcome(guarantee, shape))
    assert any(o.lost for o in outcomes) == guarantee.may_lose
    # If marks and records are in one transaction, no crash duplicates a record.
    assert any(o.duplicated for o in outcomes) == (guarantee.may_duplicate and not shape.joined)


EXPLORED = [(mutant, caught) for mutant in MUTANTS.values() for caught in mutant.explored]


@pytest.mark.parametrize(("mutant", "caught"), EXPLORED, ids=[mutant.name for mutant, _caught in EXPLORED])
def test_the_check_catches_a_broken_row(mutant: Mutant, caught: Caught) -> None:
    assert set(caught.shows) <= broken(mutant.row.changed, SHAPES[caught.by])


@pytest.mark.parametrize(("guarantee", "shape"), PAIRS, ids=IDS)
def test_a_single_failure_does_not_break_the_promise(guarantee: Guarantee, shape: Shape) -> None:
    """An action that fails, with or without effect, is undone, tried again, or ends the run: never a silent loss."""
    outcomes = [o for faults in _single_faults() for o in outcomes_of_faults(guarantee, shape, 3, 1, 2, faults)]
    assert guarantee.may_lose or not any(o.lost for o in outcomes)
    assert guarantee.may_duplicate or not any(o.duplicated for o in outcomes)


@pytest.mark.parametrize(("guarantee", "shape"), PAIRS, ids=IDS)
def test_two_failures_do_not_break_the_promise(guarantee: Guarantee, shape: Shape) -> None:
    singles = list(_single_faults())
    pairs = [(*one, *other) for one in singles for other in singles if one[0].number < other[0].number]
    outcomes = {o for faults in pairs for o in outcomes_of_faults(guarantee, shape, 2, 1, 1, faults)}
    assert guarantee.may_lose or not any(o.lost for o in outcomes)
    assert guarantee.may_duplicate or not any(o.duplicated for o in outcomes)


def _single_faults() -> Iterator[tuple[Fault, ...]]:
    for number in range(18):
        yield (Fault(number, Failure.ABORTABLE),)
        yield (Fault(number, Failure.FINAL),)
        yield (Fault(number, Failure.UNKNOWN, took_effect=False),)
        yield (Fault(number, Failure.UNKNOWN, took_effect=True),)


@pytest.mark.parametrize(("guarantee", "shape"), PAIRS, ids=IDS)
def test_the_table_has_a_row_for_each_step_of_the_command(guarantee: Guarantee, shape: Shape) -> None:
    table = crash_table(guarantee, shape.command)
    assert tuple(point.step for point in table if point.moment == "after") == steps_of(guarantee, shape.command)


@pytest.mark.parametrize(("guarantee", "shape"), PAIRS, ids=IDS)
def test_the_table_says_what_the_check_found(guarantee: Guarantee, shape: Shape) -> None:
    """The two batch sizes that the table is made from show everything that the promise allows."""
    table = crash_table(guarantee, shape.command)
    assert any(point.may_lose for point in table) == guarantee.may_lose
    assert any(point.may_duplicate for point in table) == (guarantee.may_duplicate and not shape.joined)


@pytest.mark.parametrize(("guarantee", "shape"), PAIRS, ids=IDS)
def test_each_sentence_is_one_of_the_written_ones(guarantee: Guarantee, shape: Shape) -> None:
    """Fates without a sentence would be shown as a list of fates."""
    for point in crash_table(guarantee, shape.command):
        assert point.sentence.split(" (")[0] in SENTENCES.values()


def sentences(guarantee: Guarantee, command: str) -> dict[str, str]:
    return {f"{point.moment} {point.step}": point.sentence for point in crash_table(guarantee, command)}


def test_exactly_once_aborts_or_commits_as_a_whole() -> None:
    said = sentences(EXACTLY_ONCE, "pipe")
    assert said["after read"] == "nothing happened; the records are read again"
    assert (
        said["after write"] == said["after record-position"] == "the transaction is aborted; the records are read again"
    )
    assert said["in commit-transaction"] == "committed or aborted as a whole; the next start finds out which"


def test_without_a_position_exactly_once_has_to_be_looked_up() -> None:
    assert "look at the topic before a second run" in sentences(EXACTLY_ONCE, "produce")["in commit-transaction"]


def test_at_most_once_loses_what_it_committed() -> None:
    assert sentences(AT_MOST_ONCE, "consume")["after commit"] == "committed but not yet written: lost"


def test_at_least_once_writes_again_what_it_did_not_commit() -> None:
    assert sentences(AT_LEAST_ONCE, "consume")["after write"] == "written but not committed: written again"


def test_dedup_store_shortens_the_window() -> None:
    """A store of marks shortens the time in which a crash can duplicate a record."""
    plain = {p.step for p in crash_table(AT_LEAST_ONCE, "consume") if p.may_duplicate}
    stored = {p.step for p in crash_table(AT_LEAST_ONCE, "consume --dedup-store") if p.may_duplicate}
    assert plain - stored == {Step.MARK, Step.COMMIT}


def test_a_command_that_does_not_exist_has_no_table() -> None:
    assert crash_table(EXACTLY_ONCE, "consume") == ()
    assert crash_table(AT_LEAST_ONCE, "produce --resume") == ()
