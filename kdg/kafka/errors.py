"""Owns the translation of librdkafka's errors into kdg's: one table, one function for each kind of call."""

from __future__ import annotations

from collections.abc import Mapping

from confluent_kafka import KafkaError, KafkaException

from kdg.core.ports import TryAgain
from kdg.errors import Fenced, KdgError, OutcomeUnknown, PositionGone, Unreachable, UsageError

E = KafkaError

AUTHENTICATION = frozenset({E._AUTHENTICATION, E.SASL_AUTHENTICATION_FAILED, E._SSL})
NOT_AUTHORISED = {
    E.TOPIC_AUTHORIZATION_FAILED: "READ (to consume), WRITE (to produce) or DESCRIBE on the topic",
    E.GROUP_AUTHORIZATION_FAILED: "READ on the group",
    E.CLUSTER_AUTHORIZATION_FAILED: "IDEMPOTENT_WRITE on the cluster, or WRITE on the topic",
    E.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "WRITE on the transactional id",
}
"""The right that is missing, where the place that asked cannot say it more exactly (`rights`)."""
NO_SUCH_TOPIC = frozenset({E.UNKNOWN_TOPIC_OR_PART, E._UNKNOWN_TOPIC, E._UNKNOWN_PARTITION, E.TOPIC_EXCEPTION})
# _DESTROY: a request that waited on the bootstrap connection when the real one replaced it [seen].
NOT_REACHED = frozenset({E._TRANSPORT, E._ALL_BROKERS_DOWN, E._RESOLVE, E._TIMED_OUT, E._WAIT_COORD, E._DESTROY})
# The group went on without this member: what it wanted to commit is certainly not committed.
NOT_A_MEMBER = frozenset(
    {E.ILLEGAL_GENERATION, E.UNKNOWN_MEMBER_ID, E.REBALANCE_IN_PROGRESS, E.STALE_MEMBER_EPOCH, E._ASSIGNMENT_LOST}
)
_STARTING = frozenset({E.COORDINATOR_LOAD_IN_PROGRESS, E.COORDINATOR_NOT_AVAILABLE, E.NOT_COORDINATOR, E._WAIT_COORD})
# A leader is being elected, or has only just been: the admin client asks no other by itself [seen].
_ELECTING = frozenset(
    {
        E.LEADER_NOT_AVAILABLE,
        E.NOT_LEADER_FOR_PARTITION,
        E.UNKNOWN_LEADER_EPOCH,
        E.FENCED_LEADER_EPOCH,
        E.OFFSET_NOT_AVAILABLE,
        E.REPLICA_NOT_AVAILABLE,
    }
)
FENCED = frozenset({E._FENCED, E.INVALID_PRODUCER_EPOCH, E.PRODUCER_FENCED, E.FENCED_INSTANCE_ID})
# Sending the same record again would fail in the same way.
HOPELESS_RECORD = frozenset(
    {E.MSG_SIZE_TOO_LARGE, E.INVALID_RECORD, E.INVALID_TIMESTAMP, E.INVALID_MSG, E._INVALID_ARG, E._UNKNOWN_PARTITION}
)


def error_of(exc: BaseException) -> KafkaError:
    """The KafkaError inside an exception of the library; a defect of another kind is raised as it is."""
    if isinstance(exc, KafkaException) and exc.args and isinstance(exc.args[0], KafkaError):
        return exc.args[0]
    raise exc


def is_login(error: KafkaError) -> bool:
    """Whether the broker, or this side, refused the login. A TLS alert of the broker's comes as a lost connection [seen]."""
    return error.code() in AUTHENTICATION or (error.code() == E._TRANSPORT and "SSL alert number" in error.str())


def is_passing(error: KafkaError) -> bool:
    """Whether a question may be asked again: nobody answered yet, or a coordinator or a leader is only starting."""
    return error.retriable() or error.code() in NOT_REACHED | _STARTING | _ELECTING


def describe(error: KafkaError) -> str:
    """The library's words, with the name that can be searched for."""
    return f"{error.str()} ({error.name()})"


Rights = Mapping[int, str]


def rights(topic: str = "", operation: str = "READ", group: str | None = None, identity: str | None = None) -> Rights:
    """What a call needs, by the code that says it is missing: the resource and the operation, in Kafka's words."""
    needs = {
        E.TOPIC_AUTHORIZATION_FAILED: f"{operation} on topic {topic}" if topic else "",
        E.GROUP_AUTHORIZATION_FAILED: f"READ on group {group}" if group else "",
        E.CLUSTER_AUTHORIZATION_FAILED: f"IDEMPOTENT_WRITE on the cluster, or WRITE on topic {topic}" if topic else "",
        E.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: f"WRITE on transactional id {identity}" if identity else "",
    }
    return {code: need for code, need in needs.items() if need}


def translate(error: KafkaError, doing: str, needs: Rights | None = None) -> KdgError:
    """What an error means that no retry inside the library mended. `doing` says what kdg was about, in the user's terms."""
    code = error.code()
    if code in NOT_AUTHORISED:
        return Unreachable(
            f"{doing}: not authorised: {({**NOT_AUTHORISED, **(needs or {})})[code]} is missing: {describe(error)}.",
            "Ask for the right, or use another identity.",
        )
    if is_login(error):
        return Unreachable(
            f"{doing}: the broker refused the login: {describe(error)}.",
            "Check security.protocol and the sasl.* and ssl.* settings.",
        )
    if code in NO_SUCH_TOPIC:
        return Unreachable(f"{doing}: {describe(error)}.", "Check the topic's name and partition.")
    # A consumer's fatal error names its cause in the text alone [seen].
    if code in FENCED or (code == E._FATAL and "fenced" in error.str()):
        return Fenced(
            f"{doing}: another instance with this identity took over: {describe(error)}.",
            "Let the other instance work, or give this one an identity of its own.",
        )
    if code == E.INVALID_TRANSACTION_TIMEOUT:
        return UsageError(
            f"{doing}: transaction.timeout.ms is above the broker's transaction.max.timeout.ms: {describe(error)}.",
            "Lower -X transaction.timeout.ms.",
        )
    if code in (E._AUTO_OFFSET_RESET, E.OFFSET_OUT_OF_RANGE):
        return PositionGone(
            f"{doing}: {error.str()}.",
            "The records there are gone, or the topic was made again. Decide where to go on: a new group, or -o.",
        )
    if code in NOT_REACHED:
        return Unreachable(f"{doing}: {describe(error)}.", "Check -b and that the broker runs.")
    return KdgError(f"{doing}: {describe(error)}.")  # fmt: skip


def translate_commit(error: KafkaError, doing: str) -> KdgError:
    """What an error of an offset commit means: certainly without effect, or not known."""
    if error.code() in NOT_A_MEMBER:
        return TryAgain(f"{doing}: the group went on without this instance: {describe(error)}.")
    if is_passing(error):
        return OutcomeUnknown(
            f"{doing}: it is not known whether the position was stored: {describe(error)}.",
            "Run it again: with the same group it goes on from what is stored.",
        )
    return translate(error, doing)  # fmt: skip


def translate_transaction(error: KafkaError, doing: str, needs: Rights | None = None) -> KdgError:
    """What an error of a transactional call means (HAZARDS.md, Errors)."""
    # A static member that the group has replaced, perhaps by itself: the next poll tells (kdg/kafka/source.py).
    if error.code() in FENCED and error.code() != E.FENCED_INSTANCE_ID:
        return translate(error, doing, needs)
    if error.txn_requires_abort():
        if error.code() in NOT_AUTHORISED:
            return translate(error, doing, needs)
        return TryAgain(f"{doing}: {describe(error)}.")
    if (
        error.code() in NOT_AUTHORISED
        or error.code() in AUTHENTICATION
        or error.code() == E.INVALID_TRANSACTION_TIMEOUT
    ):
        return translate(error, doing, needs)
    return OutcomeUnknown(f"{doing}: it is not known whether the transaction took effect: {describe(error)}.", "With --resume or a group, run it again: it finds out. Otherwise look at the topic first.")  # fmt: skip
