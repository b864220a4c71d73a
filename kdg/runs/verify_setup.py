"""Owns what the options of `kdg verify` mean: the setup of a run, or a refusal of contradictions."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Sequence

from kdg.core.guarantees import Guarantee, Role
from kdg.errors import UsageError
from kdg.kafka.client import connection
from kdg.runs.plan import Plan, require_brokers
from kdg.runtime.times import parse_duration
from kdg.settings.options.verifying import VerifyOptions
from kdg.verify import faults
from kdg.verify.faults import FaultKind
from kdg.verify.setup import PROTOCOLS, Setup

RATE = 1500
"""Records a second, if --records is not given."""
PARTITIONS = 4
"""The least number of partitions; there are as many as workers if there are more workers."""
FAULTS = "kill,term,pause"
"""The faults on a single broker, if --faults is not given."""
WORKERS = 3
LEAST_SECONDS = 1.0


def setup_of(plan: Plan, options: VerifyOptions, cmd: Sequence[str]) -> Setup:
    """The setup of the run. cmd: the program after `--`. Raises UsageError for options that contradict each other."""
    _refuse(plan, options, cmd)
    reach = connection_of(plan) if options.here else {}
    extra = [pair for pair in options.settings or [] if pair.partition("=")[0].strip() not in reach]
    protocol = plan.value(Role.CONSUMER, "group.protocol") or ""
    workers = options.workers or WORKERS
    return Setup(
        guarantee=plan.guarantee,
        protocol=protocol if protocol in PROTOCOLS else "range",
        seed=secrets.randbelow(1_000_000) if options.seed is None else options.seed,
        seconds=seconds_of(options),
        kinds=kinds_of(options, plan.guarantee),
        pace=faults.FOREIGN if cmd or options.here else faults.BRISK,
        workers=workers,
        partitions=max(PARTITIONS, workers),
        records=options.records,
        rate=RATE,
        extra=[word for pair in extra for word in ("-X", pair)],
        command=cmd,
        connection=reach,
    )


def brokers_of(options: VerifyOptions) -> int:
    """How many brokers a sandbox gets; 0 if the cluster of -b is used."""
    return 0 if options.here else options.nodes or 1


def seconds_of(options: VerifyOptions) -> float:
    """For how long there are faults, or records with --cost. Raises UsageError."""
    seconds = parse_duration(options.seconds or ("10s" if options.cost else "60s"), "--for")
    if seconds < LEAST_SECONDS:
        raise UsageError(f"--for {options.seconds} is too short: no fault fits into it.", "Write --for 60s.")
    return seconds


def connection_of(plan: Plan) -> dict[str, str]:
    """The settings beside bootstrap.servers that reach the cluster, as they are effective for this run."""
    found = connection(plan.settings(Role.CONSUMER))
    return {name: value for name, value in found.items() if name not in ("bootstrap.servers", "client.id")}


def kinds_of(options: VerifyOptions, guarantee: Guarantee) -> list[FaultKind]:
    """The kinds of faults that were asked for.

    Raises UsageError for a word that is not a fault, or cannot be injected here.
    """
    default = ",".join(faults.WORDS) if (options.nodes or 1) > 1 else FAULTS
    words = [word.strip() for word in (default if options.faults is None else options.faults).split(",")]
    if wrong := [word for word in words if word not in faults.WORDS]:
        choice = ", ".join(faults.WORDS)
        raise UsageError(f"--faults {wrong[0]!r} is not a fault.", f"Choose some of {choice}, with commas between.")
    kinds = [kind for kind in faults.ALL if kind.word in words]
    possible = faults.possible(kinds, brokers_of(options), transactional=guarantee.transactional)
    if impossible := [kind for kind in kinds if kind not in possible]:
        raise _impossible(impossible[0], options, guarantee)
    return kinds


def _impossible(kind: FaultKind, options: VerifyOptions, guarantee: Guarantee) -> UsageError:
    if options.here:
        return UsageError(f"--faults {kind}: with --on-this-cluster the brokers are not disturbed.", "Drop it.")
    return UsageError(
        f"--faults {kind}: a single broker that is killed breaks {guarantee.name} by itself "
        "(README, Where the promise ends).",
        "Drop it, or use --brokers 3.",
    )


def _refuse(plan: Plan, options: VerifyOptions, cmd: Sequence[str]) -> None:
    if options.here:
        require_brokers(plan)
        if options.nodes:
            raise UsageError("--brokers starts brokers, and --on-this-cluster uses those of -b.", "Drop one of them.")
    elif options.address:
        raise UsageError("-b names a cluster, but verify starts its own.", "Add --on-this-cluster, or drop -b.")
    if options.cost and (unused := _unused_by_cost(options, cmd)):
        raise UsageError(f"{unused} means nothing with --cost, which measures kdg's three guarantees.", "Drop it.")
    if options.nodes not in (None, 1, 3):
        raise UsageError(
            f"--brokers {options.nodes}: verify runs on 1 or 3 brokers.",
            "Use 3 to test with replication, 1 to start faster.",
        )
    if cmd and shutil.which(cmd[0]) is None:
        raise UsageError(f"-- {cmd[0]}: there is no such command.", "Check its name and path.")
    if cmd and options.settings and not options.here:
        raise UsageError("-X is for kdg's own workers, and -- CMD replaces them.", "Give CMD its settings itself.")


def _unused_by_cost(options: VerifyOptions, cmd: Sequence[str]) -> str:
    given = {
        "-g": options.guarantee,
        "--faults": options.faults,
        "--workers": options.workers,
        "--seed": options.seed,
        "--junit": options.junit,
        "-- CMD": cmd,
    }
    return next((flag for flag, value in given.items() if value), "")
