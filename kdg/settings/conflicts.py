"""Owns which settings a client refuses together: one table for `check`, which looks for them, and `explain`, which lists them. Pure.

Tried with librdkafka 2.16 and kafka-clients 4.3 (SETTINGS.md, 2b). Names are librdkafka's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from kdg.core.guarantees import Role

LIBRDKAFKA, JAVA = "librdkafka", "java"
_BOTH = (LIBRDKAFKA, JAVA)
MOST_IN_FLIGHT = 5


class Values(Protocol):
    """The settings of one client, defaults included."""

    def value(self, name: str) -> str:
        """A setting as it counts; empty where there is none."""

    def number(self, name: str) -> float:
        """The same as a number; -1 where it is none."""

    def written(self, name: str) -> bool:
        """Whether it was given, not left to the default."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One row: whose client it is, whose library refuses it, the settings it is about, and when it holds.

    change: values that end it.
    """

    role: Role
    clients: tuple[str, ...]
    names: tuple[str, ...]
    says: str
    holds: Callable[[Values], bool]
    change: tuple[tuple[str, str], ...] = ()


def idempotent(v: Values) -> bool:
    """Whether idempotence is asked for: written, by a transactional id, or by default."""
    return v.value("enable.idempotence") == "true" or (
        bool(v.value("transactional.id")) and not v.written("enable.idempotence")
    )


def _asked(v: Values) -> bool:
    """Whether somebody wrote what asks for idempotence; Java drops it without a word where nobody did."""
    return idempotent(v) and (v.written("enable.idempotence") or bool(v.value("transactional.id")))


def _new_groups(v: Values) -> bool:
    return v.value("group.protocol") == "consumer"


def _mixed(v: Values) -> bool:
    kinds = {name.strip() == "cooperative-sticky" for name in v.value("partition.assignment.strategy").split(",")}
    return len(kinds) > 1


_P, _C = Role.PRODUCER, Role.CONSUMER
CONTRADICTIONS = (
    Contradiction(_P, _BOTH, ("enable.idempotence", "acks"), "idempotence needs acks=all", lambda v: _asked(v) and v.value("acks") != "all", (("acks", "all"),)),
    Contradiction(_P, _BOTH, ("enable.idempotence", "message.send.max.retries"), "idempotence needs retries", lambda v: _asked(v) and v.number("message.send.max.retries") == 0, (("message.send.max.retries", "2147483647"),)),
    Contradiction(_P, _BOTH, ("enable.idempotence", "max.in.flight.requests.per.connection"), "idempotence allows 5 requests in flight at most", lambda v: idempotent(v) and v.written("max.in.flight.requests.per.connection") and v.number("max.in.flight.requests.per.connection") > MOST_IN_FLIGHT, (("max.in.flight.requests.per.connection", "5"),)),
    Contradiction(_P, _BOTH, ("transactional.id", "enable.idempotence"), "a transaction needs idempotence", lambda v: bool(v.value("transactional.id")) and v.written("enable.idempotence") and v.value("enable.idempotence") == "false", (("enable.idempotence", "true"),)),
    Contradiction(_P, (JAVA,), ("transactional.id",), "transactional.id may not be empty in Java", lambda v: v.written("transactional.id") and not v.value("transactional.id")),
    Contradiction(_P, (LIBRDKAFKA,), ("enable.gapless.guarantee", "enable.idempotence"), "the gapless guarantee needs idempotence", lambda v: v.value("enable.gapless.guarantee") == "true" and not idempotent(v), (("enable.idempotence", "true"),)),
    Contradiction(_P, (LIBRDKAFKA,), ("enable.idempotence", "queuing.strategy"), "idempotence needs queuing.strategy=fifo", lambda v: idempotent(v) and v.value("queuing.strategy") == "lifo", (("queuing.strategy", "fifo"),)),
    Contradiction(_P, (LIBRDKAFKA,), ("transactional.id", "message.timeout.ms", "transaction.timeout.ms"), "a record may not wait longer than its transaction", lambda v: bool(v.value("transactional.id")) and v.written("message.timeout.ms") and v.number("message.timeout.ms") > v.number("transaction.timeout.ms"), (("message.timeout.ms", "60000"),)),
    Contradiction(_P, (LIBRDKAFKA,), ("transactional.id", "socket.timeout.ms", "transaction.timeout.ms"), "a request may not wait longer than its transaction", lambda v: bool(v.value("transactional.id")) and v.written("socket.timeout.ms") and v.number("socket.timeout.ms") > v.number("transaction.timeout.ms") + 100, (("socket.timeout.ms", "60000"),)),
    Contradiction(_P, (LIBRDKAFKA,), ("message.timeout.ms", "linger.ms"), "a record would time out before it is sent", lambda v: v.written("linger.ms") and 0 < v.number("message.timeout.ms") <= v.number("linger.ms")),
    Contradiction(_P, (JAVA,), ("message.timeout.ms", "linger.ms", "request.timeout.ms"), "delivery.timeout.ms has to be linger.ms and request.timeout.ms together at least", lambda v: v.written("message.timeout.ms") and v.number("message.timeout.ms") < v.number("linger.ms") + max(v.number("socket.timeout.ms"), 0 if v.written("socket.timeout.ms") else 30_000)),
    Contradiction(_C, _BOTH, ("group.id",), "group.id may not be empty", lambda v: v.written("group.id") and not v.value("group.id").strip()),
    Contradiction(_C, (JAVA,), ("group.id", "enable.auto.commit"), "auto-commit needs a group.id", lambda v: not v.value("group.id") and v.written("enable.auto.commit") and v.value("enable.auto.commit") == "true"),
    Contradiction(_C, (LIBRDKAFKA,), ("max.poll.interval.ms", "session.timeout.ms"), "the session may not outlast the time between two polls", lambda v: not _new_groups(v) and v.number("max.poll.interval.ms") < v.number("session.timeout.ms")),
    Contradiction(_C, (JAVA,), ("heartbeat.interval.ms", "session.timeout.ms"), "a heartbeat has to come within the session", lambda v: not _new_groups(v) and v.written("heartbeat.interval.ms") and v.number("heartbeat.interval.ms") >= v.number("session.timeout.ms")),
    Contradiction(_C, _BOTH, ("group.protocol", "session.timeout.ms", "heartbeat.interval.ms", "partition.assignment.strategy"), "with group.protocol=consumer these are the broker's to say", lambda v: _new_groups(v) and any(map(v.written, ("session.timeout.ms", "heartbeat.interval.ms", "partition.assignment.strategy")))),
    Contradiction(_C, (JAVA,), ("group.remote.assignor", "group.protocol"), "group.remote.assignor needs group.protocol=consumer", lambda v: v.written("group.remote.assignor") and not _new_groups(v)),
    Contradiction(_C, (LIBRDKAFKA,), ("partition.assignment.strategy",), "cooperative and eager assignors do not mix", lambda v: v.written("partition.assignment.strategy") and _mixed(v)),
)  # fmt: skip
