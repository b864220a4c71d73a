"""Owns the effective settings of one client: kdg's defaults, the settings of the guarantee, the user's settings.

The user's settings come in layers (flags, -X, environment, profile, file). They win, except where a value would break
the guarantee: then the run ends with an error that names both sides. kdg never replaces a value of the user in silence.

`--acks leader` sets acks=1, enable.idempotence=false and max.in.flight.requests.per.connection=1; see
_without_idempotence.

Pure: it reads nothing and connects to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kdg.core.guarantees import GUARANTEES, Guarantee, Role, Setting
from kdg.errors import UsageError
from kdg.settings.brokers import BROKERS, PROTOCOL, understood
from kdg.settings.defaults import KDG_DEFAULTS
from kdg.settings.librdkafka import LARGEST, canonical, nearest, roles_of
from kdg.settings.token_command import MECHANISM, MSK_IAM, msk_iam

SECRETS = ("password", "secret", "passphrase", "key.pem", "ssl_key", "sasl.oauthbearer.config", "jaas")
MASK = "********"


@dataclass(frozen=True, slots=True)
class Layer:
    """Settings from one origin, such as `-X` or `KDG_BROKERS`. In a list of layers the first one is the strongest.

    typed: the name in a Java file, by librdkafka's name, where the two differ.
    lines: in a `key=value` file, the number of the line of each property, by the name in the file.
    """

    origin: str
    values: Mapping[str, str]
    typed: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)

    def where(self, name: str) -> str:
        """The place of a property, for messages: `client.properties line 3`."""
        typed = self.typed.get(name, name)
        return f"{self.origin} line {self.lines[typed]}" if typed in self.lines else self.origin


@dataclass(frozen=True, slots=True)
class Resolved:
    """An effective setting: its value, the origin of the value (`-X`, `kdg`, `exactly-once`), and the reason for it.

    typed: the name that the user typed, if it is not the name of librdkafka that kdg uses.
    """

    name: str
    value: str
    origin: str
    why: str
    typed: str = ""

    @property
    def shown(self) -> str:
        """The value as kdg prints it: a secret is masked."""
        return MASK if is_secret(self.name) else self.value


Settings = Mapping[str, Resolved]


def is_secret(name: str) -> bool:
    """Whether a property's value must never be printed."""
    return any(part in name for part in SECRETS)


# A setting that depends on another one follows it, unless the user sets it: (client, name, the setting it depends on,
# how, the value to compare with, why).
_FOLLOWS = (
    (Role.PRODUCER, "socket.timeout.ms", "transaction.timeout.ms", min, 60_000, "not longer than the transaction"),
    (Role.PRODUCER, "message.timeout.ms", "transaction.timeout.ms", min, 300_000, "not longer than the transaction"),
    (Role.CONSUMER, "max.poll.interval.ms", "session.timeout.ms", max, 300_000, "not shorter than the session"),
    (Role.CONSUMER, "fetch.max.bytes", "fetch.message.max.bytes", max, 1_000_000, "of all partitions of a broker"),
    (Role.CONSUMER, "fetch.max.bytes", "message.max.bytes", max, 1_000_000, "librdkafka refuses less than one message"),
)

# With group.protocol=consumer the broker decides these (KIP-848), and librdkafka refuses them.
_CLASSIC_ONLY = ("session.timeout.ms", "heartbeat.interval.ms", "partition.assignment.strategy")


def known_overrides(layers: Sequence[Layer], roles: Iterable[Role]) -> None:
    """Raises UsageError for a property that no client of this run knows. Its value may be a secret and is not shown."""
    wanted = frozenset(roles)
    for layer in layers:
        for name in layer.values:
            known = roles_of(canonical(name)) or roles_of(name)
            if not known:
                raise _unknown(layer, name)
            if not known & wanted:
                only = next(iter(known)).value
                raise UsageError(
                    f"{layer.origin} {name} is a setting of a {only}, and this run has no {only}.", f"Drop {name}."
                )


_FRAMEWORK = re.compile(r"(%[\w-]+\.)?(spring\.kafka|mp\.messaging)\.[\w.-]+")


def _unknown(layer: Layer, name: str) -> UsageError:
    """The error for a property that no client knows.

    The text of a line is shown only if it is nearly a known name. Otherwise it may be a part of a secret: a line of a
    private key that is not continued, or the rest of a password with a line break in it.
    """
    if _FRAMEWORK.match(name):
        return UsageError(
            f"{layer.where(name)} {name}: this is a setting of Spring or Quarkus, not of a Kafka client.",
            "`kdg check -F FILE` judges such a file; the other commands need the client's names: bootstrap.servers.",
        )
    near = nearest(name)
    hint = f"Did you mean {near}?" if near else "`kdg explain` shows the settings that a guarantee depends on."
    if name not in layer.lines or near:
        return UsageError(f"{layer.where(name)} {name}: no Kafka client knows this property.", hint)
    return UsageError(
        f"{layer.where(name)}: no Kafka client knows the property of this line.",
        "kdg does not print the line, because it may be a part of a secret. If it goes on with the value above, such "
        "as a private key, that value needs a backslash at the end of each line but its last, or a file of its own.",
    )


def resolve(guarantee: Guarantee, role: Role, command: str, layers: Sequence[Layer]) -> dict[str, Resolved]:
    """The effective settings of one client, by name.

    layers: the user's settings, strongest first. Raises UsageError for a value that would break the guarantee.
    """
    settings = {s.name: s for s in _defaults(guarantee, role, command)}
    given = _given(layers, role)
    given = _without_idempotence(settings, given)
    for name, override in given.items():
        setting = settings.get(name)
        if setting is not None and not setting.permits(_normal(name, override.value)):
            raise contradiction(guarantee, setting, override)
    resolved = {
        s.name: Resolved(s.name, s.value, _origin(guarantee, role, s), s.why) for s in settings.values() if s.value
    }
    for name, override in given.items():
        why = settings[name].why if name in settings else ""
        resolved[name] = replace(override, value=_normal(name, override.value), why=why)
    return _without_classic(_follow(role, _with_protocol(resolved)), given)


def _with_protocol(resolved: dict[str, Resolved]) -> dict[str, Resolved]:
    """With the protocol that the list of brokers names. Raises UsageError if nobody can connect to that list."""
    given, protocol = resolved.get(BROKERS), resolved.get(PROTOCOL)
    if given is None or not given.value:
        return resolved
    brokers = understood(given.value, protocol.value if protocol else None, given.origin)
    resolved[BROKERS] = replace(given, value=brokers.plain)
    if brokers.protocol:
        resolved[PROTOCOL] = Resolved(PROTOCOL, brokers.protocol, given.origin, "named before the broker")
    return resolved


def _defaults(guarantee: Guarantee, role: Role, command: str) -> tuple[Setting, ...]:
    rows = KDG_DEFAULTS[role] + guarantee.settings(role)
    return tuple(s for s in rows if not s.commands or command in s.commands)


def _origin(guarantee: Guarantee, role: Role, setting: Setting) -> str:
    return "kdg" if setting in KDG_DEFAULTS[role] else guarantee.name


def _given(layers: Sequence[Layer], role: Role) -> dict[str, Resolved]:
    """The user's settings that this client knows, by kdg's name; the strongest value of each."""
    given: dict[str, Resolved] = {}
    for layer in reversed(layers):
        for name, value in layer.values.items():
            own = canonical(name)
            if role in (roles_of(own) or roles_of(name)):
                _refuse_unusable(layer, name, own, value)
                given[own] = Resolved(own, value, layer.origin, "", layer.typed.get(name, name))
    return given


_NUMBER = re.compile(
    r"(\.(ms|bytes|kbytes|messages|retries|seconds|records|cnt|level|size|connection|fails|threshold)|max\.in\.flight)$"
)


def _refuse_unusable(layer: Layer, name: str, own: str, value: str) -> None:
    """Raises UsageError for a number that librdkafka would read as another one, and for Amazon's own login."""
    typed, number = layer.typed.get(name, name), value.strip()
    if _NUMBER.search(own) and re.fullmatch(r"[+-]?[0-9]+", number) and abs(int(number)) > LARGEST:
        raise UsageError(
            f"{layer.where(name)}: {typed}={number} is more than the Kafka client can hold.",
            f"The largest number is {LARGEST}.",
        )
    if own == MECHANISM and number == MSK_IAM:
        raise msk_iam(layer.where(name))


def _normal(name: str, value: str) -> str:
    """One spelling for values that mean the same to librdkafka: `-1`, `ALL` and `all` for acks."""
    lowered = value.strip().lower()
    if name == "acks":
        return {"-1": "all", "leader": "1"}.get(lowered, lowered)
    if name == "isolation.level" or lowered in ("true", "false"):
        return lowered
    return {"t": "true", "f": "false"}.get(lowered, value)


def _without_idempotence(settings: dict[str, Setting], given: dict[str, Resolved]) -> dict[str, Resolved]:
    """What `--acks leader`, acks=1 or enable.idempotence=false change in the settings of a producer.

    acks=1 turns idempotence off, which needs the acknowledgement of all in-sync replicas. Without idempotence only one
    request may be in flight at a time, because a retry would change the order of the records. Nothing changes under a
    guarantee that locks idempotence, or that does not have it.

    Raises UsageError for acks=1 together with enable.idempotence=true.
    """
    idempotence = settings.get("enable.idempotence")
    if idempotence is None or idempotence.locked:
        return given
    leader = "acks" in given and _normal("acks", given["acks"].value) == "1"
    asked = given.get("enable.idempotence")
    if leader and asked and _normal(asked.name, asked.value) in ("true", "1"):
        acks = given["acks"].origin
        raise UsageError(
            f"enable.idempotence=true ({asked.origin}) contradicts acks=1 ({acks}): "
            "the broker recognises a retry only if all in-sync replicas acknowledge.",
            f"Drop {acks if acks.startswith('--') else 'acks=1'}, or enable.idempotence=true.",
        )
    if leader:
        given = {"enable.idempotence": Resolved("enable.idempotence", "false", given["acks"].origin, "")} | given
    turned_off = "enable.idempotence" in given and _normal("", given["enable.idempotence"].value) in ("false", "0")
    if turned_off:
        settings["max.in.flight.requests.per.connection"] = Setting(
            "max.in.flight.requests.per.connection", "1", "without idempotence, a retry would change the order"
        )
    return given


def _follow(role: Role, resolved: dict[str, Resolved]) -> dict[str, Resolved]:
    """Add the settings that follow another one."""
    followed = dict[str, Resolved]()
    for of_role, name, leader, how, default, why in _FOLLOWS:
        if of_role is role and leader in resolved and name not in resolved:
            value = how(_number(resolved[leader]), _number(followed[name]) if name in followed else default)
            followed[name] = Resolved(name, str(value), f"follows {leader}", why)
    return resolved | followed


def _number(setting: Resolved) -> int:
    try:
        return int(setting.value)
    except ValueError:
        raise UsageError(f"{setting.name}={setting.value} ({setting.origin}) is not a whole number.") from None


def _without_classic(resolved: dict[str, Resolved], given: Mapping[str, Resolved]) -> dict[str, Resolved]:
    """With group.protocol=consumer: without the settings that it does not have, unless the user gave them."""
    protocol = resolved.get("group.protocol")
    if protocol is None or protocol.value != "consumer":
        return resolved
    return {name: value for name, value in resolved.items() if name in given or name not in _CLASSIC_ONLY}


def contradiction(guarantee: Guarantee, setting: Setting, override: Resolved) -> UsageError:
    """The error for a value that would break the guarantee. It names the value, what is needed, and what to do."""
    shown = f"{override.typed or override.name}={override.shown}"
    allowed = " or ".join(value or "none" for value in setting.allowed or ())
    needs = allowed or f"anything but {', '.join(setting.refused)}"
    role = Role.PRODUCER if setting in guarantee.producer else Role.CONSUMER
    value = _normal(override.name, override.value)
    others = [g.name for g in GUARANTEES if g is not guarantee and _holds(g, role, override.name, value)]
    way_out = f", or choose -g {others[0]}" if others else ""
    drop = f"-X {shown}" if override.origin == "-X" else f"{shown} ({override.origin})"
    return UsageError(
        f"{shown} contradicts {guarantee.name}, which needs {setting.name}={needs}: {setting.why}.",
        f"Drop {drop}{way_out}.",
    )


def _holds(guarantee: Guarantee, role: Role, name: str, value: str) -> bool:
    """Whether the guarantee holds with this value."""
    return all(s.permits(value) for s in guarantee.settings(role) if s.name == name)


def plain(settings: Settings) -> dict[str, str]:
    """The settings as librdkafka takes them."""
    return {name: setting.value for name, setting in settings.items()}
