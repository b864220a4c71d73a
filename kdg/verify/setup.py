"""Owns the parameters of a run, and the commands and the environment of its workers.

Its only input is the environment.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kdg.core.guarantees import Guarantee
from kdg.verify import faults
from kdg.verify.faults import FaultKind, Pace
from kdg.verify.workers import FILES_FOLDER

PREFIX = "kdg-verify-"
"""The names of a run's topics, groups and temporary folders begin with it."""

KDG = (sys.executable, "-m", "kdg")


def broker_settings(pace: Pace) -> dict[str, str]:
    """The broker settings for a run. Under KIP-848 the session timeout is a setting of the broker, 45 s by default."""
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
"""The ways in which workers can share a group, and kdg's options for each. `consumer` is KIP-848."""


@dataclass(frozen=True, slots=True)
class Setup:
    """The parameters of a run.

    seconds: for how long faults come. rate: records a second, over all partitions. records: feed so many records
    instead, spread over the seconds; faults come until all are fed. program: how kdg is started; its `pipe` command
    copies the records. extra: more options for it. command: another program, in place of `kdg pipe`. connection: the
    settings beside bootstrap.servers that reach the cluster. logs: the folder that keeps the workers' stderr.
    """

    guarantee: Guarantee
    protocol: str = "range"
    seed: int = 0
    seconds: float = 60.0
    kinds: Sequence[FaultKind] = faults.ALL
    pace: Pace = faults.THOROUGH
    workers: int = 3
    partitions: int = 4
    records: int | None = None
    rate: int = 700
    program: Sequence[str] = KDG
    extra: Sequence[str] = ()
    command: Sequence[str] = ()
    connection: Mapping[str, str] = field(default_factory=dict)
    logs: Path | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """The topics and the group of a run."""

    source: str
    target: str
    group: str

    @classmethod
    def new(cls) -> Names:
        """Names that no other run has."""
        name = f"{PREFIX}{secrets.token_hex(4)}"
        return cls(f"{name}-source", f"{name}-target", f"{name}-group")


def commands(setup: Setup, names: Names) -> list[list[str]]:
    """The command of each worker."""
    return [list(setup.command) or pipe(setup, names, number) for number in range(1, setup.workers + 1)]


def pipe(setup: Setup, names: Names, number: int) -> list[str]:
    """`kdg pipe` as a worker.

    Under exactly-once the first worker gets a new transactional id at each start; the others keep theirs.
    """
    options = ["--batch-records", "500", "--batch-interval", "200ms"]
    if setup.protocol != "consumer":
        options += ["-X", f"session.timeout.ms={setup.pace.session_ms}"]
        options += ["-X", f"heartbeat.interval.ms={_heartbeat(setup.pace)}"]
    options += PROTOCOLS[setup.protocol]
    if setup.guarantee.transactional:
        options += ["-X", f"transaction.timeout.ms={setup.pace.transaction_ms}"]
        options += ["--transactional-id", f"{names.group}-{number}"] if number > 1 else []
    return [*plain_pipe(setup, names), "--keep-partition", *options, *setup.extra]


def plain_pipe(setup: Setup, names: Names) -> list[str]:
    """`kdg pipe` with its default settings."""
    # The settings come from files, because the list of processes shows every command line, secrets included.
    reach = [word for name in setup.connection for word in ("-X", f"{name}=@{FILES_FOLDER}/{name}")]
    return [*setup.program, "pipe", names.source, names.target, "-g", setup.guarantee.name, "-G", names.group, *reach]


def environment(setup: Setup, names: Names, bootstrap: str) -> dict[str, str]:
    """The environment of a worker. It has none of the KDG_ variables that the user set for kdg itself."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("KDG_")}
    given = {"KDG_BROKERS": bootstrap}
    if setup.command:
        return {**inherited, **given, "KDG_SOURCE": names.source, "KDG_TARGET": names.target, "KDG_GROUP": names.group}
    # All settings are in the command; the user's configuration file is for other clusters.
    return {**inherited, **given, "KDG_TRACEBACK": "1", "KDG_CONFIG": os.devnull}
