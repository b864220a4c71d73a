"""Owns the options of `kdg verify`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from kdg.settings.options.common import Common, ConfigFile, GuaranteeName, Profile, Properties, Report
from kdg.settings.options.option import Option


@dataclass(frozen=True, slots=True)
class VerifyOptions:
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
        """The options that other commands have too, as the plan of a run takes them."""
        return Common(
            guarantee=self.guarantee,
            brokers=self.address,
            settings=self.settings,
            config=self.config,
            profile=self.profile,
            report=self.report,
            quiet=self.quiet,
        )
