"""Owns the comparison of a log of the cluster with the requirements of a guarantee: facts in, decisions out. Pure.

`--strict`, the warning line and `kdg check` differ in their words; whether a requirement is met is decided in `unmet`
alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from kdg.core.guarantees import GUARANTEES, Guarantee
from kdg.core.requirement import CLEAN_ELECTION, IN_SYNC, LOG_IN_SYNC, LOG_REPLICAS, REPLICAS, Log, Requirement


@dataclass(frozen=True, slots=True)
class LogFacts:
    """What is known of a topic or of the transaction log; None where the user is not allowed to look.

    name: as it is shown. replicas: of the partition that has the fewest. min_in_sync: min.insync.replicas.
    unclean_election: unclean.leader.election.enable. in_sync: replicas that are in sync now, of the partition that has
    the fewest. compacted: whether the log keeps only the latest record of each key. kind: which requirements apply.
    largest_batch: max.message.bytes.
    """

    name: str
    replicas: int | None
    min_in_sync: int | None
    unclean_election: bool | None = False
    in_sync: int | None = None
    compacted: bool = False
    kind: Log = Log.TOPIC
    largest_batch: int | None = None


@dataclass(frozen=True, slots=True)
class Weakness:
    """Something about a log that a user should know.

    setting: the setting and its value. says: what it leads to. change: what to set instead. counts: whether a guarantee
    is lost by it; if not, it is a remark.
    """

    setting: str
    says: str
    change: str = ""
    counts: bool = True


_VALUE: Mapping[Requirement, Callable[[LogFacts], int | None]] = {
    REPLICAS: lambda log: log.replicas,
    LOG_REPLICAS: lambda log: log.replicas,
    IN_SYNC: lambda log: log.min_in_sync,
    LOG_IN_SYNC: lambda log: log.min_in_sync,
    CLEAN_ELECTION: lambda log: log.unclean_election,
}
"""The fact that each requirement is compared with."""


def unmet(log: LogFacts, requirements: Iterable[Requirement]) -> list[Requirement]:
    """The requirements for this kind of log that it does not meet (hazard 8). An unknown value does not meet any."""
    return [r for r in requirements if r.log is log.kind and not r.met_by(_VALUE[r](log))]


def holds(log: LogFacts, guarantee: Guarantee) -> bool:
    """Whether a log meets everything that a guarantee requires."""
    return not unmet(log, guarantee.requires)


def shortfalls(logs: Iterable[LogFacts], guarantee: Guarantee) -> list[str]:
    """What is missing or unknown, a phrase for each log: "orders has replication factor 1". Empty if nothing is."""
    lacking = [(log.name, [_shown(r, log) for r in unmet(log, guarantee.requires)]) for log in logs]
    return [f"{name} has {', '.join(lacks)}" for name, lacks in lacking if lacks]


def weaknesses(log: LogFacts) -> list[Weakness]:
    """Everything to say about a log: what it lacks for any of the guarantees, then remarks."""
    every = dict.fromkeys(r for guarantee in GUARANTEES for r in guarantee.requires)
    return [*(_weakness(r, log) for r in unmet(log, every)), *_remarks(log)]


def strictest(setting: str) -> int:
    """The least value of a setting, such as `replication.factor`, that is enough for every guarantee."""
    return max(int(r.least) for guarantee in GUARANTEES for r in guarantee.requires if r.setting == setting)


def _shown(requirement: Requirement, log: LogFacts) -> str:
    """The value that a log has: "replication factor 1", "min.insync.replicas=1", "min.insync.replicas unknown"."""
    value = _VALUE[requirement](log)
    name = requirement.setting if requirement.least is False else requirement.words
    if value is None:
        return f"{name} unknown"
    if requirement.least is False:
        return f"{name}=true"
    return f"{name} {value}" if " " in name else f"{name}={value}"


def _weakness(requirement: Requirement, log: LogFacts) -> Weakness:
    unknown = "this user is not allowed to see it; " if _VALUE[requirement](log) is None else ""
    change = f"replication factor {REPLICAS.least}" if requirement is REPLICAS else requirement.change
    return Weakness(_shown(requirement, log), unknown + requirement.why, change)


def _remarks(log: LogFacts) -> Iterator[Weakness]:
    in_sync = f"min.insync.replicas={log.min_in_sync}"
    if log.min_in_sync is not None and log.replicas is not None and log.min_in_sync >= IN_SYNC.least:
        if log.min_in_sync > log.replicas:
            says = "more than there are replicas: lowered to their number (before Kafka 3.7 every record is refused)"
            yield Weakness(in_sync, says, counts=False)
        elif log.min_in_sync == log.replicas:
            yield Weakness(in_sync, "as many as there are replicas: one broker away stops writing", counts=False)
    if log.in_sync is not None and log.replicas is not None and log.in_sync < log.replicas:
        yield Weakness(f"in sync now: {log.in_sync} of {log.replicas}", "a broker is away or slow", counts=False)
    if log.compacted:
        yield Weakness("cleanup.policy=compact", "only the latest record of each key is kept", counts=False)
