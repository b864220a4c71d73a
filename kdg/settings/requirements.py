"""Owns what a guarantee asks of the cluster, and what a topic lacks of it. Pure: facts in, sentences out (SETTINGS.md, section 3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

REPLICAS = 3
IN_SYNC = 2


@dataclass(frozen=True, slots=True)
class LogFacts:
    """What is known of a topic or of the transaction log; None where the user may not look."""

    name: str
    replicas: int | None
    min_in_sync: int | None
    unclean_election: bool | None = False
    in_sync: int | None = None
    compacted: bool = False


def shortfalls(logs: Iterable[LogFacts]) -> list[str]:
    """What is missing or unknown, one phrase a log; empty when all that is asked for is there."""
    return [f"{log.name} has {', '.join(lacks)}" for log in logs if (lacks := _lacks(log))]


def _lacks(log: LogFacts) -> list[str]:
    lacks = []
    if log.replicas is None or log.replicas < REPLICAS:
        lacks.append(f"replication factor {_shown(log.replicas)}")
    if log.min_in_sync is None or log.min_in_sync < IN_SYNC:
        lacks.append(f"min.insync.replicas {_shown(log.min_in_sync)}")
    if log.unclean_election is not False:
        lacks.append("unclean leader election" + (" unknown" if log.unclean_election is None else ""))
    return lacks


def _shown(number: int | None) -> str:
    return "unknown" if number is None else str(number)
