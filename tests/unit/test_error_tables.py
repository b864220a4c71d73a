"""The tables of errors: every constant of the library has its place, and every row is reached."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError

from kdg.core.ports import TryAgain
from kdg.errors import Fenced, KdgError, OutcomeUnknown, PositionGone, Unreachable, UsageError
from kdg.kafka import errors
from kdg.kafka.errors import COMMITS, QUESTIONS, TRANSACTIONS, is_passing, rights, translate
from kdg.kafka.events import Fate, fate
from kdg.kafka.login_errors import is_login
from kdg.kafka.row import Row

E = KafkaError
CODES = {name: code for name, code in vars(KafkaError).items() if isinstance(code, int)}

RECORDS = frozenset(
    {
        E._MSG_TIMED_OUT, E._PURGE_QUEUE, E._PURGE_INFLIGHT, E._QUEUE_FULL, E._INVALID_ARG, E._ISR_INSUFF,
        E._INVALID_DIFFERENT_RECORD, E.MSG_SIZE_TOO_LARGE, E.RECORD_LIST_TOO_LARGE,
        E.INVALID_MSG, E.INVALID_MSG_SIZE, E.INVALID_RECORD, E.INVALID_TIMESTAMP, E.INVALID_REQUIRED_ACKS,
        E.NOT_ENOUGH_REPLICAS, E.NOT_ENOUGH_REPLICAS_AFTER_APPEND, E.UNSUPPORTED_COMPRESSION_TYPE,
        E.UNSUPPORTED_FOR_MESSAGE_FORMAT, E.REQUEST_TIMED_OUT, E.NETWORK_EXCEPTION, E.KAFKA_STORAGE_ERROR,
        E.POLICY_VIOLATION, E.THROTTLING_QUOTA_EXCEEDED, E.BROKER_NOT_AVAILABLE,
    }
)  # fmt: skip
"""Generic because they come in the delivery report of a record, which is named with the library's own text."""

PRODUCER_STATE = frozenset(
    {
        E.OUT_OF_ORDER_SEQUENCE_NUMBER, E.DUPLICATE_SEQUENCE_NUMBER, E.UNKNOWN_PRODUCER_ID, E._GAPLESS_GUARANTEE,
        E.INVALID_PRODUCER_ID_MAPPING, E.INVALID_TXN_STATE, E.CONCURRENT_TRANSACTIONS, E._STATE, E._CONFLICT,
        E._PREV_IN_PROGRESS, E.TRANSACTION_COORDINATOR_FENCED, E.TRANSACTION_ABORTABLE, E._INCONSISTENT,
        E.OFFSET_METADATA_TOO_LARGE, E._NOT_CONFIGURED,
    }
)  # fmt: skip
"""Generic because the flag of the error decides in a transaction (`txn_requires_abort`), and its text says the rest."""

GROUP_STATE = frozenset(
    {
        E.INCONSISTENT_GROUP_PROTOCOL, E.INVALID_GROUP_ID, E.INVALID_SESSION_TIMEOUT, E.INVALID_COMMIT_OFFSET_SIZE,
        E.NON_EMPTY_GROUP, E.GROUP_ID_NOT_FOUND, E.MEMBER_ID_REQUIRED, E.GROUP_MAX_SIZE_REACHED,
        E.GROUP_SUBSCRIBED_TO_TOPIC, E.UNSTABLE_OFFSET_COMMIT, E.FENCED_MEMBER_EPOCH,
        E.UNSUPPORTED_ASSIGNOR, E._MAX_POLL_EXCEEDED, E._UNKNOWN_GROUP, E._EXISTING_SUBSCRIPTION,
        E._UNKNOWN_PROTOCOL, E.INVALID_REGULAR_EXPRESSION,
    }
)  # fmt: skip
"""Generic because the library joins the group again, or because a setting of the group is wrong: its text says so."""

READING = frozenset(
    {
        E._PARTITION_EOF, E._ASSIGN_PARTITIONS, E._REVOKE_PARTITIONS, E._NO_OFFSET,
        E._BAD_MSG, E._BAD_COMPRESSION, E._OUTDATED, E.UNKNOWN_TOPIC_ID, E.INCONSISTENT_TOPIC_ID,
        E.FETCH_SESSION_ID_NOT_FOUND, E.INVALID_FETCH_SESSION_EPOCH, E.REBOOTSTRAP_REQUIRED,
    }
)  # fmt: skip
"""Generic because reading handles them before any table is asked, or because the library repairs them itself."""

ADMIN = frozenset(
    {
        E.TOPIC_ALREADY_EXISTS, E.INVALID_PARTITIONS, E.INVALID_REPLICATION_FACTOR, E.INVALID_REPLICA_ASSIGNMENT,
        E.INVALID_CONFIG, E.NOT_CONTROLLER, E.INVALID_REQUEST, E.UNSUPPORTED_VERSION, E.SECURITY_DISABLED,
        E.OPERATION_NOT_ATTEMPTED, E.LOG_DIR_NOT_FOUND, E.REASSIGNMENT_IN_PROGRESS, E.NO_REASSIGNMENT_IN_PROGRESS,
        E.TOPIC_DELETION_DISABLED, E.RESOURCE_NOT_FOUND, E.DUPLICATE_RESOURCE, E.UNACCEPTABLE_CREDENTIAL,
        E.ELECTION_NOT_NEEDED, E.ELIGIBLE_LEADERS_NOT_AVAILABLE, E.PREFERRED_LEADER_NOT_AVAILABLE,
        E.INVALID_PRINCIPAL_TYPE, E.PRINCIPAL_DESERIALIZATION_FAILURE, E.FEATURE_UPDATE_FAILED,
        E.INVALID_UPDATE_VERSION, E.LISTENER_NOT_FOUND, E.DELEGATION_TOKEN_AUTH_DISABLED,
        E.DELEGATION_TOKEN_NOT_FOUND, E.DELEGATION_TOKEN_OWNER_MISMATCH, E.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED,
        E.DELEGATION_TOKEN_AUTHORIZATION_FAILED, E.DELEGATION_TOKEN_EXPIRED, E.UNSUPPORTED_SASL_MECHANISM,
        E.ILLEGAL_SASL_STATE,
    }
)  # fmt: skip
"""Generic because they answer requests that kdg makes only for the sandbox and `kdg verify`, or that it never makes."""

BETWEEN_BROKERS = frozenset(
    {
        E.STALE_CTRL_EPOCH, E.STALE_BROKER_EPOCH, E.INCONSISTENT_VOTER_SET, E.INVALID_VOTER_KEY, E.DUPLICATE_VOTER,
        E.VOTER_NOT_FOUND, E.INVALID_REGISTRATION, E.UNKNOWN_CONTROLLER_ID, E.MISMATCHED_ENDPOINT_TYPE,
        E.UNSUPPORTED_ENDPOINT_TYPE, E.FENCED_STATE_EPOCH,
    }
)  # fmt: skip
"""Generic because only brokers and controllers send them to each other."""

NOT_USED = frozenset(
    {
        E.UNKNOWN_SUBSCRIPTION_ID, E.TELEMETRY_TOO_LARGE, E.INVALID_RECORD_STATE, E.SHARE_SESSION_NOT_FOUND,
        E.INVALID_SHARE_SESSION_EPOCH, E.SHARE_SESSION_LIMIT_REACHED, E.STREAMS_INVALID_TOPOLOGY,
        E.STREAMS_INVALID_TOPOLOGY_EPOCH, E.STREAMS_TOPOLOGY_FENCED, E._KEY_SERIALIZATION, E._VALUE_SERIALIZATION,
        E._KEY_DESERIALIZATION, E._VALUE_DESERIALIZATION, E._APPLICATION, E._NOOP,
    }
)  # fmt: skip
"""Generic because kdg uses no share groups, no Streams, no serializers and no telemetry."""

INSIDE = frozenset(
    {
        E._CRIT_SYS_RESOURCE, E._FS, E._IN_PROGRESS, E._NOT_IMPLEMENTED, E._UNSUPPORTED_FEATURE,
        E._WAIT_CACHE, E._INTR, E._PARTIAL, E._READ_ONLY, E._NOENT, E._UNDERFLOW, E._INVALID_TYPE, E._RETRY,
        E._UNKNOWN_BROKER, E.UNKNOWN, E.NO_ERROR,
    }
)  # fmt: skip
"""Generic because they are about the inside of the library, and only its text can say more."""

GENERIC = (RECORDS, PRODUCER_STATE, GROUP_STATE, READING, ADMIN, BETWEEN_BROKERS, NOT_USED, INSIDE)

TABLES = {"questions": QUESTIONS, "commits": COMMITS, "transactions": TRANSACTIONS}
ROWS = [(name, number) for name, table in TABLES.items() for number in range(len(table))]

DOING = "committing {x}"


TEXTS = (
    None,
    "SSL alert number 42",
    "SSL alert number 116",
    "certificate verify failed",
    "Unsupported SASL mechanism",
    "mechanism handshake failed: Local: Broker transport failure",
    "fenced by another",
    "instance ID is still used",
)


def in_tables() -> frozenset[int]:
    """The codes that a row of a table names."""
    return frozenset().union(*(row.codes for table in TABLES.values() for row in table if row.codes is not None))


def example(table: tuple[Row, ...], wanted: Row) -> KafkaError:
    """An error for which `translate` uses this row."""
    codes = CODES.values() if wanted.codes is None else sorted(wanted.codes)
    tried = (
        KafkaError(code, text, retriable=retriable, txn_requires_abort=abort)
        for text in TEXTS
        for retriable in (False, True)
        for abort in (False, True)
        for code in codes
    )
    return next(error for error in tried if next(row for row in table if row.fits(error)) is wanted)


@pytest.mark.parametrize("name", CODES)
def test_constant_of_the_library_has_its_place(name: str) -> None:
    """A constant is in a row, or passes by itself, or is on purpose generic. A new constant is none of these."""
    places = [CODES[name] in in_tables() | errors.PASSING, *(CODES[name] in group for group in GENERIC)]
    assert places.count(True) == 1


@pytest.mark.parametrize(("table", "number"), ROWS)
def test_row_is_reached_and_fills_its_text(table: str, number: int) -> None:
    """Each row decides about at least one error: its exception, its hint, and a text without a gap."""
    row = TABLES[table][number]
    error = example(TABLES[table], row)
    found = translate(error, DOING, table=TABLES[table])
    assert type(found) is row.exception
    assert str(found).startswith(f"{DOING}: ")
    assert error.str() in str(found)
    assert found.hint == row.hint
    assert "  " not in str(found)


def error(name: str, text: str | None = None, *, retriable: bool = False, abort: bool = False) -> KafkaError:
    return KafkaError(CODES[name], text, retriable=retriable, txn_requires_abort=abort)


CLASSES: list[tuple[str, KafkaError, type[KdgError], int]] = [
    ("questions", error("TOPIC_AUTHORIZATION_FAILED"), Unreachable, 8),
    ("questions", error("SASL_AUTHENTICATION_FAILED"), Unreachable, 8),
    ("questions", error("_TRANSPORT", "SSL alert number 42"), Unreachable, 8),
    ("questions", error("UNKNOWN_TOPIC_OR_PART"), Unreachable, 8),
    ("questions", error("FENCED_INSTANCE_ID"), Fenced, 6),
    ("questions", error("_FATAL", "static consumer was fenced"), Fenced, 6),
    ("questions", error("_FATAL"), KdgError, 1),
    ("questions", error("INVALID_TRANSACTION_TIMEOUT"), UsageError, 2),
    ("questions", error("_AUTO_OFFSET_RESET"), PositionGone, 7),
    ("questions", error("OFFSET_OUT_OF_RANGE"), PositionGone, 7),
    ("questions", error("_ALL_BROKERS_DOWN"), Unreachable, 8),
    ("questions", error("INVALID_CONFIG"), KdgError, 1),
    ("commits", error("ILLEGAL_GENERATION"), TryAgain, 1),
    ("commits", error("_TIMED_OUT"), OutcomeUnknown, 5),
    ("commits", error("NETWORK_EXCEPTION", retriable=True), OutcomeUnknown, 5),
    ("commits", error("GROUP_AUTHORIZATION_FAILED"), Unreachable, 8),
    ("commits", error("FENCED_INSTANCE_ID"), Fenced, 6),
    ("commits", error("OFFSET_METADATA_TOO_LARGE"), KdgError, 1),
    ("transactions", error("_FENCED"), Fenced, 6),
    ("transactions", error("_FENCED", abort=True), Fenced, 6),
    ("transactions", error("FENCED_INSTANCE_ID"), OutcomeUnknown, 5),
    ("transactions", error("FENCED_INSTANCE_ID", abort=True), TryAgain, 1),
    ("transactions", error("TOPIC_AUTHORIZATION_FAILED", abort=True), Unreachable, 8),
    ("transactions", error("ILLEGAL_GENERATION", abort=True), TryAgain, 1),
    ("transactions", error("_AUTHENTICATION"), Unreachable, 8),
    ("transactions", error("INVALID_TRANSACTION_TIMEOUT"), UsageError, 2),
    ("transactions", error("INVALID_TXN_STATE"), OutcomeUnknown, 5),
    ("transactions", error("_TRANSPORT"), OutcomeUnknown, 5),
]


@pytest.mark.parametrize(("table", "given", "expected", "code"), CLASSES)
def test_error_leads_to_its_exit_code(table: str, given: KafkaError, expected: type[KdgError], code: int) -> None:
    """The exception and the exit code of the errors that matter, in each kind of call."""
    found = translate(given, DOING, table=TABLES[table])
    assert (type(found), found.exit_code) == (expected, code)


def test_missing_right_names_the_resource() -> None:
    """The resource is in the message where the caller knows it; otherwise only the operation."""
    denied = error("GROUP_AUTHORIZATION_FAILED")
    assert "READ on group g is missing" in str(translate(denied, DOING, rights(group="g")))
    assert "READ on the group is missing" in str(translate(denied, DOING))


def test_login_and_passing_errors_are_told_apart() -> None:
    """A TLS alert is a refused login; the same code without it is a broker that is not reached."""
    assert is_login(error("_TRANSPORT", "SSL alert number 42"))
    assert not is_login(error("_TRANSPORT"))
    assert is_login(
        error("_AUTHENTICATION", "SASL PLAIN mechanism handshake failed: Broker: Unsupported SASL mechanism")
    )
    lost = error("_AUTHENTICATION", "SASL PLAIN mechanism handshake failed: Local: Broker transport failure")
    assert not is_login(lost)
    assert fate(lost) is Fate.PASSES
    assert is_passing(error("_TRANSPORT"))
    assert is_passing(error("UNKNOWN", retriable=True))
    assert not is_passing(error("UNKNOWN"))


def test_commit_into_a_deleted_topic_is_a_position_that_is_gone() -> None:
    """The same error of a question is a topic that was not found."""
    error = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
    assert translate(error, "committing", table=COMMITS).exit_code == 7
    assert translate(error, "looking up").exit_code == 8
