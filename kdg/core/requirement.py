"""Owns what a guarantee can require of a cluster: a setting of a topic or of the transaction log, and its least value.

Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Log(StrEnum):
    """The kinds of log that a guarantee has requirements for."""

    TOPIC = "topic"
    TRANSACTION_LOG = "transaction log"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on a log of the cluster.

    log: the kind of log. setting: its name in Kafka. words: how people call it. least: the smallest value that is
    enough; False: the setting has to be false. why: what can happen otherwise.
    """

    log: Log
    setting: str
    words: str
    least: int | Literal[False]
    why: str

    @property
    def phrase(self) -> str:
        """The condition in words: "replication factor >= 3", "no unclean leader election"."""
        return f"no {self.words}" if self.least is False else f"{self.words} >= {self.least}"

    @property
    def change(self) -> str:
        """What to set, as a user can copy it: "min.insync.replicas=2"."""
        return f"{self.setting}={'false' if self.least is False else self.least}"

    def met_by(self, value: int | None) -> bool:
        """Whether a value is enough. An unknown value (None) is not; for a setting that has to be false, 0 is false."""
        if value is None:
            return False
        return not value if self.least is False else value >= self.least


def in_words(requirements: Sequence[Requirement]) -> str:
    """All conditions as one phrase, those of a topic first; "nothing" if there is none."""
    topic = ", ".join(r.phrase for r in requirements if r.log is Log.TOPIC)
    log = ", ".join(r.phrase for r in requirements if r.log is Log.TRANSACTION_LOG)
    return "; for the transaction log ".join(part for part in (topic, log) if part) or "nothing"


REPLICAS = Requirement(
    log=Log.TOPIC,
    setting="replication.factor",
    words="replication factor",
    least=3,
    why="with 1, a single disk holds the only copy; with 2, one broker away leaves one copy or stops writing",
)
IN_SYNC = Requirement(
    log=Log.TOPIC,
    setting="min.insync.replicas",
    words="min.insync.replicas",
    least=2,
    why="with 1, acks=all can mean the leader alone once the followers fall behind",
)
CLEAN_ELECTION = Requirement(
    log=Log.TOPIC,
    setting="unclean.leader.election.enable",
    words="unclean leader election",
    least=False,
    why="a replica that lags behind could become the leader, and acknowledged records would be lost",
)
LOG_REPLICAS = Requirement(
    log=Log.TRANSACTION_LOG,
    setting="transaction.state.log.replication.factor",
    words="replication factor",
    least=3,
    why="the transaction log holds the outcome of every transaction, and has to survive the loss of a broker",
)
LOG_IN_SYNC = Requirement(
    log=Log.TRANSACTION_LOG,
    setting="transaction.state.log.min.isr",
    words="min.insync.replicas",
    least=2,
    why="with 1, the outcome of a transaction can be on the leader alone",
)

DURABLE_TOPIC = (REPLICAS, IN_SYNC, CLEAN_ELECTION)
"""A topic that meets these keeps every acknowledged record if any one broker is lost."""

DURABLE_TRANSACTION_LOG = (LOG_REPLICAS, LOG_IN_SYNC)
"""The same for the transaction log. The broker itself creates that log with unclean.leader.election.enable=false."""
