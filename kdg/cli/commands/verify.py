"""`kdg verify`: a guarantee of kdg, or of any other program, under faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from kdg.cli.options import command
from kdg.settings.options.verifying import VerifyOptions

if TYPE_CHECKING:
    from kdg.verify.progress import Progress
    from kdg.verify.setup import Setup

<<<<<<< HEAD
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

=======
>>>>>>> 98160c9 (What the options of verify and sandbox mean lives in runs/, their descriptions beside the other options; the commands are one call each)

def register(app: typer.Typer) -> None:
    """Add the command to the application."""

    @command(app, "verify", "", takes_command=True)
    def verify(*, cmd: tuple[str, ...], options: VerifyOptions) -> None:
        """Feed numbered records, kill, terminate and pause the workers that copy them, and count the records that
        arrive.

        kdg starts a real Apache Kafka for it, and removes the cluster afterwards. The workers are `kdg pipe`, or CMD:
        any program that copies records from one topic to another without changing their values. CMD finds in its
        environment

        KDG_BROKERS (bootstrap brokers), KDG_SOURCE and KDG_TARGET (topics), KDG_GROUP (consumer group), KDG_WORKER (1,
        2, ...).

        With a session.timeout.ms of 6000 in the consumer of CMD, the group recovers from a kill in time for the next
        one.

        The exit code is 0 if the promise held and enough faults came while records flowed, else 10.
        """
        from kdg.runs.verify import run

        raise typer.Exit(run(options, cmd, live_view))


@contextmanager
def live_view(setup: Setup) -> Iterator[Callable[[Progress], None]]:
    """The live view on stderr. Rich is imported only here, when a view is shown."""
    from kdg.cli.verify_view import View

    with View(setup) as view:
        yield view.show
