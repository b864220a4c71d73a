"""Owns what a run is made of: how long, how fast, which faults, and the workers' commands and environment. Pure but for asking the environment."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kdg.core.guarantees import Guarantee
from kdg.verify import faults
from kdg.verify.faults import Kind, Pace
from kdg.verify.workers import HOME

PREFIX = "kdg-verify-"
"""What the topics, the groups and the temporary folders of a run begin with."""

KDG = (sys.executable, "-m", "kdg")


def cluster(pace: Pace) -> dict[str, str]:
    """What the cluster of a run is to be configured with: KIP-848 keeps the session on the broker, 45 s by default."""
    return {
        "group.consumer.session.timeout.ms": str(pace.session_ms),
        "group.consumer.min.session.timeout.ms": "1000",
        "group.consumer.heartbeat.interval.ms": str(_heartbeat(pace)),
        "group.consumer.min.heartbeat.interval.ms": "300",
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
    }


def _heartbeat(pace: Pace) -> int:
    return min(pace.session_ms // 4, 1000)


PROTOCOLS: Mapping[str, tuple[str, ...]] = {
    "range": (),
    "cooperative-sticky": ("-X", "partition.assignment.strategy=cooperative-sticky"),
    "consumer": ("-X", "group.protocol=consumer"),
}
"""How workers share a group: kdg's options for each; `consumer` is KIP-848."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What is run.

    seconds: for how long faults come. rate: records a second, over all partitions. records: so many instead, spread over the
    seconds, and faults until all are fed. program: what `pipe` is run with. command: any other program in its place. where: what else than
    bootstrap.servers it takes to reach the cluster. logs: keeps the workers' stderr.
    """

    row: Guarantee
    protocol: str = "range"
    seed: int = 0
    seconds: float = 60.0
    kinds: Sequence[Kind] = faults.ALL
    pace: Pace = faults.THOROUGH
    workers: int = 3
    partitions: int = 4
    records: int | None = None
    rate: int = 700
    program: Sequence[str] = KDG
    extra: Sequence[str] = ()
    command: Sequence[str] = ()
    where: Mapping[str, str] = field(default_factory=dict)
    logs: Path | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """The topics and the group of a run."""

    source: str
    target: str
    group: str

    @classmethod
    def new(cls) -> Names:
        """Names that nobody has."""
        name = f"{PREFIX}{secrets.token_hex(4)}"
        return cls(f"{name}-source", f"{name}-target", f"{name}-group")


def commands(setup: Setup, names: Names) -> list[list[str]]:
    """What each worker runs."""
    return [list(setup.command) or pipe(setup, names, number) for number in range(1, setup.workers + 1)]


def pipe(setup: Setup, names: Names, number: int) -> list[str]:
    """kdg's own worker. Of the transactional ones the first gets a new id with each start, the others keep theirs."""
    options = ["--batch-records", "500", "--batch-interval", "200ms"]
    if setup.protocol != "consumer":
        options += ["-X", f"session.timeout.ms={setup.pace.session_ms}", "-X", f"heartbeat.interval.ms={_heartbeat(setup.pace)}"]  # fmt: skip
    options += PROTOCOLS[setup.protocol]
    if setup.row.transactional:
        options += ["-X", f"transaction.timeout.ms={setup.pace.transaction_ms}"]
        options += ["--transactional-id", f"{names.group}-{number}"] if number > 1 else []
    return [*plain_pipe(setup, names), "--keep-partition", *options, *setup.extra]


def plain_pipe(setup: Setup, names: Names) -> list[str]:
    """`kdg pipe` with its own settings."""
    # From files: what is typed shows in the list of processes, secrets too.
    reach = [word for name in setup.where for word in ("-X", f"{name}=@{HOME}/{name}")]
    return [*setup.program, "pipe", names.source, names.target, "-g", setup.row.name, "-G", names.group, *reach]


def environment(setup: Setup, names: Names, bootstrap: str) -> dict[str, str]:
    """What a worker finds in its environment; nothing that the user set for kdg itself."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("KDG_")}
    given = {"KDG_BROKERS": bootstrap}
    if setup.command:
        return {**inherited, **given, "KDG_SOURCE": names.source, "KDG_TARGET": names.target, "KDG_GROUP": names.group}
    # The settings are all in the command: a configuration file of the user's is for other clusters.
    return {**inherited, **given, "KDG_TRACEBACK": "1", "KDG_CONFIG": os.devnull}
