"""Owns what is applied like a mutant, but takes out no protection: a failure that a test needs, and tries of the judge.

The judge is tried on the test in this file (tests/unit/test_mutants.py). pytest does not collect the test by itself.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

from tests.support.processes import KDG, Run

from .mutant import Caught, Change, Mutant

if TYPE_CHECKING:
    from kdg.kafka.transaction import KafkaTransaction

TEST = "tests/mutants/rehearsal.py::test_a_command_without_a_broker"


def test_a_command_without_a_broker() -> None:
    args = ["consume", "orders", "-g", "alo", "-b", "none", "--dry-run"]
    with Run([KDG, *args], dict(os.environ), subprocess.DEVNULL, None) as run:
        assert b"read_committed" in run.end().out


def _second_commit_fails() -> Iterator[Change]:
    from kdg.core.ports import TryAgain
    from kdg.kafka.transaction import KafkaTransaction

    commit, calls = KafkaTransaction.commit, []

    def not_the_second_time(transaction: KafkaTransaction) -> None:
        calls.append(transaction)
        if len(calls) == 2:
            raise TryAgain("the group went on")
        commit(transaction)

    yield Change(KafkaTransaction, "commit", not_the_second_time)


def _another_output() -> Iterator[Change]:
    from kdg.runs import session

    yield Change(session, "show_settings", lambda _plan: "nothing\n")


def _no_change() -> Iterator[Change]:
    from kdg.runs import session

    yield Change(session, "GIVE_UP_SECONDS", 8.0)


def _crash() -> Iterator[Change]:
    from kdg.runs import session

    def crash(_plan: object) -> NoReturn:
        raise TypeError("a replacement that does not fit")

    yield Change(session, "show_settings", crash)


REHEARSALS = (
    Mutant(
        "second-commit-fails",
        "The second commit of a transaction fails, as if the group had gone on.",
        _second_commit_fails,
        applied_by=("tests/broker/test_mutants.py",),
    ),
    Mutant(
        "shows-nothing",
        "A dry run does not show the settings.",
        _another_output,
        test=Caught(TEST, ("read_committed",)),
    ),
    Mutant("changes-nothing", "Nothing that the test looks at.", _no_change, test=Caught(TEST, ("read_committed",))),
    Mutant("crashes", "A dry run ends by a TypeError.", _crash, test=Caught(TEST, ("read_committed",))),
    Mutant("shows-other-words", "As shows-nothing.", _another_output, test=Caught(TEST, ("other words",))),
)
