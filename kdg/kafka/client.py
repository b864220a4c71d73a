"""Owns making the client library's clients, connecting them, and what their callbacks report: see Watch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from kdg.core.guarantees import Role
from kdg.errors import KdgError, Unreachable, UsageError
from kdg.kafka.advertised import await_advertised
from kdg.kafka.errors import NOT_AUTHORISED, NOT_REACHED, describe, error_of, is_login, translate
from kdg.kafka.events import Fate, fate
from kdg.kafka.retry import ask_again
from kdg.kafka.token import TokenCommand
from kdg.runtime.deadline import Deadline
from kdg.settings.token_command import MECHANISM, TOKEN_COMMAND
from kdg.text.plain import printable

if TYPE_CHECKING:
    from kdg.kafka.library import Client

T = TypeVar("T")

SUSPICIOUS = ("EndTxn returned _T",)
SUSPICIOUS_FACILITIES = ("FAIL", "REQTMOUT")
"""A log line with this text or facility: a request was cut off or timed out, and may still be on its way (hazard 1)."""
DECISIVE = ("FATAL", "TXNERR")
"""A log line of these facilities names the cause of a fatal error. confluent_kafka calls no error_cb for it [seen]."""
DEBUG = 10
"""logging.DEBUG, the level of the library's debug lines. Importing logging would slow down the start."""


class Watch:
    """The callbacks of one client, and what they have reported.

    fault: the login was refused. denied: a right is missing. last: the last error of any kind.
    suspicious: a request was cut off or timed out, and may still take effect (hazard 1).
    no_token: the command that prints the tokens of the login has failed.
    settings: of the client, for messages that name one.
    """

    def __init__(
        self,
        *,
        verbose: bool = False,
        note: Callable[[str], None] = lambda _line: None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.settings = settings or {}
        self._note = note
        self._noted: set[int] = set()
        self.fault: KafkaError | None = None
        self.denied: KafkaError | None = None
        self.last: KafkaError | None = None
        self.suspicious = False
        self.no_token: KdgError | None = None
        self._verbose = verbose

    def error(self, error: KafkaError) -> None:
        """The library's error_cb. It recovers from most of these errors by itself."""
        self.last = error
        if is_login(error):
            self.fault = error
        elif error.code() in NOT_AUTHORISED:
            self.denied = error
        elif fate(error) is not Fate.PASSES:  # a call that fails because of it ends the run
            self.note(error, "connected to the brokers")

    def note(self, error: KafkaError, doing: str) -> None:
        """Report an event that does not end the run; once for each code."""
        if error.code() not in self._noted:
            self._noted.add(error.code())
            self._note(f"{doing}: the Kafka client reports: {describe(error)}")

    def token_failed(self, error: KdgError) -> None:
        """Called with the error of the token command; the library itself only reports that there is no token."""
        self.no_token = error

    def log(self, level: int, _format: str, facility: str, client: str, line: str) -> None:
        """The library's log, with the arguments that confluent_kafka gives to a logger."""
        if facility in SUSPICIOUS_FACILITIES or any(mark in line for mark in SUSPICIOUS):
            self.suspicious = True
        if facility in DECISIVE:
            self.denied = next((e for e in map(KafkaError, NOT_AUTHORISED) if e.str() in line), self.denied)
        if self._verbose and level > DEBUG:
            sys.stderr.write(f"{facility} [{printable(client)}] {printable(line)}\n")


def _config(settings: Mapping[str, str], watch: Watch, extra: Mapping[str, Any]) -> dict[str, Any]:
    config = {**settings, **extra, "error_cb": watch.error, "logger": watch}
    command = config.pop(TOKEN_COMMAND, None)
    if command:
        mechanism = settings.get(MECHANISM, "")
        if mechanism.upper() != "OAUTHBEARER":
            # The library would wait 10 s for a token that no login asks for, and then give up.
            raise UsageError(
                f"{TOKEN_COMMAND} is for logins with tokens, and {MECHANISM} is {mechanism or 'not set'}.",
                f"Set {MECHANISM}=OAUTHBEARER, or drop {TOKEN_COMMAND}.",
            )
        config["oauth_cb"] = TokenCommand(str(command), watch.token_failed)
    return config


def _make(make: Callable[[dict[str, Any]], T], config: dict[str, Any]) -> T:
    """Raises UsageError with the library's reason if it refuses a setting, or two settings together."""
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
    # confluent_kafka handles this setting itself, and needs a bool.
    only_error = {"delivery.report.only.error": settings.get("delivery.report.only.error") == "true"}
    return _make(Producer, _config(settings, watch, only_error | extra))


def make_consumer(settings: Mapping[str, str], watch: Watch) -> Consumer:
    """A Consumer whose log and errors go to `watch`.

    The settings must not hold an empty group.id: the library would abort the process.
    """
    return _make(Consumer, _config(settings, watch, {}))


_SHARED = (
    "bootstrap.servers",
    "broker.address",
    "client.dns",
    "client.id",
    "enable.sasl",
    "enable.ssl",
    "https.",
    "reconnect.",
    "sasl.",
    "security.",
    "socket.",
    "ssl.",
)
"""Settings, or the beginnings of their names, that every kind of client has."""


def connection(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings with which another client reaches the same cluster."""
    return {name: value for name, value in settings.items() if name.startswith(_SHARED)}


def make_admin(settings: Mapping[str, str], watch: Watch) -> AdminClient:
    """An AdminClient that reaches the cluster with the settings of another client."""
    return _make(AdminClient, _config(connection(settings), watch, {}))


def validate(settings: Mapping[str, str], role: Role) -> None:
    """Raises UsageError for settings that the library refuses. Connects to no broker (`--dry-run`)."""
    offline = {name: value for name, value in settings.items() if name not in ("bootstrap.servers", TOKEN_COMMAND)}
    if role is Role.PRODUCER:
        make_producer(offline, Watch())
    else:
        make_consumer({"group.id": "kdg.none", **offline}, Watch()).close()


def reach(client: Client, watch: Watch, deadline: Deadline, brokers: str, topic: str | None = None) -> Any:
    """The cluster's metadata. It also prepares a producer, so that the first record does not wait 0.5 s.

    Raises Unreachable if no broker answers within `deadline.reach` seconds or refuses the login, or a signal comes.
    """
    metadata = _metadata(client, watch, deadline, brokers, topic)
    await_advertised(metadata, deadline, brokers)
    if isinstance(client, Producer):
        # A producer requests its id when metadata arrive, but not over the bootstrap connection, which may be the only
        # one that is up when the first metadata come. The second come over another connection (hazard 15).
        metadata = _metadata(client, watch, deadline, brokers, topic)
    return metadata


def _metadata(client: Client, watch: Watch, deadline: Deadline, brokers: str, topic: str | None) -> Any:
    began = deadline.now()
    # The library can miss that its connection is up, and then waits until the timeout is over (hazard 25).
    timeouts = chain((0.2, 0.4, 0.8), repeat(1.0))

    def ask() -> Any:
        left = deadline.left(deadline.reach, began)
        return client.list_topics(topic, timeout=min(max(left, 0.05), next(timeouts)))

    def passing(error: KafkaError) -> bool:
        client.poll(0)  # serves the error callback, and with it `watch`
        # A signal ends the wait at once: nothing is open yet that would have to be settled.
        broken = watch.no_token or watch.fault
        return broken is None and error.code() in NOT_REACHED and deadline.signals.received is None

    def refused(error: KafkaError, doing: str) -> KdgError:
        if watch.no_token is not None:
            return watch.no_token
        if watch.fault is not None or error.code() not in NOT_REACHED:
            return translate(watch.fault or error, doing)
        return Unreachable(
            f"no broker reached at {brokers} within {deadline.elapsed:.1f} s: {describe(watch.last or error)}.",
            "Check -b (or KDG_BROKERS) and that the broker runs; --timeout sets how long to try.",
        )

    doing = f"connecting to {brokers}"
    return ask_again(ask, doing, deadline, within=deadline.reach, passing=passing, refused=refused)
