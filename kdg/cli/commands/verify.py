"""`kdg verify`: a guarantee under faults, counted: of kdg, or of any other program. What can be typed, and what it means."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from kdg.cli.options import command
from kdg.core.guarantees import Guarantee, Role
from kdg.errors import UsageError
from kdg.runs.plan import Plan, plan_of, require_brokers
from kdg.runs.report import check_report
from kdg.runtime.times import parse_duration
from kdg.settings.options.common import Common, ConfigFile, GuaranteeName, Profile, Properties, Report
from kdg.settings.options.option import Option
from kdg.settings.options.reading import Reading

if TYPE_CHECKING:
    from kdg.verify.faults import FaultKind
    from kdg.verify.progress import Progress
    from kdg.verify.setup import Setup

RATE = 1500
"""Records a second, where --records does not say."""
PARTITIONS = 4
"""Or as many as there are workers."""
FAULTS = "kill,term,pause"
WORKERS = 3


@dataclass(frozen=True, slots=True)
class Options:
    """The options of verify."""

    guarantee: GuaranteeName = None
    records: Annotated[
        int | None,
        Option(
            "--records", "N", "Feed N records, spread over --for (default: 1500 a second).", least=1, most=2_000_000
        ),
    ] = None
    workers: Annotated[
        int | None,
        Option("--workers", "N", "How many processes share the group (default: 3).", least=1, most=16),
    ] = None
    faults: Annotated[
        str | None,
        Option(
            "--faults",
            "KINDS",
            "Some of kill, term, pause, broker-kill, broker-pause, with commas between (default: kill,term,pause; with "
            "--brokers 3 all).",
        ),
    ] = None
    seconds: Annotated[
        str | None,
        Option("--for", "DURATION", "How long there are faults (default: 60s)."),
    ] = None
    nodes: Annotated[
        int | None,
        Option("--brokers", "1|3", "How many brokers the started cluster has (default: 1)."),
    ] = None
    seed: Annotated[
        int | None,
        Option("--seed", "N", "The same seed plans the same faults.", least=0),
    ] = None
    junit: Annotated[
        str | None,
        Option("--junit", "FILE", "Write the result as JUnit XML to FILE, for CI."),
    ] = None
    here: Annotated[
        bool,
        Option(
            "--on-this-cluster", "", "Start no cluster, use the one of -b. kdg creates its own topics and group there."
        ),
    ] = False
    address: Annotated[
        str | None,
        Option("-b", "HOST:PORT,...", "With --on-this-cluster: the brokers to connect to first. Default: KDG_BROKERS."),
    ] = None
    cost: Annotated[
        bool,
        Option("--cost", "", "Measure throughput and latency of the three guarantees instead."),
    ] = False
    verbose: Annotated[
        bool,
        Option("-v --verbose", "", "Show each fault on stderr when it happens."),
    ] = False
    settings: Properties = None
    config: ConfigFile = None
    profile: Profile = None
    report: Report = None
    quiet: Annotated[
        bool,
        Option("-q --quiet", "", "No notes and no live view; the answer and errors are still shown."),
    ] = False

    @property
    def common(self) -> Common:
        """The options that other commands have, too."""
        return Common(
            guarantee=self.guarantee,
            brokers=self.address,
            settings=self.settings,
            config=self.config,
            profile=self.profile,
            report=self.report,
            quiet=self.quiet,
        )


def register(app: typer.Typer) -> None:
    """Add the command to the application."""

    @command(app, "verify", "", takes_command=True)
    def verify(*, cmd: tuple[str, ...], options: Options) -> None:
        """Feed numbered records, kill, terminate and pause the workers that copy them, and count the records that arrive.

        kdg starts a real Apache Kafka for it, and removes the cluster afterwards. The workers are `kdg pipe`, or CMD: any program
        that copies records from one topic to another without changing their values. CMD finds in its environment

        KDG_BROKERS (bootstrap brokers), KDG_SOURCE and KDG_TARGET (topics), KDG_GROUP (consumer group), KDG_WORKER (1, 2, ...).

        With a session.timeout.ms of 6000 in the consumer of CMD, the group recovers from a kill in time for the next one.

        The exit code is 0 if the promise held and enough faults came while records flowed, else 10.
        """
        raise typer.Exit(run(options.common, options, cmd))


def run(common: Common, options: Options, cmd: Sequence[str]) -> int:
    """Check everything, run, and say what came out. Raises UsageError."""
    from kdg.runs.verify import Cluster, answer, measure, verify

    check_report(common.report)
    check_report(options.junit, "--junit")
    plan = plan_of("pipe", [Role.CONSUMER, Role.PRODUCER], common, Reading(group="kdg-verify"))
    setup = setup_of(plan, common, options, cmd)
    cluster = Cluster(plan, None if options.here else options.nodes or 1)
    if options.cost:
        return answer(lambda signals: measure(setup, cluster, signals), common.report, None)
    return answer(
        lambda signals: verify(setup, cluster, signals, live_view, verbose=options.verbose),
        common.report,
        options.junit,
    )


@contextmanager
def live_view(setup: Setup) -> Iterator[Callable[[Progress], None]]:
    """The live view on stderr; Rich is imported only where one is shown."""
    from kdg.cli.verify_view import View

    with View(setup) as view:
        yield view.show


def setup_of(plan: Plan, common: Common, options: Options, cmd: Sequence[str]) -> Setup:
    """What the engine is to run. Raises UsageError for what contradicts itself."""
    from kdg.verify import faults
    from kdg.verify.setup import PROTOCOLS, Setup

    _refuse(plan, common, options, cmd)
    seconds = seconds_of(options)
    connection = connection_of(plan) if options.here else {}
    extra = [pair for pair in common.settings or [] if pair.partition("=")[0].strip() not in connection]
    protocol = plan.value(Role.CONSUMER, "group.protocol") or ""
    return Setup(
        guarantee=plan.guarantee,
        protocol=protocol if protocol in PROTOCOLS else "range",
        seed=secrets.randbelow(1_000_000) if options.seed is None else options.seed,
        seconds=seconds,
        kinds=_kinds(options, plan.guarantee),
        pace=faults.FOREIGN if cmd or options.here else faults.BRISK,
        workers=options.workers or WORKERS,
        partitions=max(PARTITIONS, options.workers or WORKERS),
        records=options.records,
        rate=RATE,
        extra=[word for pair in extra for word in ("-X", pair)],
        command=cmd,
        connection=connection,
    )


def seconds_of(options: Options) -> float:
    """What --for says, or means when it says nothing. Raises UsageError."""
    seconds = parse_duration(options.seconds or ("10s" if options.cost else "60s"), "--for")
    if seconds < 1:
        raise UsageError(f"--for {options.seconds}: no time for a fault.", "Write --for 60s.")
    return seconds


def connection_of(plan: Plan) -> dict[str, str]:
    """What else than the address it takes to reach the cluster, as it is effective for this run."""
    from kdg.kafka.client import connection

    found = connection(plan.settings(Role.CONSUMER))
    return {name: value for name, value in found.items() if name not in ("bootstrap.servers", "client.id")}


def _refuse(plan: Plan, common: Common, options: Options, cmd: Sequence[str]) -> None:
    if options.here:
        require_brokers(plan)
        if options.nodes:
            raise UsageError("--brokers starts brokers, and --on-this-cluster uses those of -b.", "Drop one of them.")
    elif options.address:
        raise UsageError("-b names a cluster, and verify starts one of its own.", "Add --on-this-cluster, or drop -b.")
    if options.cost and (unused := _unused_by_cost(common, options, cmd)):
        raise UsageError(f"{unused} means nothing with --cost, which measures kdg's three guarantees.", "Drop it.")
    if options.nodes not in (None, 1, 3):
        raise UsageError(f"--brokers {options.nodes}: verify runs on 1 or 3.", "3 replicate; on 1 nothing has to wait.")
    if cmd and shutil.which(cmd[0]) is None:
        raise UsageError(f"-- {cmd[0]}: there is no such command.", "Check its name and path.")
    if cmd and common.settings and not options.here:
        raise UsageError("-X is for kdg's own workers, and -- CMD takes their place.", "Give CMD its settings itself.")


def _unused_by_cost(common: Common, options: Options, cmd: Sequence[str]) -> str:
    given = {"-g": common.guarantee, "--faults": options.faults, "--workers": options.workers, "--seed": options.seed, "--junit": options.junit, "-- CMD": cmd}  # fmt: skip
    return next((flag for flag, value in given.items() if value), "")


def _kinds(options: Options, row: Guarantee) -> list[FaultKind]:
    from kdg.verify.faults import ALL, ON_BROKERS, WORDS, possible

    default = ",".join(WORDS) if (options.nodes or 1) > 1 else FAULTS
    words = [word.strip() for word in (default if options.faults is None else options.faults).split(",")]
    if wrong := [word for word in words if word not in WORDS]:
        raise UsageError(f"--faults {wrong[0]!r} is no fault.", f"Choose of {', '.join(WORDS)}, with commas between.")
    kinds = [kind for kind in ALL if kind.word in words]
    brokers = 0 if options.here else options.nodes or 1
    possible_here = possible(kinds, brokers, transactional=row.transactional)
    if impossible := [kind for kind in kinds if kind not in possible_here]:
        why = "this cluster's brokers are not ours to disturb" if options.here else f"a lone broker that is killed breaks {row.name} by itself (README, Where the promise ends)"  # fmt: skip
        raise UsageError(f"--faults {impossible[0]}: {why}.", "Drop it" + (", or use --brokers 3." if impossible[0] in ON_BROKERS and not options.here else "."))  # fmt: skip
    return kinds
