"""Owns making the client library's clients, and what their callbacks report: see Watch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, ThrottleEvent
from confluent_kafka.admin import AdminClient

from kdg.core.guarantees import Role
from kdg.errors import KdgError, UsageError
from kdg.kafka.errors import NOT_AUTHORISED, describe, error_of
from kdg.kafka.events import Fate, fate
from kdg.kafka.login_errors import is_login
from kdg.kafka.tls_files import check_files, refused
from kdg.kafka.token import issued
from kdg.kafka.tokens import Refusals, Token, Tokens
from kdg.kafka.unsecured_token import unsecured
from kdg.settings.brokers import BROKERS, PROTOCOL, understood
from kdg.settings.token_command import MECHANISM, TOKEN_COMMAND
from kdg.text.plain import printable

T = TypeVar("T")

SUSPICIOUS = ("EndTxn returned _T",)
SUSPICIOUS_FACILITIES = ("FAIL", "REQTMOUT")
"""A log line with this text or facility: a request was cut off or timed out, and may still be on its way (hazard 1)."""
NOT_CONNECTED = "in state CONNECT)"
"""A failed connection of which the log says this was never made."""
DECISIVE = ("FATAL", "TXNERR")
"""A log line of these facilities names the cause of a fatal error. confluent_kafka calls no error_cb for it [seen]."""
THROTTLED_SECONDS = 1.0
"""A shorter delay by a quota is not worth a line."""
UNSECURED = "enable.sasl.oauthbearer.unsecure.jwt"
DEBUG = 10
"""logging.DEBUG, the level of the library's debug lines. Importing logging would slow down the start."""


class Watch:
    """The callbacks of one client, and what they have reported.

    fault: the login was refused. denied: a right is missing. last: the last error that names a cause, if one does.
    cut_off: what the library's log says of the first connection that was made and lost again.
    suspicious: a request was cut off or timed out, and may still take effect (hazard 1).
    no_token: the command that prints the tokens of the login has failed.
    reached: a broker has answered once, so the login was right then.
    settings: of the client, as the library got them. say: prints a line for the user.
    """

    def __init__(
        self,
        *,
        verbose: bool = False,
        note: Callable[[str], None] = lambda _line: None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.settings = settings or {}
        self.say = note
        self._noted: set[int] = set()
        self.fault: KafkaError | None = None
        self.denied: KafkaError | None = None
        self.last: KafkaError | None = None
        self.cut_off = ""
        self.suspicious = False
        self.no_token: KdgError | None = None
        self.reached = False
        self._refusals = Refusals()
        self._verbose = verbose
        self._throttled = False

    def error(self, error: KafkaError) -> None:
        """The library's error_cb. It recovers from most of these errors by itself."""
        if self.last is None or error.code() != KafkaError._ALL_BROKERS_DOWN:  # it only counts the brokers
            self.last = error
        if is_login(error):
            if not (self.reached and self._tried_again(error)):
                self.fault = self.fault or error
        elif error.code() in NOT_AUTHORISED:
            self.denied = error
        elif fate(error) is not Fate.PASSES:  # a call that fails because of it ends the run
            self.note(error, "connected to the brokers")

    def note(self, error: KafkaError, doing: str) -> None:
        """Report an event that does not end the run; once for each code."""
        if error.code() not in self._noted:
            self._noted.add(error.code())
            self.say(f"{doing}: the Kafka client reports: {describe(error)}")

    def _tried_again(self, error: KafkaError) -> bool:
        """Whether a login with tokens that was refused is tried again, with a new token."""
        if self.settings.get(MECHANISM, "").upper() != "OAUTHBEARER":
            return False
        # So a broker answers to the second login of one connection within a second: the next connection begins anew.
        if "current SASL state" not in error.str() and not self._refusals.tried_again():
            return False
        self.note(error, "logging in again")
        return True

    def tokens(self, issue: Callable[[], Token]) -> Tokens:
        """The client's oauth_cb. Raises KdgError if `issue` makes no first token."""
        made = Tokens(issue, self._token_failed)
        self._refusals.tokens.append(made)
        return made

    def _token_failed(self, error: KdgError | None) -> None:
        """Called with the error of the token command; the library itself only reports that there is no token."""
        self.no_token = error

    def throttled(self, event: ThrottleEvent) -> None:
        """The library's throttle_cb: a quota of the cluster delays this client. Said once."""
        if event.throttle_time >= THROTTLED_SECONDS and not self._throttled:
            self._throttled = True
            self.say(
                f"the broker {event.broker_name} delays this client for {event.throttle_time:.0f} s: a quota of the "
                "cluster is reached (producer_byte_rate, consumer_byte_rate or request_percentage)"
            )

    def log(self, level: int, _format: str, facility: str, client: str, line: str) -> None:
        """The library's log, with the arguments that confluent_kafka gives to a logger."""
        if facility in SUSPICIOUS_FACILITIES or any(mark in line for mark in SUSPICIOUS):
            self.suspicious = True
        if facility == "FAIL" and not self.cut_off and NOT_CONNECTED not in line:
            self.cut_off = line.partition("]: ")[2]
        if facility in DECISIVE:
            self.denied = next((e for e in map(KafkaError, NOT_AUTHORISED) if e.str() in line), self.denied)
        if self._verbose and level > DEBUG:
            sys.stderr.write(f"{facility} [{printable(client)}] {printable(line)}\n")


def _config(settings: Mapping[str, str], watch: Watch, extra: Mapping[str, Any]) -> dict[str, Any]:
    check_files(settings)
    known = _reaching(settings)
    watch.settings = {**watch.settings, **known}  # several clients of a run can share a watch
    config = {**known, **extra, "error_cb": watch.error, "throttle_cb": watch.throttled, "logger": watch}
    command = config.pop(TOKEN_COMMAND, None)
    if command:
        mechanism = settings.get(MECHANISM, "")
        if mechanism.upper() != "OAUTHBEARER":
            # The library would wait 10 s for a token that no login asks for, and then give up.
            raise UsageError(
                f"{TOKEN_COMMAND} is for logins with tokens, and {MECHANISM} is {mechanism or 'not set'}.",
                f"Set {MECHANISM}=OAUTHBEARER, or drop {TOKEN_COMMAND}.",
            )
    if watch.settings.get(PROTOCOL, "").upper().startswith("SASL"):  # else no login asks for a token
        if command:
            config["oauth_cb"] = watch.tokens(partial(issued, str(command), watch.say))
        elif (issue := _unsecured(watch.settings)) is not None:
            del config[UNSECURED]
            config["oauth_cb"] = watch.tokens(issue)
    return config


def _unsecured(settings: Mapping[str, str]) -> Callable[[], Token] | None:
    """What makes unsigned tokens. The library's own handler for them serves only clients that are polled."""
    asked = settings.get(UNSECURED, "").lower() in ("true", "t", "1")
    if not asked or BROKERS not in settings or settings.get(MECHANISM, "").upper() != "OAUTHBEARER":
        return None
    return unsecured(settings.get("sasl.oauthbearer.config", ""))


def _reaching(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings with the brokers as the library takes them. Raises UsageError for a list that it cannot use."""
    brokers = settings.get(BROKERS)
    if brokers is None:
        return dict(settings)
    plain, protocol = understood(brokers, settings.get(PROTOCOL), BROKERS)
    return {**settings, BROKERS: plain, **({PROTOCOL: protocol} if protocol else {})}


def _make(make: Callable[[dict[str, Any]], T], config: dict[str, Any]) -> T:
    """Raises UsageError with the library's reason if it refuses a setting, or two settings together."""
    try:
        return make(config)
    except (KafkaException, ValueError, TypeError) as exc:
        reason = error_of(exc).str() if isinstance(exc, KafkaException) else str(exc)
        raise refused(reason, config) or UsageError(
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
