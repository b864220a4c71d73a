"""Owns what the typed options mean: everything is resolved here, or refused, before a client is opened."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kdg.core import guarantees
from kdg.core.guarantees import Guarantee, Role, Step
from kdg.core.interval import Interval
from kdg.core.progress import CrashAt, Limits
from kdg.core.state import Cycle
from kdg.errors import UsageError
from kdg.runtime.clock import SYSTEM_CLOCK
from kdg.runtime.times import parse_duration, parse_time
from kdg.settings.files import Configuration, load
from kdg.settings.librdkafka import canonical
from kdg.settings.options.common import Common
from kdg.settings.options.limited import refuse_foreign
from kdg.settings.options.option import given
from kdg.settings.options.properties import parse_properties
from kdg.settings.options.reading import Reading
from kdg.settings.resolve import Layer, Resolved, known_overrides, resolve
from kdg.sources.start_offsets import BEGINNING, Start, parse_start
from kdg.text.plain import print_note

ALONE = 0.05
"""Seconds without a new record, after which the batch is settled: a single record does not wait for the interval."""
UP_TO_AN_END = 0.25
"""The same for a run that stops at known offsets: the library reports the end of a partition one fetch later."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One run, resolved: the guarantee, the settings of each client, the limits, and where to report.

    own_id: the transactional id is random, so that no other instance can have it.
    """

    command: str
    guarantee: Guarantee
    clients: Mapping[Role, Mapping[str, Resolved]]
    brokers: str
    batch_records: int
    batch_seconds: float
    timeout: float | None
    crash_at: CrashAt | None
    report: str | None
    quiet: bool
    verbose: bool
    strict: bool
    dry_run: bool
    progress: bool | None = None
    own_id: bool = False

    def settings(self, role: Role) -> dict[str, str]:
        """The settings of a client, as librdkafka takes them."""
        return {name: setting.value for name, setting in self.clients[role].items()}

    def value(self, role: Role, name: str) -> str | None:
        """The effective value of one setting; None if kdg leaves it to librdkafka."""
        found = self.clients[role].get(name)
        return None if found is None else found.value

    def interval(self, *, to_an_end: bool = False) -> Interval:
        """When a batch is due. to_an_end: the run stops at known offsets, so the end of a partition is waited for."""
        idle = UP_TO_AN_END if to_an_end else ALONE
        return Interval(max_records=self.batch_records, max_seconds=self.batch_seconds, idle_seconds=idle)

    def cycle(self, *, settles: bool = True, whole: bool = False) -> Cycle:
        """The cycle of the guarantee for this run."""
        return Cycle.of(self.guarantee, settles=settles, whole=whole)

    def note(self, line: str) -> None:
        """Print a note to the user on stderr, unless `-q` was given."""
        if not self.quiet:
            print_note(line)


@dataclass(frozen=True, slots=True)
class ReadingPlan:
    """Where consume and pipe start and stop."""

    group: str | None
    start: Start
    start_given: bool
    exit_at_end: bool
    until: int | None
    limits: Limits

    def bounded(self, now: float) -> bool:
        """Whether the run ends by itself even if each record that it reads adds another one to read.

        --idle-timeout does not end such a run, and an --until in the future ends it too late. now: seconds since 1970.
        """
        past = self.until is not None and self.until <= now * 1000
        return self.exit_at_end or self.limits.count is not None or past


def plan_of(command: str, roles: Sequence[Role], common: Common, *groups: object) -> Plan:
    """The plan of a command from the options that were typed (kdg/settings/options). roles: the clients that it has.

    Raises UsageError for options that mean nothing under the guarantee, and for settings that would break it.
    """
    configuration = load(common.config, common.profile)
    guarantee = guarantee_of(common.guarantee, configuration)
    typed = dict(given([common, *groups]))
    refuse_foreign(guarantee, typed)
    options = [Layer(option.name, {option.sets: value}) for option, value in typed.items() if option.sets]
    properties = Layer("-X", parse_properties(common.settings or []))
    known_overrides([properties], roles)
    # A file serves every command: a setting for a consumer is fine in it when produce reads the file.
    known_overrides(configuration.layers, Role)
    layers = [*options, properties, *configuration.layers]  # the strongest first
    clients = {role: resolve(guarantee, role, command, layers) for role in roles}
    interval = common.batch_interval
    plan = Plan(
        command=command,
        guarantee=guarantee,
        clients=clients,
        brokers=next((c["bootstrap.servers"].value for c in clients.values() if "bootstrap.servers" in c), ""),
        batch_records=common.batch_records or guarantee.batch_records,
        batch_seconds=1.0 if interval is None else parse_duration(interval, "--batch-interval"),
        timeout=None if common.timeout is None else parse_duration(common.timeout, "--timeout"),
        crash_at=None if common.crash_at is None else parse_crash(common.crash_at, guarantee),
        report=common.report,
        quiet=common.quiet,
        verbose=common.verbose,
        strict=common.strict,
        dry_run=common.dry_run,
        progress=common.progress,
    )
    for line in (*configuration.notes, *_overruled(configuration, common, options, properties)):
        plan.note(line)
    return plan


def _overruled(configuration: Configuration, common: Common, options: Sequence[Layer], x: Layer) -> Sequence[str]:
    """A note if the environment is stronger than the file that -F names, and the command line says nothing."""
    if common.config is None:
        return ()
    typed = {canonical(name) for layer in (*options, x) for name in layer.values}
    return configuration.overruled(typed, guarantee=common.guarantee is not None)


def require_brokers(plan: Plan) -> None:
    """Raises UsageError if no broker was named."""
    if not plan.brokers:
        raise UsageError(
            "no brokers: kdg does not know which cluster is meant.",
            "Give -b HOST:PORT, or set KDG_BROKERS; `kdg sandbox` starts a cluster on this machine.",
        )


def reading_plan(reading: Reading, group: str | None, timeout: float | None) -> ReadingPlan:
    """The plan of a command that reads. group: as resolved from -G, -X group.id or KDG_GROUP. Raises UsageError."""
    now = SYSTEM_CLOCK.time()
    until = None if reading.until is None else parse_time(reading.until, "--until", now)
    if reading.exit_at_end and until is not None:
        raise UsageError("-e and --until both say where to stop.", "Drop one of them.")
    idle = None if reading.idle_timeout is None else parse_duration(reading.idle_timeout, "--idle-timeout")
    return ReadingPlan(
        group=group,
        start=BEGINNING if reading.offset is None else parse_start(reading.offset, now),
        start_given=reading.offset is not None,
        exit_at_end=reading.exit_at_end,
        until=until,
        limits=Limits(count=reading.count, idle_timeout=idle, timeout=timeout),
    )


def checked_acks(text: str | None) -> None:
    """Raises UsageError if `--acks` was given something else than all or leader."""
    if text not in (None, "all", "leader"):
        raise UsageError(
            f"--acks {text!r} is neither all nor leader.", "Producing without acknowledgement is -g at-most-once."
        )


def guarantee_of(typed: str | None, configuration: Configuration) -> Guarantee:
    """The guarantee asked for: -g, else the environment, else the file, else the default. Raises UsageError."""
    word, origin = (typed, "-g") if typed is not None else configuration.guarantee or (guarantees.DEFAULT.name, "")
    return guarantees.parse(word, origin)


def parse_crash(text: str, guarantee: Guarantee) -> CrashAt:
    """The meaning of `--crash-at STEP[:N]`. Raises UsageError if the cycle of the guarantee lacks the step."""
    name, _, times = text.partition(":")
    wanted = re.sub(r"[ _]", "-", name.strip().lower())
    wanted = {"send-offsets": Step.RECORD_POSITION.value}.get(wanted, wanted)
    steps = {step.value: step for step in guarantee.steps}
    if wanted not in steps or (times and (not times.isdigit() or int(times) < 1)):
        raise UsageError(
            f"--crash-at {text!r} is not a step of {guarantee.name}.",
            f"Use one of {', '.join(steps)}, and :N for the Nth time.",
        )
    return CrashAt(steps[wanted], int(times or 1))
