"""Owns the running of `kdg verify`: on a cluster of its own or on the user's, watched live on a terminal, and what it answers."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kdg.core.guarantees import GUARANTEES
from kdg.errors import Interrupted, KdgError
from kdg.runs.plan import Plan
from kdg.runs.report import print_error, write_file
from kdg.runtime.signals import Signals

if TYPE_CHECKING:
    from kdg.sandbox import Broker
    from kdg.verify.progress import Progress
    from kdg.verify.setup import Names, Setup

COST_RECORDS = 200_000
WARM_UP = 50_000

Note = Callable[[str], None]
LiveView = Callable[["Setup"], AbstractContextManager[Callable[["Progress"], None]]]
"""Opens the live view of a run; inside `with`, the function that it gives takes the latest progress. The CLI hands it in."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where it runs: brokers to start, or None for the cluster of -b."""

    plan: Plan
    start: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came out: for stdout, --report and --junit, and how it ends."""

    text: str
    report: Mapping[str, Any]
    junit: str = ""
    error: KdgError | None = None


def answer(job: Callable[[Signals], Answer], report: str | None, junit: str | None) -> int:
    """Do it, and say what came out: the answer on stdout, the files, the error. The exit code; 128 + N for a signal."""
    with Signals() as signals:
        try:
            found = job(signals)
        except Interrupted as error:
            return error.exit_code
        except KdgError as error:
            print_error(error)
            return error.exit_code
    sys.stdout.write(found.text)
    sys.stdout.flush()
    if report:
        write_file(report, json.dumps(found.report) + "\n")
    if junit:
        write_file(junit, found.junit, "--junit")
    if found.error is None:
        return 0
    print_error(found.error)
    return found.error.exit_code


def verify(setup: Setup, cluster: Cluster, signals: Signals, view: LiveView, *, verbose: bool) -> Answer:
    """One run under faults, held against its row. Raises KdgError, Interrupted."""
    from kdg.verify import engine
    from kdg.verify.setup import Names
    from kdg.verify.verdict import Verdict

    names, note = Names.new(), cluster.plan.note
    if cluster.start is None:
        note(_what_it_makes(setup, names, cluster.plan.brokers))
    with _running(cluster, setup) as (bootstrap, brokers), live(setup, note, view, quiet=cluster.plan.quiet, verbose=verbose) as (show, tell):  # fmt: skip
        result = engine.run(setup, bootstrap, brokers, tell, names=names, watch=show, signals=signals)
    verdict = Verdict(setup.row, result, setup.command, setup.seconds)
    return Answer(verdict.text(), verdict.as_json(), verdict.as_junit(), verdict.error)


def measure(setup: Setup, cluster: Cluster, signals: Signals) -> Answer:
    """The cost of the three guarantees. Raises KdgError, Interrupted."""
    from kdg.verify import cost

    note, records = cluster.plan.note, setup.records or COST_RECORDS
    if cluster.start is None:
        note(f"on {cluster.plan.brokers} this makes, for each measurement, two topics and a group that begin with kdg-verify-, pipes {records:,} records, and removes all of it")  # fmt: skip
    found = []
    with _running(cluster, setup) as (bootstrap, brokers):
        measuring = cost.Measuring(bootstrap, records, setup.seconds, bool(brokers), setup.where, setup.extra, signals)
        replace(measuring, records=min(records, WARM_UP), seconds=1.0).measure(
            GUARANTEES[0]
        )  # or the first pays for a cold broker
        for row in GUARANTEES:
            note(f"measuring {row.name}: {records:,} records of 100 bytes, then {setup.seconds:g} s of a trickle")
            found.append(measuring.measure(row))
    return Answer(cost.text(found), cost.as_json(found))


def _what_it_makes(setup: Setup, names: Names, bootstrap: str) -> str:
    records = setup.records or round(setup.rate * setup.seconds)
    return (
        f"on {bootstrap} this makes the topics {names.source} and {names.target} ({setup.partitions} partitions each) and the "
        f"group {names.group}, feeds about {records:,} small records, and removes all of it at the end"
    )


@contextmanager
def _running(cluster: Cluster, setup: Setup) -> Iterator[tuple[str, Sequence[Broker]]]:
    """Its address and the brokers that are ours. Raises KdgError, also for what the observers could not do."""
    from kdg.verify.clients import Failures
    from kdg.verify.setup import cluster as properties

    with ExitStack() as stack:
        where: tuple[str, Sequence[Broker]] = (cluster.plan.brokers, ())
        if cluster.start is not None:
            from kdg.sandbox import Sandbox

            sandbox = stack.enter_context(Sandbox(cluster.start, properties=properties(setup.pace), note=cluster.plan.note))  # fmt: skip
            where = (sandbox.bootstrap, sandbox.brokers)
        try:
            yield where
        except Failures as exc:
            raise exc if isinstance(exc, KdgError) else KdgError(f"the run has no result: {exc}.") from exc


@contextmanager
def live(
    setup: Setup, note: Note, view: LiveView, *, quiet: bool, verbose: bool
) -> Iterator[tuple[Callable[[Progress], None], Note]]:
    """Who is told of progress, and of each fault: a live view on a terminal; elsewhere nobody, or stderr with -v."""
    if verbose or quiet or not sys.stderr.isatty():
        yield _nobody, note if verbose else _nobody
        return
    with view(setup) as show:
        yield show, _nobody


def _nobody(_what: object) -> None:
    pass
