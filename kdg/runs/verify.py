"""Owns the running of `kdg verify`: on a sandbox or on the user's cluster, and how the result is reported."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kdg.core.guarantees import GUARANTEES, Role
from kdg.errors import Interrupted, KdgError
from kdg.runs.plan import Plan, plan_of
from kdg.runs.report import check_report, print_error, write_file
from kdg.runtime.signals import Signals
from kdg.runtime.standard_streams import require_stdout
from kdg.settings.options.reading import Reading
from kdg.settings.options.verifying import VerifyOptions

if TYPE_CHECKING:
    from kdg.sandbox import Broker
    from kdg.verify.progress import Progress
    from kdg.verify.setup import Names, Setup

COST_RECORDS = 200_000
"""Records for `--cost`, where --records is not given."""
WARM_UP = 50_000
"""Records of a first measurement that does not count; otherwise the first guarantee would pay for a cold broker."""

Note = Callable[[str], None]
LiveView = Callable[["Setup"], AbstractContextManager[Callable[["Progress"], None]]]
"""Opens the live view of a run. Inside `with`, the function that it gives takes the latest progress."""


def run(options: VerifyOptions, cmd: Sequence[str], view: LiveView) -> int:
    """Check everything, run, and report. cmd: the program after `--`. Returns the exit code. Raises UsageError."""
    from kdg.runs.verify_setup import brokers_of, setup_of

    require_stdout()
    common = options.common
    check_report(common.report)
    check_report(options.junit, "--junit")
    plan = plan_of("pipe", [Role.CONSUMER, Role.PRODUCER], common, Reading(group="kdg-verify"))
    setup = setup_of(plan, options, cmd)
    cluster = Cluster(plan, brokers_of(options))
    if options.cost:
        return answer(lambda signals: measure(setup, cluster, signals), common.report, None)
    return answer(
        lambda signals: verify(setup, cluster, signals, view, verbose=options.verbose),
        common.report,
        options.junit,
    )


@dataclass(frozen=True, slots=True)
class Cluster:
    """The cluster of a run. start: how many brokers a sandbox gets; 0 if the cluster of -b is used."""

    plan: Plan
    start: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The result: the text for stdout, the contents of --report and --junit, and the error with which kdg ends."""

    text: str
    report: Mapping[str, Any]
    junit: str = ""
    error: KdgError | None = None


def answer(job: Callable[[Signals], Answer], report: str | None, junit: str | None) -> int:
    """Do the job, print its answer and write its files. Returns the exit code, 128 + N after signal N."""
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
    """One fault run, and its verdict. Raises KdgError and Interrupted."""
    from kdg.verify import engine
    from kdg.verify.setup import Names
    from kdg.verify.verdict import Verdict

    names, note = Names.new(), cluster.plan.note
    if not cluster.start:
        note(_what_it_makes(setup, names, cluster.plan.brokers))
    watching = live(setup, note, view, quiet=cluster.plan.quiet, verbose=verbose)
    with _running(cluster, setup) as (bootstrap, brokers), watching as (show, note_fault):
        result = engine.run(setup, bootstrap, brokers, note_fault, names=names, watch=show, signals=signals)
    verdict = Verdict(setup.guarantee, result, setup.command, setup.seconds)
    return Answer(verdict.text(), verdict.as_json(), verdict.as_junit(), verdict.error)


def measure(setup: Setup, cluster: Cluster, signals: Signals) -> Answer:
    """The cost of the three guarantees. Raises KdgError and Interrupted."""
    from kdg.verify import cost

    note, records = cluster.plan.note, setup.records or COST_RECORDS
    if not cluster.start:
        note(
            f"on {cluster.plan.brokers} this makes, for each measurement, two topics and a group whose names begin "
            f"with kdg-verify-, pipes {records:,} records, and removes all of it"
        )
    found = []
    with _running(cluster, setup) as (bootstrap, brokers):
        measurement = cost.Measurement(
            bootstrap=bootstrap,
            records=records,
            seconds=setup.seconds,
            own_cluster=bool(brokers),
            connection=setup.connection,
            extra=setup.extra,
            signals=signals,
        )
        replace(measurement, records=min(records, WARM_UP), seconds=1.0).measure(GUARANTEES[0])
        for guarantee in GUARANTEES:
            note(
                f"measuring {guarantee.name}: {records:,} records of 100 bytes at full speed, "
                f"then {setup.seconds:g} s at {cost.TRICKLE} records a second"
            )
            found.append(measurement.measure(guarantee))
    return Answer(cost.text(found), cost.as_json(found))


def _what_it_makes(setup: Setup, names: Names, bootstrap: str) -> str:
    records = setup.records or round(setup.rate * setup.seconds)
    return (
        f"on {bootstrap} this makes the topics {names.source} and {names.target} ({setup.partitions} partitions each) "
        f"and the group {names.group}, feeds about {records:,} small records, and removes all of it at the end"
    )


@contextmanager
def _running(cluster: Cluster, setup: Setup) -> Iterator[tuple[str, Sequence[Broker]]]:
    """The cluster's address, and the brokers of the sandbox if there is one.

    Raises KdgError, also for a KafkaException.
    """
    from kdg.verify.clients.observer import Failures
    from kdg.verify.setup import broker_settings

    with ExitStack() as stack:
        running: tuple[str, Sequence[Broker]] = (cluster.plan.brokers, ())
        if cluster.start:
            from kdg.sandbox import Sandbox

            settings = broker_settings(setup.pace)
            sandbox = stack.enter_context(Sandbox(cluster.start, properties=settings, note=cluster.plan.note))
            running = (sandbox.bootstrap, sandbox.brokers)
        try:
            yield running
        except Failures as exc:
            raise exc if isinstance(exc, KdgError) else KdgError(f"the run has no result: {exc}.") from exc


@contextmanager
def live(
    setup: Setup, note: Note, view: LiveView, *, quiet: bool, verbose: bool
) -> Iterator[tuple[Callable[[Progress], None], Note]]:
    """Where progress and the line of each fault go: to a live view on a terminal, to stderr with -v, else nowhere."""
    if verbose or quiet or not sys.stderr.isatty():
        yield _ignore, note if verbose else _ignore
        return
    with view(setup) as show:
        yield show, _ignore


def _ignore(_line: object) -> None:
    pass
