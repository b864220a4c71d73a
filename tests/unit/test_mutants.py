"""The registry of mutants is whole, a replacement fits what it replaces, and a crash does not count as caught."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from types import FunctionType

import pytest

from tests.mutants import MUTANTS, ROOT
from tests.mutants.judge import failure_of, wrong_with
from tests.mutants.mutant import Change, Mutant, Row
from tests.mutants.rehearsal import REHEARSALS
from tests.simulator.history import CASES

EVERY = (*MUTANTS.values(), *REHEARSALS)
each_mutant = pytest.mark.parametrize("mutant", EVERY, ids=lambda mutant: mutant.name)


def test_no_two_mutants_have_one_name() -> None:
    from tests.mutants import calls, groups, records, rows, transactions

    listed = [mutant.name for module in (groups, transactions, records, calls, rows) for mutant in module.MUTANTS]
    assert sorted({*listed, *(mutant.name for mutant in REHEARSALS)}) == sorted(mutant.name for mutant in EVERY)
    assert len(listed) == len(set(listed))


@each_mutant
def test_something_catches_the_mutant(mutant: Mutant) -> None:
    assert mutant.test or mutant.simulated or mutant.explored or mutant.applied_by
    caught = [each for each in (mutant.test, *mutant.simulated, *mutant.explored) if each is not None]
    assert all(each.shows and all(each.shows) for each in caught)


@each_mutant
def test_what_catches_the_mutant_exists(mutant: Mutant) -> None:
    if mutant.test is not None:
        file, _, name = mutant.test.by.partition("::")
        assert re.search(rf"^def {name.partition('[')[0]}\(", (ROOT / file).read_text(), re.MULTILINE)
    for file in mutant.applied_by:
        assert f'"{mutant.name}"' in (ROOT / file).read_text()
    assert {caught.by for caught in mutant.simulated} <= set(CASES)


@each_mutant
def test_the_sentence_says_what_kdg_does_without_it(mutant: Mutant) -> None:
    assert re.fullmatch(r"[A-Z-].{12,}\.", mutant.takes_out)


def changes_of(mutant: Mutant) -> list[Change]:
    return list(mutant.changes())


@each_mutant
def test_a_mutant_replaces_something_that_exists(mutant: Mutant) -> None:
    """If a protection moves, its mutant has to follow: otherwise the mutant would take out nothing."""
    changes = changes_of(mutant)
    assert changes
    assert [change for change in changes if change.original is change.replacement] == []


@each_mutant
def test_a_replacement_takes_the_same_arguments(mutant: Mutant) -> None:
    """A replacement that lacks a parameter would raise a TypeError, and the test would fail for the wrong reason."""
    for change in changes_of(mutant):
        if isinstance(change.original, FunctionType):
            required, everything = calls_of(change.original)
            for positional, named in (required, everything):
                inspect.signature(change.replacement).bind(*positional, **named)


Arguments = tuple[list[str], dict[str, str]]


def calls_of(function: FunctionType) -> tuple[Arguments, Arguments]:
    """The arguments of a call with the required parameters only, and of a call with all of them."""
    required: Arguments = ([], {})
    everything: Arguments = ([], {})
    for parameter in inspect.signature(function).parameters.values():
        calls = [everything] if parameter.default is not parameter.empty else [required, everything]
        for positional, named in calls:
            if parameter.kind is parameter.KEYWORD_ONLY:
                named[parameter.name] = ""
            elif parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
                positional.append("")
    return required, everything


@each_mutant
def test_a_with_undoes_the_change(mutant: Mutant) -> None:
    before = [change.original for change in changes_of(mutant)]
    with mutant.applied():
        assert all(a is not b for a, b in zip(before, [c.original for c in changes_of(mutant)], strict=True))
    assert all(a is b for a, b in zip(before, [c.original for c in changes_of(mutant)], strict=True))


def test_every_mutant_can_be_applied_in_a_process() -> None:
    """In a process of its own, because nothing undoes the change there."""
    script = "from tests.mutants import MUTANTS\nfor mutant in MUTANTS.values(): mutant.apply()"
    names = [name for name, mutant in MUTANTS.items() if not isinstance(mutant.changes, Row)]
    script = f"import json\nfrom tests.mutants import MUTANTS\nfor name in {json.dumps(names)}: MUTANTS[name].apply()"
    subprocess.run([sys.executable, "-W", "error", "-c", script], cwd=ROOT, check=True)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("shows-nothing", ""),
        ("changes-nothing", "the test passes"),
        ("crashes", "kdg crashes: .*TypeError: a replacement that does not fit.*"),
        ("shows-other-words", "the failure shows none of 'other words': .*"),
    ],
)
def test_only_an_assertion_with_the_right_words_counts(name: str, wrong: str) -> None:
    """A mutant that crashes is not caught for the right reason, and neither is one that fails with other words."""
    mutant = next(mutant for mutant in REHEARSALS if mutant.name == name)
    assert re.fullmatch(wrong, wrong_with(mutant, failure_of(mutant)))
