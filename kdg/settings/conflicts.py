"""Owns the settings that a client refuses together. `kdg check` finds them, `kdg explain contradictions` lists them.

Tried with librdkafka 2.16 and kafka-clients 4.3. Names are librdkafka's. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from kdg.core.guarantees import Role

LIBRDKAFKA, JAVA = "librdkafka", "java"
_BOTH = (LIBRDKAFKA, JAVA)
MOST_IN_FLIGHT = 5
"""The most requests in flight with idempotence."""
JAVA_REQUEST_TIMEOUT_MS = 30_000
"""Java's default of request.timeout.ms."""


class Values(Protocol):
    """The settings of one client, defaults included."""

    def value(self, name: str) -> str:
        """The value that the client uses; "" if there is none."""

    def number(self, name: str) -> float:
        """The value as a number; -1 if it is not a number."""

    def written(self, name: str) -> bool:
        """Whether the configuration sets it, so that it is not the default."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Settings with which a client does not start.

    role: for producers or for consumers. clients: the libraries that refuse the settings. names: the settings.
    says: the rule that they break. holds: whether given settings break it. change: values that end the contradiction.
    """

    role: Role
    clients: tuple[str, ...]
    names: tuple[str, ...]
    says: str
    holds: Callable[[Values], bool]
    change: tuple[tuple[str, str], ...] = ()


# ── producers ──

_ACKS, _ID, _ONCE = "acks", "transactional.id", "enable.idempotence"
_RETRIES, _IN_FLIGHT = "message.send.max.retries", "max.in.flight.requests.per.connection"
_GAPLESS, _QUEUE, _LINGER = "enable.gapless.guarantee", "queuing.strategy", "linger.ms"
_TIMEOUT, _SOCKET, _TRANSACTION = "message.timeout.ms", "socket.timeout.ms", "transaction.timeout.ms"


def idempotent(v: Values) -> bool:
    """Whether the settings ask for idempotence: directly, by a transactional id, or by default."""
    return v.value(_ONCE) == "true" or (bool(v.value(_ID)) and not v.written(_ONCE))


def _asked(v: Values) -> bool:
    """Whether the configuration itself asks for idempotence.

    If idempotence is only the default, Java switches it off without an error.
    """
    return idempotent(v) and (v.written(_ONCE) or bool(v.value(_ID)))


def _too_many_in_flight(v: Values) -> bool:
    return idempotent(v) and v.written(_IN_FLIGHT) and v.number(_IN_FLIGHT) > MOST_IN_FLIGHT


def _idempotence_off_in_transaction(v: Values) -> bool:
    return bool(v.value(_ID)) and v.written(_ONCE) and v.value(_ONCE) == "false"


def _longer_than_transaction(name: str, margin: int = 0) -> Callable[[Values], bool]:
    """Whether a timeout is set to more than the transaction's. margin: milliseconds by which it may be longer."""
    return lambda v: bool(v.value(_ID)) and v.written(name) and v.number(name) > v.number(_TRANSACTION) + margin


def _shorter_than_a_request(v: Values) -> bool:
    request = max(v.number(_SOCKET), 0 if v.written(_SOCKET) else JAVA_REQUEST_TIMEOUT_MS)
    return v.written(_TIMEOUT) and v.number(_TIMEOUT) < v.number(_LINGER) + request


_PRODUCER = (
    Contradiction(
        Role.PRODUCER,
        _BOTH,
        (_ONCE, _ACKS),
        "idempotence needs acks=all",
        lambda v: _asked(v) and v.value(_ACKS) != "all",
        change=((_ACKS, "all"),),
    ),
    Contradiction(
        Role.PRODUCER,
        _BOTH,
        (_ONCE, _RETRIES),
        "idempotence needs at least one retry",
        lambda v: _asked(v) and v.number(_RETRIES) == 0,
        change=((_RETRIES, "2147483647"),),
    ),
    Contradiction(
        Role.PRODUCER,
        _BOTH,
        (_ONCE, _IN_FLIGHT),
        f"idempotence allows at most {MOST_IN_FLIGHT} requests in flight",
        _too_many_in_flight,
        change=((_IN_FLIGHT, str(MOST_IN_FLIGHT)),),
    ),
    Contradiction(
        Role.PRODUCER,
        _BOTH,
        (_ID, _ONCE),
        "a transaction needs idempotence",
        _idempotence_off_in_transaction,
        change=((_ONCE, "true"),),
    ),
    Contradiction(
        Role.PRODUCER,
        (JAVA,),
        (_ID,),
        "transactional.id may not be empty in Java",
        lambda v: v.written(_ID) and not v.value(_ID),
    ),
    Contradiction(
        Role.PRODUCER,
        (LIBRDKAFKA,),
        (_GAPLESS, _ONCE),
        "the gapless guarantee needs idempotence",
        lambda v: v.value(_GAPLESS) == "true" and not idempotent(v),
        change=((_ONCE, "true"),),
    ),
    Contradiction(
        Role.PRODUCER,
        (LIBRDKAFKA,),
        (_ONCE, _QUEUE),
        "idempotence needs queuing.strategy=fifo",
        lambda v: idempotent(v) and v.value(_QUEUE) == "lifo",
        change=((_QUEUE, "fifo"),),
    ),
    Contradiction(
        Role.PRODUCER,
        (LIBRDKAFKA,),
        (_ID, _TIMEOUT, _TRANSACTION),
        "the timeout of a record may not be longer than that of its transaction",
        _longer_than_transaction(_TIMEOUT),
        change=((_TIMEOUT, "60000"),),
    ),
    Contradiction(
        Role.PRODUCER,
        (LIBRDKAFKA,),
        (_ID, _SOCKET, _TRANSACTION),
        "the timeout of a request may not be longer than that of its transaction",
        _longer_than_transaction(_SOCKET, margin=100),
        change=((_SOCKET, "60000"),),
    ),
    Contradiction(
        Role.PRODUCER,
        (LIBRDKAFKA,),
        (_TIMEOUT, _LINGER),
        "a record would time out before it is sent",
        lambda v: v.written(_LINGER) and 0 < v.number(_TIMEOUT) <= v.number(_LINGER),
    ),
    Contradiction(
        Role.PRODUCER,
        (JAVA,),
        (_TIMEOUT, _LINGER, "request.timeout.ms"),
        "delivery.timeout.ms must be at least the sum of linger.ms and request.timeout.ms",
        _shorter_than_a_request,
    ),
)


# ── consumers ──

_GROUP, _AUTO, _PROTOCOL = "group.id", "enable.auto.commit", "group.protocol"
_POLL, _SESSION, _HEARTBEAT = "max.poll.interval.ms", "session.timeout.ms", "heartbeat.interval.ms"
_ASSIGNOR, _REMOTE_ASSIGNOR = "partition.assignment.strategy", "group.remote.assignor"


def _new_protocol(v: Values) -> bool:
    """Whether the consumer uses KIP-848's group protocol."""
    return v.value(_PROTOCOL) == "consumer"


def _no_group_for_auto_commit(v: Values) -> bool:
    return not v.value(_GROUP) and v.written(_AUTO) and v.value(_AUTO) == "true"


def _heartbeat_too_slow(v: Values) -> bool:
    return not _new_protocol(v) and v.written(_HEARTBEAT) and v.number(_HEARTBEAT) >= v.number(_SESSION)


def _mixed_assignors(v: Values) -> bool:
    kinds = {name.strip() == "cooperative-sticky" for name in v.value(_ASSIGNOR).split(",")}
    return v.written(_ASSIGNOR) and len(kinds) > 1


_CONSUMER = (
    Contradiction(
        Role.CONSUMER,
        _BOTH,
        (_GROUP,),
        "group.id may not be empty",
        lambda v: v.written(_GROUP) and not v.value(_GROUP).strip(),
    ),
    Contradiction(
        Role.CONSUMER,
        (JAVA,),
        (_GROUP, _AUTO),
        "auto-commit needs a group.id",
        _no_group_for_auto_commit,
    ),
    Contradiction(
        Role.CONSUMER,
        (LIBRDKAFKA,),
        (_POLL, _SESSION),
        "the session timeout may not be longer than the time between two polls",
        lambda v: not _new_protocol(v) and v.number(_POLL) < v.number(_SESSION),
    ),
    Contradiction(
        Role.CONSUMER,
        (JAVA,),
        (_HEARTBEAT, _SESSION),
        "the heartbeat interval must be shorter than the session timeout",
        _heartbeat_too_slow,
    ),
    Contradiction(
        Role.CONSUMER,
        _BOTH,
        (_PROTOCOL, _SESSION, _HEARTBEAT, _ASSIGNOR),
        "with group.protocol=consumer the broker decides these settings",
        lambda v: _new_protocol(v) and any(map(v.written, (_SESSION, _HEARTBEAT, _ASSIGNOR))),
    ),
    Contradiction(
        Role.CONSUMER,
        (JAVA,),
        (_REMOTE_ASSIGNOR, _PROTOCOL),
        "group.remote.assignor needs group.protocol=consumer",
        lambda v: v.written(_REMOTE_ASSIGNOR) and not _new_protocol(v),
    ),
    Contradiction(
        Role.CONSUMER,
        (LIBRDKAFKA,),
        (_ASSIGNOR,),
        "cooperative and eager assignors cannot be combined",
        _mixed_assignors,
    ),
)

CONTRADICTIONS = _PRODUCER + _CONSUMER
