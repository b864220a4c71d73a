"""What a guarantee requires of a topic and of the transaction log: one decision, whoever asks."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from kdg.core.guarantees import EXACTLY_ONCE, GUARANTEES, Guarantee
from kdg.core.requirement import IN_SYNC, REPLICAS, Log, Requirement
from kdg.explain import explain
from kdg.explain.facts import FACTS
from kdg.settings.requirements import LogFacts, holds, shortfalls, strictest, unmet, weaknesses

STRONG = LogFacts("t", 3, 2, in_sync=3)


@pytest.mark.parametrize(
    ("log", "named"),
    [
        (LogFacts("t", 1, 1), "replication factor 1"),
        (LogFacts("t", 2, 2), "replication factor 2"),
        (LogFacts("t", 3, 1), "min.insync.replicas=1"),
        (LogFacts("t", 3, 2, unclean_election=True), "unclean.leader.election.enable=true"),
        (LogFacts("t", None, None, None), "unknown"),
    ],
)
def test_a_weak_topic_carries_no_guarantee_against_loss(log: LogFacts, named: str) -> None:
    assert [holds(log, row) for row in GUARANTEES] == [not row.needs_durable_cluster for row in GUARANTEES]
    assert any(named in weakness.setting for weakness in weaknesses(log))


def test_strong_topic_carries_all() -> None:
    """A strong topic meets the requirements of all guarantees, and remarks do not change that."""
    remarked = (
        STRONG,
        LogFacts("t", 3, 2, in_sync=2),
        LogFacts("t", 3, 3, in_sync=3),
        LogFacts("t", 3, 2, in_sync=3, compacted=True),
    )
    for log in remarked:
        assert all(holds(log, row) for row in GUARANTEES)
    assert [len(weaknesses(log)) for log in (STRONG, LogFacts("t", 3, 2, in_sync=2, compacted=True))] == [0, 2]


def test_the_transaction_log_counts_for_exactly_once_alone() -> None:
    log = LogFacts("the transaction log", 1, 1, kind=Log.TRANSACTION_LOG)
    assert [holds(log, row) for row in GUARANTEES] == [not row.transactional for row in GUARANTEES]


@pytest.mark.parametrize("guarantee", GUARANTEES, ids=lambda guarantee: guarantee.name)
@pytest.mark.parametrize(
    ("replicas", "in_sync", "unclean"), list(itertools.product([None, 1, 2, 3], [None, 1, 2], [None, True, False]))
)
@pytest.mark.parametrize("kind", Log)
def test_check_and_strict_decide_alike(
    kind: Log, replicas: int | None, in_sync: int | None, unclean: bool | None, guarantee: Guarantee
) -> None:
    """`kdg check`, the warning and `--strict` name the same requirements, whatever the log has."""
    log = LogFacts("log", replicas, in_sync, unclean, kind=kind)
    lacking = unmet(log, guarantee.requires)
    assert holds(log, guarantee) == (not shortfalls([log], guarantee)) == (not lacking)
    named = [weakness.setting for weakness in weaknesses(log) if weakness.counts]
    assert guarantee.transactional is False or len(named) == len(lacking)
    (said,) = shortfalls([log], guarantee) or [""]
    assert all(setting in named for setting in said.removeprefix("log has ").split(", ") if said)


@pytest.mark.parametrize("requirement", EXACTLY_ONCE.requires, ids=lambda requirement: requirement.setting)
def test_each_requirement_counts_by_itself(requirement: Requirement) -> None:
    """A log that is just below one requirement does not hold; at the requirement it does."""
    enough = LogFacts("log", 3, 2, kind=requirement.log)
    below = {
        "replication factor": replace(enough, replicas=2),
        "min.insync.replicas": replace(enough, min_in_sync=1),
        "unclean leader election": replace(enough, unclean_election=True),
    }[requirement.words]
    assert unmet(enough, EXACTLY_ONCE.requires) == []
    assert unmet(below, EXACTLY_ONCE.requires) == [requirement]


@pytest.mark.parametrize("requirement", EXACTLY_ONCE.requires, ids=lambda requirement: requirement.setting)
def test_explain_says_of_a_setting_what_the_table_requires(requirement: Requirement) -> None:
    if requirement.setting in FACTS:
        shown = " ".join(explain([requirement.setting]).split())
        assert requirement.phrase in shown
        assert "yours to choose" not in shown


def test_no_guarantee_requires_more_than_the_strictest_value() -> None:
    """The sandbox is set up with these values."""
    assert (strictest(REPLICAS.setting), strictest(IN_SYNC.setting)) == (3, 2)
    assert all(holds(STRONG, guarantee) for guarantee in GUARANTEES)
