"""`--crash-at`: each step of each guarantee in each command is killed and started again, as the crash table says."""

from __future__ import annotations

import os
import secrets
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from kdg.core.crash.table import crash_table
from kdg.core.crash.world import SHAPES
from kdg.core.guarantees import AT_LEAST_ONCE, EXACTLY_ONCE, GUARANTEES, Guarantee, Step
from tests.support.kafka import Kafka
from tests.support.processes import KDG, QUICK_GROUP, QUICK_TRANSACTION, lines, text

SENT = lines(12)
BATCH = ("--batch-records", "3")


@dataclass(frozen=True, slots=True)
class Result:
    """How many records were lost, and how many were duplicated, by a crash at one step."""

    step: Step
    crashed: bool
    lost: int
    doubled: int


@dataclass(frozen=True, slots=True)
class Case:
    """One command under one guarantee, with its own topics. run: the command, with more options. seen: its output."""

    run: Callable[..., int]
    seen: Callable[[], list[bytes | None]]
    again: Callable[[], bool]
    """Whether the input is given again after the crash, as the guarantee and the advice of `explain` say."""


MakeCase = Callable[[Kafka, Guarantee, Path], Case]


def _produce(kafka: Kafka, row: Guarantee, folder: Path) -> Case:
    topic = kafka.topic()

    quick = QUICK_TRANSACTION if row.transactional else ()

    def run(*more: str) -> int:
        return kafka.kdg("produce", topic, "-g", row.name, *quick, *more, input=text(SENT)).code

    def again() -> bool:
        # An input without a position: at-most-once never reads it again, at-least-once always does, exactly-once does
        # after a look at the topic.
        return row.reads_again and not (row.transactional and kafka.settled_values(topic) == SENT)

    return Case(run, lambda: kafka.settled_values(topic), again)


def _resume(kafka: Kafka, row: Guarantee, folder: Path) -> Case:
    topic, name = kafka.topic(), secrets.token_hex(5)

    def run(*more: str) -> int:
        return kafka.kdg("produce", topic, "-g", row.name, "--resume", name, *BATCH, *more, input=text(SENT)).code

    return Case(run, lambda: kafka.settled_values(topic), lambda: True)


def _consume(kafka: Kafka, row: Guarantee, folder: Path) -> Case:
    topic, group = kafka.filled(SENT), secrets.token_hex(5)
    printed = folder / group
    shell = ("/bin/sh", "-c", 'exec "$0" "$@" >>"$FILE"')

    def run(*more: str) -> int:
        args = ["consume", topic, "-g", row.name, "-G", group, "-e", *BATCH, *QUICK_GROUP, *more]
        return kafka.kdg(*args, argv=(*shell, KDG), env={"FILE": str(printed)}).code

    return Case(run, lambda: list(printed.read_bytes().split(b"\n")[:-1]), lambda: True)


def _sink(*args: str, cmd: Sequence[str] = (), found: Callable[[Path], list[bytes]]) -> MakeCase:
    """`consume` into a new file; {} in args and cmd is replaced by its path."""

    def case(kafka: Kafka, row: Guarantee, folder: Path) -> Case:
        topic, group = kafka.filled(SENT), secrets.token_hex(5)
        place = folder / group
        to, command = ([word.format(place) for word in words] for words in (args, cmd))

        def run(*more: str) -> int:
            # Under exactly-once the sink has the positions, and the group shows them.
            at = ("-G", group, *QUICK_GROUP) if not row.transactional else ()
            return kafka.kdg("consume", topic, "-g", row.name, "-e", *at, *BATCH, *to, *more, *command).code

        return Case(run, lambda: list(found(place)), lambda: True)

    return case


def _lines_of(file: Path) -> list[bytes]:
    return file.read_bytes().split(b"\n")[:-1] if file.exists() else []


def _rows_of(file: Path) -> list[bytes]:
    with closing(sqlite3.connect(file)) as connection:
        return [row[0] for row in connection.execute("SELECT value FROM records ORDER BY rowid")]


def _pipe(kafka: Kafka, row: Guarantee, folder: Path) -> Case:
    source, target, group = kafka.filled(SENT), kafka.topic(), secrets.token_hex(5)
    quick = (*QUICK_GROUP, *QUICK_TRANSACTION) if row.transactional else QUICK_GROUP

    def run(*more: str) -> int:
        return kafka.kdg("pipe", source, target, "-g", row.name, "-G", group, "-e", *BATCH, *quick, *more).code

    return Case(run, lambda: kafka.settled_values(target), lambda: True)


CASES: dict[str, MakeCase] = {
    "produce": _produce,
    "produce --resume": _resume,
    "consume": _consume,
    "consume --output": _sink("--output", "{}", found=_lines_of),
    "consume --sqlite": _sink("--sqlite", "{}", found=_rows_of),
    "consume --dedup-store --sqlite": _sink("--sqlite", "{}", "--dedup-by", "value", found=_rows_of),
    "consume -- CMD": _sink(cmd=("--", "sh", "-c", 'cat >>"$0"', "{}"), found=_lines_of),
    "pipe": _pipe,
}
SINKS = {
    "consume --output": EXACTLY_ONCE,
    "consume --sqlite": None,
    "consume --dedup-store --sqlite": AT_LEAST_ONCE,
    "consume -- CMD": AT_LEAST_ONCE,
}
"""The steps at which a sink is tried each time: those where it differs from a file. test_sinks.py tries the rest."""
EVERY_SINK = "KDG_EVERY_SINK" in os.environ
"""The long form: each sink under each guarantee."""
PAIRS = [
    (row, name)
    for row in GUARANTEES
    for name in CASES
    if SHAPES[name].serves(row) and (EVERY_SINK or name not in SINKS or SINKS[name] is row)
]
IDS = [f"{row.name} {name}" for row, name in PAIRS]


def crash(kafka: Kafka, row: Guarantee, name: str, folder: Path, step: Step) -> Result:
    case = CASES[name](kafka, row, folder)
    # Where there is only one interval, its steps come once; elsewhere the second time has something settled before it.
    once = name == "produce" or step in row.end
    code = case.run("--crash-at", step.value if once else f"{step.value}:2")
    if case.again():
        assert case.run() == 0
    wanted, found = Counter[bytes | None](SENT), Counter(case.seen())
    assert not found.keys() - wanted.keys()
    return Result(step, code == -signal.SIGKILL, (wanted - found).total(), (found - wanted).total())


Crashes = Callable[[Guarantee, str], list[Result]]


@pytest.fixture(scope="session")
def crashes(kafka: Kafka, tmp_path_factory: pytest.TempPathFactory) -> Crashes:
    """The damage of a crash at each step of a command. Each crash is done once in the test run."""
    known: dict[tuple[str, str], list[Result]] = {}

    def results(row: Guarantee, name: str) -> list[Result]:
        folder = tmp_path_factory.mktemp("crash")
        if (row.name, name) not in known:
            with ThreadPoolExecutor(4) as pool:
                found = pool.map(lambda step: crash(kafka, row, name, folder, step), row.steps)
                known[row.name, name] = list(found)
        return known[row.name, name]

    return results


@pytest.mark.parametrize(("row", "name"), PAIRS, ids=IDS)
def test_crash_at_each_step_keeps_the_promise(crashes: Crashes, row: Guarantee, name: str) -> None:
    """A crash at any step loses and duplicates no more than the guarantee and its crash table say."""
    table = {place.step: place for place in crash_table(row, name) if place.moment == "after"}
    for result in crashes(row, name):
        assert result.crashed, f"{result} did not crash"
        assert not result.lost or row.may_lose, result
        assert not result.doubled or row.may_duplicate, result
        if result.step in table:
            assert not result.lost or table[result.step].may_lose, (result, table[result.step])
            assert not result.doubled or table[result.step].may_duplicate, (result, table[result.step])


@pytest.mark.parametrize("row", GUARANTEES, ids=[row.name for row in GUARANTEES])
def test_allowed_damage_does_happen(crashes: Crashes, row: Guarantee) -> None:
    """If a guarantee allows loss or duplicates, a crash at some step causes them."""
    results = [result for other, name in PAIRS if other is row for result in crashes(row, name)]
    assert any(result.lost for result in results) == row.may_lose
    assert any(result.doubled for result in results) == row.may_duplicate


@pytest.mark.parametrize("name", ["consume", "pipe"])
def test_at_most_once_loses_what_was_committed_first(crashes: Crashes, name: str) -> None:
    """At-most-once loses the records that were committed and not yet written."""
    lost = {result.step: result.lost for result in crashes(GUARANTEES[0], name)}
    # A pipe may besides lose the batch before it, which the client's queue still held.
    assert lost[Step.COMMIT] in ({3} if name == "consume" else {3, 6})


@pytest.mark.parametrize("name", ["consume", "pipe"])
def test_at_least_once_duplicates_what_was_written_first(crashes: Crashes, name: str) -> None:
    """At-least-once duplicates the records that were written and not yet committed."""
    doubled = {result.step: result.doubled for result in crashes(GUARANTEES[1], name)}
    assert doubled[Step.FLUSH] == 3
    assert doubled[Step.READ] == 0
