"""Owns what an error of the client library means for a run: the exception of kdg, its text and its hint.

There is a table for each of three kinds of calls: QUESTIONS (look-ups, reading, producing), COMMITS (offset commits)
and TRANSACTIONS (transactional calls). `translate` uses the first row that fits. The exception carries the exit code.
"""

from __future__ import annotations

from collections.abc import Mapping

from confluent_kafka import KafkaError, KafkaException

from kdg.core.ports import TryAgain
from kdg.errors import Fenced, KdgError, OutcomeUnknown, PositionGone, Unreachable, UsageError
from kdg.kafka.login_errors import LOGINS, NO_CERTIFICATE, TLS_ALERT
from kdg.kafka.row import Row, says

E = KafkaError

# ── sets of codes ──

NOT_AUTHORISED = {
    E.TOPIC_AUTHORIZATION_FAILED: "READ (to consume), WRITE (to produce) or DESCRIBE on the topic",
    E.GROUP_AUTHORIZATION_FAILED: "READ on the group",
    E.CLUSTER_AUTHORIZATION_FAILED: "IDEMPOTENT_WRITE on the cluster, or WRITE on the topic",
    E.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "WRITE on the transactional id",
}
"""The right that is missing, by code. `rights` names the resource as well, where the caller knows it."""
NO_SUCH_TOPIC = frozenset({E.UNKNOWN_TOPIC_OR_PART, E._UNKNOWN_TOPIC, E._UNKNOWN_PARTITION, E.TOPIC_EXCEPTION})
POSITION_GONE = frozenset({E._AUTO_OFFSET_RESET, E._LOG_TRUNCATION, E.OFFSET_OUT_OF_RANGE})
FENCED = frozenset({E._FENCED, E.INVALID_PRODUCER_EPOCH, E.PRODUCER_FENCED, E.FENCED_INSTANCE_ID})
NOT_A_MEMBER = frozenset(
    {E.ILLEGAL_GENERATION, E.UNKNOWN_MEMBER_ID, E.REBALANCE_IN_PROGRESS, E.STALE_MEMBER_EPOCH, E._ASSIGNMENT_LOST}
)
"""The group has rebalanced without this member. The broker has certainly not stored the offsets of the commit."""
NOT_REACHED = frozenset(
    {
        E._TRANSPORT,
        E._ALL_BROKERS_DOWN,
        E._RESOLVE,
        E._TIMED_OUT,
        E._TIMED_OUT_QUEUE,
        E._WAIT_COORD,
        E._FAIL,
        E._NODE_UPDATE,
        E._DESTROY,
        E._DESTROY_BROKER,
    }
)
"""No broker has answered. _DESTROY, _DESTROY_BROKER: the connection that had the request was replaced [seen]."""
STARTING = frozenset({E.COORDINATOR_LOAD_IN_PROGRESS, E.COORDINATOR_NOT_AVAILABLE, E.NOT_COORDINATOR, E._WAIT_COORD})
"""The coordinator of a group or of a transactional id is only starting."""
ELECTING = frozenset(
    {
        E.LEADER_NOT_AVAILABLE,
        E.NOT_LEADER_FOR_PARTITION,
        E.UNKNOWN_LEADER_EPOCH,
        E.FENCED_LEADER_EPOCH,
        E.OFFSET_NOT_AVAILABLE,
        E.REPLICA_NOT_AVAILABLE,
    }
)
"""A partition is getting a new leader. The admin client does not ask the new leader by itself [seen]."""
PASSING = NOT_REACHED | STARTING | ELECTING
"""Errors that go away by themselves: the same call may succeed later."""
HOPELESS_RECORD = frozenset(
    {E.MSG_SIZE_TOO_LARGE, E.INVALID_RECORD, E.INVALID_TIMESTAMP, E.INVALID_MSG, E._INVALID_ARG, E._UNKNOWN_PARTITION}
)
"""Reasons in a delivery report for which sending the same record again would fail again."""
REFUSED = frozenset(
    {
        E.MSG_SIZE_TOO_LARGE,
        E.INVALID_RECORD,
        E.INVALID_TIMESTAMP,
        E.INVALID_MSG,
        E.INVALID_MSG_SIZE,
        E.UNSUPPORTED_FOR_MESSAGE_FORMAT,
        E.POLICY_VIOLATION,
        E._INVALID_DIFFERENT_RECORD,
    }
)
"""Reasons with which a broker refuses a whole batch; nothing of it is in the topic."""
STOPPED = frozenset(
    {
        E._PURGE_QUEUE,
        E._PURGE_INFLIGHT,
        E._FATAL,
        E._STATE,
        E._GAPLESS_GUARANTEE,
        E.OUT_OF_ORDER_SEQUENCE_NUMBER,
    }
)
"""Reasons of records that were waiting when the producer stopped at a refused batch."""
OUTCOME_UNKNOWN = frozenset({E._MSG_TIMED_OUT, E._PURGE_INFLIGHT, E.REQUEST_TIMED_OUT, E._TIMED_OUT, E._TRANSPORT})
"""Reasons in a delivery report after which the record may be in the topic all the same (hazard 7)."""


# ── the tables ──


LOOK_UP_OUTCOME = "With --resume or a group, run it again: it looks up the outcome. Otherwise look at the topic first."
"""What to do after a transactional call whose outcome is unknown."""

_DENIED = Row(
    frozenset(NOT_AUTHORISED),
    Unreachable,
    "{doing}: not authorised: {right} is missing: {error}.",
    "Ask for the right, or use another identity.",
)
_TAKEN_OVER = Row(
    FENCED,
    Fenced,
    "{doing}: another instance with this identity took over: {error}.",
    "Let the other instance work, or give this instance an identity of its own.",
)
_STILL_USED = Row(
    frozenset({E.UNRELEASED_INSTANCE_ID}),
    Fenced,
    "{doing}: the group has another member with this group.instance.id: {error}.",
    "Give each instance a group.instance.id of its own. After a crash, start it again when the broker has forgotten "
    "the former member: after group.consumer.session.timeout.ms (45 s).",
)
_TIMEOUT_TOO_LONG = Row(
    frozenset({E.INVALID_TRANSACTION_TIMEOUT}),
    UsageError,
    "{doing}: transaction.timeout.ms is above the broker's transaction.max.timeout.ms: {error}.",
    "Lower -X transaction.timeout.ms.",
)
_UNCERTAIN_COMMIT = Row(
    PASSING,
    OutcomeUnknown,
    "{doing}: it is not known whether the position was stored: {error}.",
    "Run it again with the same group: it goes on from the stored position.",
)

_ANY_CALL = (
    _DENIED,
    *LOGINS,
    Row(NO_SUCH_TOPIC, Unreachable, "{doing}: {error}.", "Check the topic's name and partition."),
    _TAKEN_OVER,
    # The fatal error of a consumer names its cause in the text alone [seen].
    _TAKEN_OVER._replace(codes=frozenset({E._FATAL}), only=says("fenced")),
    _STILL_USED,
    _STILL_USED._replace(codes=frozenset({E._FATAL}), only=says("instance ID is still used")),
    _TIMEOUT_TOO_LONG,
    Row(
        POSITION_GONE,
        PositionGone,
        "{doing}: {text}.",
        "The records at this position were deleted, or the topic was. Go on with another group (-G), or without one "
        "run it again.",
    ),
    Row(None, KdgError, "{doing}: {error}."),
)

QUESTIONS: tuple[Row, ...] = (
    NO_CERTIFICATE,
    TLS_ALERT,
    Row(NOT_REACHED, Unreachable, "{doing}: {error}.", "Check -b and that the broker runs."),
    *_ANY_CALL,
)
"""Look-ups, reading, producing: errors that say nothing about a commit."""

COMMITS: tuple[Row, ...] = (
    Row(NOT_A_MEMBER, TryAgain, "{doing}: the group has rebalanced without this instance: {error}."),
    Row(
        NO_SUCH_TOPIC,
        PositionGone,
        "{doing}: the topic or the partition was deleted, and with it the position: {error}.",
        "A topic that was made again begins anew: run it again to read what is there now.",
    ),
    _UNCERTAIN_COMMIT,
    _UNCERTAIN_COMMIT._replace(codes=None, only=KafkaError.retriable),
    *(row for row in _ANY_CALL if row.codes != NO_SUCH_TOPIC),
)
"""Commits of offsets: the position was certainly not stored (TryAgain), or its state is unknown (OutcomeUnknown)."""

TRANSACTIONS: tuple[Row, ...] = (
    # Not a static member that the group has replaced, perhaps by this instance itself (hazard 23): poll() reports that.
    _TAKEN_OVER._replace(codes=FENCED - {E.FENCED_INSTANCE_ID}),
    _DENIED,
    Row(None, TryAgain, "{doing}: {error}.", only=KafkaError.txn_requires_abort),
    *LOGINS,
    _TIMEOUT_TOO_LONG,
    Row(
        None,
        OutcomeUnknown,
        "{doing}: it is not known whether the transaction took effect: {error}.",
        LOOK_UP_OUTCOME,
    ),
)
"""Transactional calls: abort and repeat (TryAgain), or a new producer that looks up the outcome (OutcomeUnknown)."""


Rights = Mapping[int, str]


def translate(
    error: KafkaError,
    doing: str,
    needs: Rights | None = None,
    *,
    table: tuple[Row, ...] = QUESTIONS,
    settings: Mapping[str, str] | None = None,
) -> KdgError:
    """The exception for an error that the library could not solve by retrying.

    doing: what kdg was doing, in the user's words, such as "looking up topic orders". needs: see `rights`.
    settings: of the client, for the rows that name one.
    """
    row = next(row for row in table if row.fits(error))
    right = {**NOT_AUTHORISED, **(needs or {})}.get(error.code(), "")
    return row.exception(fill(row.text, error, doing, right, settings), row.hint)


class _Named(dict[str, str]):
    """Settings as a message shows them: "linger.ms=5", or only the name if the library's default applies."""

    def __missing__(self, name: str) -> str:
        return name


def fill(text: str, error: KafkaError, doing: str, right: str = "", settings: Mapping[str, str] | None = None) -> str:
    """The text of a Row with its gaps filled."""
    named = _Named({name: f"{name}={value}" for name, value in (settings or {}).items()})
    return text.format(doing=doing, error=describe(error), text=error.str(), right=right, setting=named)


def rights(topic: str = "", operation: str = "READ", group: str | None = None, identity: str | None = None) -> Rights:
    """The rights that a call needs: operation and resource, in Kafka's words, by the code that says it is missing.

    Example: `rights(group="g")` is `{GROUP_AUTHORIZATION_FAILED: "READ on group g"}`.
    """
    needs = {
        E.TOPIC_AUTHORIZATION_FAILED: f"{operation} on topic {topic}" if topic else "",
        E.GROUP_AUTHORIZATION_FAILED: f"READ on group {group}" if group else "",
        E.CLUSTER_AUTHORIZATION_FAILED: f"IDEMPOTENT_WRITE on the cluster, or WRITE on topic {topic}" if topic else "",
        E.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: f"WRITE on transactional id {identity}" if identity else "",
    }
    return {code: need for code, need in needs.items() if need}


# ── questions about one error ──


def error_of(exc: BaseException) -> KafkaError:
    """The KafkaError inside an exception of the library. Any other exception is a defect, and is raised again."""
    if isinstance(exc, KafkaException) and exc.args and isinstance(exc.args[0], KafkaError):
        return exc.args[0]
    raise exc


def describe(error: KafkaError) -> str:
    """The library's text, with the error's name that one can search for."""
    return f"{error.str()} ({error.name()})"


def is_passing(error: KafkaError) -> bool:
    """Whether the same call may succeed later: no broker has answered yet, or a coordinator or a leader is starting."""
    return error.retriable() or error.code() in PASSING
