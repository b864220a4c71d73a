"""Owns how a guarantee, a role and what the user overrides become the settings of one librdkafka client.

Pure: values in, values out; nothing is connected and nothing is read here. A value that would break the chosen guarantee is an
error that names both sides; it is never silently overridden (DESIGN.md section 2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kdg.core.guarantees import GUARANTEES, Guarantee, Role, Setting
from kdg.errors import UsageError
from kdg.settings.librdkafka import canonical, roles_of

SECRETS = ("password", "secret", "passphrase", "key.pem", "ssl_key", "sasl.oauthbearer.config", "jaas")
MASK = "********"


@dataclass(frozen=True, slots=True)
class Layer:
    """Settings of one origin, such as `-X` or `KDG_BROKERS`; the first layer of a list is the strongest."""

    origin: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Resolved:
    """An effective setting: its value, where it came from and why it is so."""

    name: str
    value: str
    origin: str
    why: str

    @property
    def shown(self) -> str:
        """The value as it may be printed."""
        return MASK if is_secret(self.name) else self.value


Settings = Mapping[str, Resolved]


def is_secret(name: str) -> bool:
    """Whether a property's value must never be printed."""
    return any(part in name for part in SECRETS)


def _fixed(name: str, value: str, why: str) -> Setting:
    return Setting(name, value, why, allowed=(value,))


# What kdg itself rests on, whatever the guarantee. Figures: DESIGN.md section 6.
OF_THE_TOOL: Mapping[Role, tuple[Setting, ...]] = {
    Role.PRODUCER: (
        Setting("client.id", "kdg", "how the broker's logs and quotas name this client"),
        Setting("reconnect.backoff.ms", "20", "half of it passes between the first connection and the next"),
        Setting("partitioner", "murmur2_random", "the partition a Java client would choose for a key"),
        _fixed("delivery.report.only.error", "true", "only failures need a callback; the rest are counted"),
        Setting("linger.ms", "20", "waits this long to fill a batch; a flush does not wait", commands=("produce",)),
        Setting("linger.ms", "5", "sends while more is read, before the flush that settles it", commands=("pipe",)),
        Setting("queue.buffering.max.messages", "50000", "keeps memory flat"),
        Setting("queue.buffering.max.kbytes", "65536", "keeps memory flat"),
    ),
    Role.CONSUMER: (
        Setting("client.id", "kdg", "how the broker's logs and quotas name this client"),
        Setting("reconnect.backoff.ms", "20", "half of it passes between the first connection and the next"),
        _fixed("enable.partition.eof", "true", "tells that a partition's end is reached"),
        _fixed("allow.auto.create.topics", "false", "a mistyped topic is an error, not a new topic"),
        Setting("fetch.queue.backoff.ms", "10", "fetches again as soon as there is room"),
        Setting("queued.max.messages.kbytes", "16384", "keeps memory flat"),
        Setting("fetch.wait.max.ms", "100", "a record that comes alone is not kept waiting"),
    ),
}

# A timeout that depends on another one follows it, unless it is set: (role, name, the one it
# depends on, how, the library's default in ms, why).
_FOLLOWS = (
    (Role.PRODUCER, "socket.timeout.ms", "transaction.timeout.ms", min, 60_000, "not longer than the transaction"),
    (Role.PRODUCER, "message.timeout.ms", "transaction.timeout.ms", min, 300_000, "not longer than the transaction"),
    (Role.CONSUMER, "max.poll.interval.ms", "session.timeout.ms", max, 300_000, "not shorter than the session"),
)

# KIP-848 moved these to the broker; librdkafka refuses them with group.protocol=consumer.
_CLASSIC_ONLY = ("session.timeout.ms", "heartbeat.interval.ms", "partition.assignment.strategy")


def known_overrides(layers: Sequence[Layer], roles: Iterable[Role]) -> None:
    """Raises UsageError for a property that no client of this run knows; its value, perhaps a secret, is not shown."""
    wanted = frozenset(roles)
    for layer in layers:
        for name in layer.values:
            known = roles_of(canonical(name)) or roles_of(name)
            if not known:
                raise UsageError(f"{layer.origin} {name}: no Kafka client knows this property.", _did_you_mean(name))
            if not known & wanted:
                only = next(iter(known)).value
                raise UsageError(f"{layer.origin} {name} is for a {only}, and this run has none.", f"Drop {name}.")


def _did_you_mean(name: str) -> str:
    import difflib

    from kdg.settings.librdkafka import KNOWN

    near = difflib.get_close_matches(canonical(name), KNOWN, n=1)
    return f"Did you mean {near[0]}?" if near else "kdg explain shows those that bear on a guarantee."


def resolve(guarantee: Guarantee, role: Role, command: str, layers: Sequence[Layer]) -> dict[str, Resolved]:
    """The effective settings of one client, by name.

    Raises UsageError for a value that would break the guarantee, naming the setting, its origin and what to do.
    """
    settings = {s.name: s for s in _defaults(guarantee, role, command)}
    given = _given(layers, role)
    given = _tie_idempotence(settings, given)
    for name, override in given.items():
        setting = settings.get(name)
        if setting is not None and not setting.permits(_normal(name, override.value)):
            raise contradiction(guarantee, setting, override)
    resolved = {
        s.name: Resolved(s.name, s.value, _origin(guarantee, role, s), s.why) for s in settings.values() if s.value
    }
    for name, override in given.items():
        why = settings[name].why if name in settings else ""
        resolved[name] = Resolved(name, _normal(name, override.value), override.origin, why)
    return _without_classic(_follow(role, resolved), given)


def _defaults(guarantee: Guarantee, role: Role, command: str) -> tuple[Setting, ...]:
    rows = OF_THE_TOOL[role] + guarantee.settings(role)
    return tuple(s for s in rows if not s.commands or command in s.commands)


def _origin(guarantee: Guarantee, role: Role, setting: Setting) -> str:
    return "kdg" if setting in OF_THE_TOOL[role] else guarantee.name


def _given(layers: Sequence[Layer], role: Role) -> dict[str, Resolved]:
    """The strongest override of each property this client knows."""
    given: dict[str, Resolved] = {}
    for layer in reversed(layers):
        for name, value in layer.values.items():
            own = canonical(name)
            if role in (roles_of(own) or roles_of(name)):
                given[own] = Resolved(own, value, layer.origin, "")
    return given


def _normal(name: str, value: str) -> str:
    """One spelling for each value that librdkafka reads alike."""
    lowered = value.strip().lower()
    if name == "acks":
        return {"-1": "all", "leader": "1"}.get(lowered, lowered)
    if name == "isolation.level" or lowered in ("true", "false"):
        return lowered
    return {"t": "true", "f": "false"}.get(lowered, value)


def _tie_idempotence(settings: dict[str, Setting], given: dict[str, Resolved]) -> dict[str, Resolved]:
    """Without all acknowledgements there is no idempotence, and without idempotence only one request in flight keeps order."""
    row = settings.get("enable.idempotence")
    if row is None or row.locked:
        return given
    leader = "acks" in given and _normal("acks", given["acks"].value) == "1"
    asked = given.get("enable.idempotence")
    if leader and asked and _normal(asked.name, asked.value) in ("true", "1"):
        raise UsageError(
            f"enable.idempotence=true ({asked.origin}) contradicts acks=1 ({given['acks'].origin}): the broker recognises a "
            "retry only when all in-sync replicas acknowledge.",
            f"Drop {given['acks'].origin if given['acks'].origin.startswith('--') else 'acks=1'}, or enable.idempotence=true.",
        )
    if leader:
        given = {"enable.idempotence": Resolved("enable.idempotence", "false", given["acks"].origin, "")} | given
    off = "enable.idempotence" in given and _normal("", given["enable.idempotence"].value) in ("false", "0")
    if off:
        settings["max.in.flight.requests.per.connection"] = Setting(
            "max.in.flight.requests.per.connection", "1", "without idempotence, a retry would change the order"
        )
    return given


def _follow(role: Role, resolved: dict[str, Resolved]) -> dict[str, Resolved]:
    for of_role, name, leader, how, default, why in _FOLLOWS:
        if of_role is role and leader in resolved and name not in resolved:
            milliseconds = _milliseconds(resolved[leader])
            resolved[name] = Resolved(name, str(how(milliseconds, default)), f"follows {leader}", why)
    return resolved


def _milliseconds(setting: Resolved) -> int:
    try:
        return int(setting.value)
    except ValueError:
        raise UsageError(f"{setting.name}={setting.value} ({setting.origin}) is no number of milliseconds.") from None


def _without_classic(resolved: dict[str, Resolved], given: Mapping[str, Resolved]) -> dict[str, Resolved]:
    protocol = resolved.get("group.protocol")
    if protocol is None or protocol.value != "consumer":
        return resolved
    return {name: value for name, value in resolved.items() if name in given or name not in _CLASSIC_ONLY}


def contradiction(guarantee: Guarantee, setting: Setting, override: Resolved) -> UsageError:
    """The error for a value under which the guarantee would not hold: both sides named, and the way out."""
    shown = f"{override.name}={override.shown}"
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
    rows = [s for s in guarantee.settings(role) if s.name == name]
    return all(s.permits(value) for s in rows)


def plain(settings: Settings) -> dict[str, str]:
    """The settings as librdkafka takes them."""
    return {name: setting.value for name, setting in settings.items()}
