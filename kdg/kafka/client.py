"""Owns the making of librdkafka's clients and what their callbacks report: failures of login, suspicious lines of the log."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from kdg.core.guarantees import Role
from kdg.errors import Unreachable, UsageError
from kdg.kafka.errors import NOT_AUTHORISED, NOT_REACHED, describe, error_of, is_login, translate
from kdg.runtime.deadline import Deadline

if TYPE_CHECKING:
    from kdg.kafka.library import Client

T = TypeVar("T")

# One of these lines after a commit or an abort means that its request may still be under way (HAZARDS.md 1).
SUSPICIOUS = ("EndTxn returned _T",)
SUSPICIOUS_FACILITIES = ("FAIL", "REQTMOUT")
DECISIVE = ("FATAL", "TXNERR")
"""What ends a producer or its transaction is told with its cause in the log alone: the wrapper calls no error_cb then [seen]."""
DEBUG = 10
"""logging.DEBUG, the level at which confluent_kafka hands over debug lines; spares the import."""


class Watch:
    """The callbacks of one client. fault: a login that the broker refused. denied: a right that is missing. suspicious: a request was cut off or timed out."""

    def __init__(self, *, verbose: bool = False) -> None:
        self.fault: KafkaError | None = None
        self.denied: KafkaError | None = None
        self.last: KafkaError | None = None
        self.suspicious = False
        self._verbose = verbose

    def error(self, error: KafkaError) -> None:
        """librdkafka's error_cb; most of what comes here mends itself."""
        self.last = error
        if is_login(error):
            self.fault = error
        if error.code() in NOT_AUTHORISED:
            self.denied = error

    def log(self, level: int, _format: str, facility: str, client: str, line: str) -> None:
        """The library's log, in the form in which confluent_kafka calls a logger."""
        if facility in SUSPICIOUS_FACILITIES or any(mark in line for mark in SUSPICIOUS):
            self.suspicious = True
        if facility in DECISIVE:
            self.denied = next((e for e in map(KafkaError, NOT_AUTHORISED) if e.str() in line), self.denied)
        if self._verbose and level > DEBUG:
            sys.stderr.write(f"{facility} [{client}] {line}\n")


def _config(settings: Mapping[str, str], watch: Watch, extra: Mapping[str, Any]) -> dict[str, Any]:
    return {**settings, **extra, "error_cb": watch.error, "logger": watch}


def _make(make: Callable[[dict[str, Any]], T], config: dict[str, Any]) -> T:
    """Raises UsageError with librdkafka's reason when it refuses a setting or a combination."""
    try:
        return make(config)
    except (KafkaException, ValueError, TypeError) as exc:
        reason = error_of(exc).str() if isinstance(exc, KafkaException) else str(exc)
        raise UsageError(
            f"the Kafka client refuses the configuration: {_masked(reason, config)}", "Change the setting it names."
        ) from exc


def _masked(reason: str, config: Mapping[str, Any]) -> str:
    from kdg.settings.resolve import MASK, is_secret

    for name, value in config.items():
        if is_secret(name) and value:
            reason = reason.replace(str(value), MASK)
    return reason


def make_producer(settings: Mapping[str, str], watch: Watch, **extra: Any) -> Producer:
    """A Producer whose log and errors go to `watch`."""
    # The wrapper handles this one itself, and wants a bool.
    only_error = {"delivery.report.only.error": settings.get("delivery.report.only.error") == "true"}
    return _make(Producer, _config(settings, watch, only_error | extra))


def make_consumer(settings: Mapping[str, str], watch: Watch) -> Consumer:
    """A Consumer whose log and errors go to `watch`. The library aborts the process on an empty group.id: settings never hold one."""
    return _make(Consumer, _config(settings, watch, {}))


_SHARED = ("bootstrap.servers", "client.id", "security.", "sasl.", "ssl.", "socket.", "enable.ssl", "broker.address", "client.dns", "enable.sasl", "https.", "reconnect.")  # fmt: skip


def connection(settings: Mapping[str, str]) -> dict[str, str]:
    """What any other client needs of a client's settings to reach the same cluster."""
    return {name: value for name, value in settings.items() if name.startswith(_SHARED)}


def make_admin(settings: Mapping[str, str], watch: Watch) -> AdminClient:
    """An AdminClient with the connection settings of another client."""
    return _make(AdminClient, _config(connection(settings), watch, {}))


def validate(settings: Mapping[str, str], role: Role) -> None:
    """Raises UsageError for settings that librdkafka would refuse; connects to nothing (`--dry-run`)."""
    offline = {name: value for name, value in settings.items() if name != "bootstrap.servers"}
    if role is Role.PRODUCER:
        make_producer(offline, Watch())
    else:
        make_consumer({"group.id": "kdg.none", **offline}, Watch()).close()


def reach(client: Client, watch: Watch, deadline: Deadline, brokers: str, topic: str | None = None) -> Any:
    """The cluster's metadata; also warms the client up, so that the first record does not wait 0.5 s.

    Raises Unreachable when no broker answered within the time that reaching one may take, or the login was refused.
    """
    metadata = _metadata(client, watch, deadline, brokers, topic)
    if isinstance(client, Producer):
        # A producer asks for its id when metadata come. With the first only the bootstrap connection may be up, which it does
        # not ask, and then it waits out a timer of 0.5 s (rdkafka_idempotence.c) [seen]. The second are another broker's.
        metadata = _metadata(client, watch, deadline, brokers, topic)
    return metadata


def _metadata(client: Client, watch: Watch, deadline: Deadline, brokers: str, topic: str | None) -> Any:
    began = deadline.now()
    # The library can miss that its connection has come up, and then waits out the whole timeout: short ones first.
    for attempt in count():
        left = deadline.left(deadline.reach, began)
        try:
            return client.list_topics(topic, timeout=min(max(left, 0.05), 0.2 * 2 ** min(attempt, 5), 1.0))
        except KafkaException as exc:
            error = error_of(exc)
            client.poll(0)
            if watch.fault is not None:
                raise translate(watch.fault, f"connecting to {brokers}") from exc
            if error.code() not in NOT_REACHED:
                raise translate(error, f"connecting to {brokers}") from exc
            # A signal ends the waiting at once: nothing is open yet that would have to be settled.
            if deadline.signals.received is not None or deadline.over(deadline.reach, began):
                cause = describe(watch.last) if watch.last is not None else describe(error)
                raise Unreachable(
                    f"no broker reached at {brokers} within {deadline.elapsed:.1f} s: {cause}.",
                    "Check -b (or KDG_BROKERS) and that the broker runs; --timeout sets how long to try.",
                ) from exc
    raise AssertionError  # the loop has no other end
