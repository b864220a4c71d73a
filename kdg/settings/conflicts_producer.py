"""Owns the settings that a producer refuses together. Pure."""

from __future__ import annotations

from collections.abc import Callable

from kdg.core.guarantees import Role
from kdg.settings.contradiction import BOTH, DROP, JAVA, LIBRDKAFKA, Contradiction, Values
from kdg.settings.librdkafka import LARGEST

MOST_IN_FLIGHT = 5
"""The most requests in flight with idempotence."""
_ACKS, _ID, _ONCE = "acks", "transactional.id", "enable.idempotence"
_RETRIES, _IN_FLIGHT = "message.send.max.retries", "max.in.flight.requests.per.connection"
_GAPLESS, _QUEUE, _LINGER = "enable.gapless.guarantee", "queuing.strategy", "linger.ms"
_TIMEOUT, _SOCKET, _TRANSACTION = "message.timeout.ms", "socket.timeout.ms", "transaction.timeout.ms"
_PRESSURE, _TWO_PHASES = "queue.buffering.backpressure.threshold", "transaction.two.phase.commit.enable"


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


def _times_out_unsent(v: Values) -> bool:
    """Whether a record waits in its batch for longer than it may take. In a transaction its timeout is the limit."""
    follows = bool(v.value(_ID)) and not v.written(_TIMEOUT)
    return v.written(_LINGER) and 0 < v.number(_TRANSACTION if follows else _TIMEOUT) <= v.number(_LINGER)


def _shorter_than_a_request(v: Values) -> bool:
    return v.written(_TIMEOUT) and v.number(_TIMEOUT) < min(v.number(_LINGER), LARGEST) + v.number(_SOCKET)


PRODUCER = (
    Contradiction(
        Role.PRODUCER,
        BOTH,
        (_ONCE, _ACKS),
        "idempotence needs acks=all",
        lambda v: _asked(v) and v.value(_ACKS) != "all" and v.number(_ACKS) != -1,
        change=((_ACKS, "all"),),
    ),
    Contradiction(
        Role.PRODUCER,
        BOTH,
        (_ONCE, _RETRIES),
        "idempotence needs at least one retry",
        lambda v: _asked(v) and v.number(_RETRIES) == 0,
        change=((_RETRIES, "2147483647"),),
    ),
    Contradiction(
        Role.PRODUCER,
        BOTH,
        (_ONCE, _IN_FLIGHT),
        f"idempotence allows at most {MOST_IN_FLIGHT} requests in flight",
        _too_many_in_flight,
        change=((_IN_FLIGHT, str(MOST_IN_FLIGHT)),),
    ),
    Contradiction(
        Role.PRODUCER,
        BOTH,
        (_ID, _ONCE),
        "a transaction needs idempotence",
        _idempotence_off_in_transaction,
        change=((_ONCE, "true"),),
    ),
    Contradiction(
        Role.PRODUCER,
        (JAVA,),
        (_TWO_PHASES, _TRANSACTION),
        "a transaction of two phases has no timeout of its own",
        lambda v: v.value(_TWO_PHASES) == "true" and v.written(_TRANSACTION),
        change=((_TRANSACTION, DROP),),
    ),
    Contradiction(
        Role.PRODUCER,
        (LIBRDKAFKA,),
        (_GAPLESS, _ONCE),
        "the gapless guarantee needs idempotence",
        lambda v: v.value(_GAPLESS) == "true" and not idempotent(v),
        change=((_GAPLESS, DROP),),
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
        (_ONCE, _PRESSURE),
        "idempotence needs queue.buffering.backpressure.threshold=1",
        lambda v: idempotent(v) and v.number(_PRESSURE) > 1,
        change=((_PRESSURE, "1"),),
    ),
    Contradiction(
        Role.PRODUCER,
        (LIBRDKAFKA,),
        (_ID, _TIMEOUT, _TRANSACTION),
        "the timeout of a record may not be longer than that of its transaction",
        _longer_than_transaction(_TIMEOUT),
        change=((_TIMEOUT, DROP),),
    ),
    Contradiction(
        Role.PRODUCER,
        (LIBRDKAFKA,),
        (_ID, _SOCKET, _TRANSACTION),
        "the timeout of a request may not be longer than that of its transaction",
        _longer_than_transaction(_SOCKET, margin=100),
        change=((_SOCKET, DROP),),
    ),
    Contradiction(
        Role.PRODUCER,
        (LIBRDKAFKA,),
        (_TIMEOUT, _LINGER),
        "a record would time out before it is sent; some versions start, and refuse each record instead",
        _times_out_unsent,
        change=((_LINGER, DROP),),
    ),
    Contradiction(
        Role.PRODUCER,
        (JAVA,),
        (_TIMEOUT, _LINGER, _SOCKET),
        "delivery.timeout.ms must be at least the sum of linger.ms and request.timeout.ms",
        _shorter_than_a_request,
        change=((_TIMEOUT, DROP),),
    ),
)
