"""Owns what a live topic, and the transaction log, leave of a guarantee: what `kdg/settings/requirements.py` asks for, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kdg.core.guarantees import Guarantee
from kdg.settings.requirements import IN_SYNC, REPLICAS, LogFacts

TRANSACTION_LOG = "the transaction log"


@dataclass(frozen=True, slots=True)
class Weakness:
    """What a log has, what that leads to, and what to change; counts: whether it takes something away."""

    setting: str
    says: str
    change: str = ""
    counts: bool = True


def weaknesses(log: LogFacts) -> list[Weakness]:
    """All that is to be said of a log."""
    return [*_replicas(log), *_in_sync(log), *_election(log), *_remarks(log)]


def holds(log: LogFacts, row: Guarantee) -> bool:
    """Whether the log is what a guarantee asks for."""
    asked = row.transactional or log.name != TRANSACTION_LOG
    return not (asked and row.needs_durable_cluster and any(w.counts for w in weaknesses(log)))


def _replicas(log: LogFacts) -> Iterator[Weakness]:
    change = f"replication factor {REPLICAS}"
    if log.replicas is None:
        yield Weakness("replication factor unknown", "this user may not look; without replicas nothing is safe", change)
    elif log.replicas == 1:
        yield Weakness("replication factor 1", "one disk holds the only copy: acks=all is one broker", change)
    elif log.replicas < REPLICAS:
        yield Weakness(
            f"replication factor {log.replicas}",
            "with a broker away, one copy is left or writing stops",
            change,
        )


def _in_sync(log: LogFacts) -> Iterator[Weakness]:
    name = "min.insync.replicas"
    if log.min_in_sync is None:
        yield Weakness(f"{name} unknown", "this user may not look; 1 is the default", f"{name}={IN_SYNC}")
    elif log.min_in_sync < IN_SYNC:
        yield Weakness(f"{name}=1", "when followers fall behind, the leader alone is all", f"{name}={IN_SYNC}")
    elif log.replicas is not None and log.min_in_sync > log.replicas:
        yield Weakness(f"{name}={log.min_in_sync}", "more than there are replicas: lowered to their number (before 3.7 every record is refused)", "", counts=False)  # fmt: skip
    elif log.min_in_sync == log.replicas:
        yield Weakness(f"{name}={log.min_in_sync}", "as many as there are replicas: one broker away stops writing", "", counts=False)  # fmt: skip


def _election(log: LogFacts) -> Iterator[Weakness]:
    name = "unclean.leader.election.enable"
    if log.unclean_election is None:
        yield Weakness(f"{name} unknown", "this user may not look; false is the default", f"{name}=false")
    elif log.unclean_election:
        yield Weakness(f"{name}=true", "acknowledged records can be lost, committed transactions as well", f"{name}=false")  # fmt: skip


def _remarks(log: LogFacts) -> Iterator[Weakness]:
    if log.in_sync is not None and log.replicas is not None and log.in_sync < log.replicas:
        yield Weakness(f"in sync now: {log.in_sync} of {log.replicas}", "a broker is away or slow", counts=False)
    if log.compacted:
        yield Weakness("cleanup.policy=compact", "only the latest record of a key is kept", counts=False)
