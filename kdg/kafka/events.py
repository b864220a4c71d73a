"""Owns what becomes of an error that the client library reports by itself: it ends the run, is noted once, or passes.

The library reports such events in a consumer's messages and to `error_cb`. An event in no table below is noted: nothing
that the library reports is dropped. kdg/kafka/errors.py has the tables for calls that fail.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from confluent_kafka import KafkaError

from kdg.errors import KdgError, PositionGone, UsageError
from kdg.kafka.errors import (
    ELECTING,
    NOT_A_MEMBER,
    NOT_REACHED,
    QUESTIONS,
    STARTING,
)
from kdg.kafka.login_errors import is_login, is_lost
from kdg.kafka.row import Row

E = KafkaError


class Fate(Enum):
    """What becomes of an event."""

    ENDS = "ends the run"
    NOTED = "is reported once, and the run goes on"
    PASSES = "is the library's own work"


# ── events that end the run ──

DAMAGED = frozenset({E._BAD_MSG, E._BAD_COMPRESSION, E.INVALID_MSG, E.INVALID_MSG_SIZE, E.INVALID_RECORD})
"""The bytes of a batch are not those that were written."""
UNREADABLE = DAMAGED | {E._NOT_IMPLEMENTED, E.UNSUPPORTED_COMPRESSION_TYPE, E.MSG_SIZE_TOO_LARGE}
"""The batch at one offset of one partition cannot be read; what comes before it can."""

ENDING: tuple[Row, ...] = (
    Row(
        DAMAGED,
        KdgError,
        "{doing}: the bytes there are damaged: {error}.",
        "No record from there on was handed out. Restore the partition from another replica, or start after the "
        "damaged batch: with a new group (-G) and -o.",
    ),
    Row(
        frozenset({E.MSG_SIZE_TOO_LARGE, E.RECORD_LIST_TOO_LARGE}),
        KdgError,
        "{doing}: the batch there does not fit into {setting[receive.message.max.bytes]}: {error}.",
        "Raise -X receive.message.max.bytes, and -X fetch.max.bytes with it.",
    ),
    Row(
        frozenset({E._NOT_IMPLEMENTED, E.UNSUPPORTED_COMPRESSION_TYPE, E.UNSUPPORTED_FOR_MESSAGE_FORMAT}),
        KdgError,
        "{doing}: this version of the Kafka client cannot read the format of the records there: {error}.",
        "Look with a Java client, which knows every format; or the records are damaged.",
    ),
    Row(
        frozenset({E.INVALID_SESSION_TIMEOUT}),
        UsageError,
        "{doing}: the broker does not allow {setting[session.timeout.ms]}: {error}.",
        "Set -X session.timeout.ms between the broker's group.min.session.timeout.ms and group.max.session.timeout.ms "
        "(6000 and 1800000, unless the broker says otherwise).",
    ),
    Row(
        frozenset({E.INCONSISTENT_GROUP_PROTOCOL}),
        UsageError,
        "{doing}: the other members of the group do not have {setting[partition.assignment.strategy]} or "
        "{setting[group.protocol]}: {error}.",
        "Give both settings the values that the other members have, or use another group (-G).",
    ),
    Row(
        frozenset({E.GROUP_MAX_SIZE_REACHED}),
        KdgError,
        "{doing}: the group has as many members as the broker allows (group.max.size): {error}.",
        "Stop another instance, or raise group.max.size on the brokers.",
    ),
    Row(
        frozenset({E.INVALID_GROUP_ID}),
        UsageError,
        "{doing}: the broker does not allow this name of a group: {error}.",
        "Choose another group (-G).",
    ),
    Row(
        frozenset({E.UNSUPPORTED_ASSIGNOR}),
        UsageError,
        "{doing}: the broker does not have {setting[group.remote.assignor]}: {error}.",
        "Drop -X group.remote.assignor, or name one of the broker's group.consumer.assignors.",
    ),
    Row(
        frozenset({E.INVALID_REGULAR_EXPRESSION}),
        UsageError,
        "{doing}: the broker does not understand the pattern of topics: {error}.",
        "Change the pattern: with group.protocol=consumer the broker reads it, as RE2.",
    ),
    Row(
        frozenset({E.UNSUPPORTED_VERSION, E._UNSUPPORTED_FEATURE, E._UNKNOWN_PROTOCOL, E.INVALID_REQUEST}),
        KdgError,
        "{doing}: the broker does not know what this client asks for: {error}.",
        "Drop the settings that this version of the broker does not have, such as -X group.protocol=consumer "
        "(Kafka 4.0), or use a newer broker.",
    ),
    Row(
        frozenset({E._INVALID_ARG, E._NOT_CONFIGURED, E.INVALID_CONFIG, E.POLICY_VIOLATION, E.SECURITY_DISABLED}),
        UsageError,
        "{doing}: a setting is not possible: {error}.",
        "Change the setting that the message names.",
    ),
    Row(
        frozenset({E._LOG_TRUNCATION}),
        PositionGone,
        "{doing}: the records before this position are not in the log any more: {error}.",
        "A replica that lagged behind became the leader, and the log ends earlier. Choose where to start: a new group "
        "(-G), or -o.",
    ),
    Row(
        frozenset({E._CRIT_SYS_RESOURCE, E._FS}),
        KdgError,
        "{doing}: the Kafka client cannot go on: {error}.",
        "Run it again.",
    ),
)
"""Rows of events; those that a failed call can have as well are in QUESTIONS, and `fate` looks at both."""


# ── events that pass ──


class Passing(NamedTuple):
    """Events of which nobody needs to hear. why: the reason."""

    codes: frozenset[int]
    why: str


PASSES: tuple[Passing, ...] = (
    Passing(
        NOT_REACHED,
        "the library connects again; what the run waits for longer than 5 s is reported by the wait, with this error",
    ),
    Passing(STARTING, "the library asks the coordinator again"),
    Passing(ELECTING, "the library asks for the new leader"),
    Passing(
        NOT_A_MEMBER | {E.FENCED_MEMBER_EPOCH, E.MEMBER_ID_REQUIRED},
        "the library joins the group again, and the rebalance callback settles or drops the batch",
    ),
    Passing(
        frozenset(
            {
                E.REQUEST_TIMED_OUT,
                E.NETWORK_EXCEPTION,
                E.BROKER_NOT_AVAILABLE,
                E.THROTTLING_QUOTA_EXCEEDED,
                E.UNSTABLE_OFFSET_COMMIT,
                E._RETRY,
            }
        ),
        "the library sends the request again",
    ),
    Passing(
        frozenset(
            {
                E.FETCH_SESSION_ID_NOT_FOUND,
                E.INVALID_FETCH_SESSION_EPOCH,
                E.UNKNOWN_TOPIC_ID,
                E.INCONSISTENT_TOPIC_ID,
                E.REBOOTSTRAP_REQUIRED,
            }
        ),
        "the library asks for the metadata again; that a topic was made again is noticed by its id (hazard 13)",
    ),
    Passing(
        frozenset({E.NO_ERROR, E._PARTITION_EOF, E._ASSIGN_PARTITIONS, E._REVOKE_PARTITIONS, E._NOOP}),
        "not an error: the end of a partition, or a rebalance",
    ),
    Passing(
        frozenset({E._OUTDATED, E._INTR, E._NODE_UPDATE, E._DESTROY_BROKER}),
        "about a connection or a request that the library has given up and replaced",
    ),
)


# ── questions about one event ──

_ENDS = frozenset().union(*(row.codes for row in (*ENDING, *QUESTIONS) if row.codes is not None)) - NOT_REACHED
_PASSES = frozenset().union(*(row.codes for row in PASSES))
EVENTS: tuple[Row, ...] = (*ENDING, *QUESTIONS)
"""The table for `translate`."""


def fate(error: KafkaError) -> Fate:
    """What becomes of an event. If the library calls it fatal, it ends the run."""
    if is_lost(error):
        return Fate.PASSES
    if error.fatal() or is_login(error) or error.code() in _ENDS:
        return Fate.ENDS
    return Fate.PASSES if error.code() in _PASSES or error.retriable() else Fate.NOTED
