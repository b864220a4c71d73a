"""Owns translating the properties of Java's clients into librdkafka's. Pure.

The names are in kdg/settings/java.py. A value is first trimmed, as Java does it. A number that librdkafka does not take
becomes the nearest one that it takes: the largest int of Java means "no limit" and becomes the largest number of
librdkafka; another change is reported with a note. Messages name the file, the line and Java's name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from kdg.errors import UsageError
from kdg.settings.java import NEAREST, PASSED_OVER, READ_TOGETHER, RENAMED, WITHOUT_MEANING
from kdg.settings.java_login import login, refuse_msk_iam, store
from kdg.settings.keyvalue import PropertyFile
from kdg.settings.librdkafka import LARGEST

RANGES: Mapping[str, tuple[int, int]] = {
    "auto.commit.interval.ms": (0, 86_400_000),
    "batch.size": (1, LARGEST),
    "buffer.memory": (1024, LARGEST * 1024),
    "connections.max.idle.ms": (0, LARGEST),
    "delivery.timeout.ms": (0, LARGEST),
    "fetch.max.bytes": (1_000_000, 2_147_483_135),  # not less than message.max.bytes
    "fetch.max.wait.ms": (0, 300_000),
    "fetch.min.bytes": (1, 100_000_000),
    "heartbeat.interval.ms": (1, 3_600_000),
    "linger.ms": (0, 900_000),
    "max.in.flight.requests.per.connection": (1, 1_000_000),
    "max.partition.fetch.bytes": (1, 1_000_000_000),
    "max.poll.interval.ms": (1, 86_400_000),
    "max.request.size": (1000, 1_000_000_000),
    "metadata.max.age.ms": (1, 86_400_000),
    "metadata.recovery.rebootstrap.trigger.ms": (0, LARGEST),
    "receive.buffer.bytes": (0, 100_000_000),
    "reconnect.backoff.max.ms": (0, 3_600_000),
    "reconnect.backoff.ms": (0, 3_600_000),
    "request.timeout.ms": (10, 300_000),
    "retries": (0, LARGEST),
    "retry.backoff.max.ms": (1, 300_000),
    "retry.backoff.ms": (1, 300_000),
    "sasl.kerberos.min.time.before.relogin": (0, 86_400_000),
    "sasl.oauthbearer.assertion.claim.exp.seconds": (1, LARGEST),
    "sasl.oauthbearer.assertion.claim.nbf.seconds": (0, LARGEST),
    "send.buffer.bytes": (0, 100_000_000),
    "session.timeout.ms": (1, 3_600_000),
    "socket.connection.setup.timeout.ms": (1000, LARGEST),
    "transaction.timeout.ms": (1000, LARGEST),
}
"""The smallest and the largest value that librdkafka takes, in Java's unit, by Java's name."""

_MINUS_ONE = ("connections.max.idle.ms", "receive.buffer.bytes", "send.buffer.bytes")
"""-1 in Java, never or the operating system's choice, is 0 in librdkafka."""

_ASSIGNORS = {
    "org.apache.kafka.clients.consumer.RangeAssignor": "range",
    "org.apache.kafka.clients.consumer.RoundRobinAssignor": "roundrobin",
    "org.apache.kafka.clients.consumer.CooperativeStickyAssignor": "cooperative-sticky",
}


@dataclass(frozen=True, slots=True)
class Translated:
    """Java's properties as librdkafka's.

    typed: the name in the file, by librdkafka's name, where the two differ. notes: what has changed, for the user.
    """

    values: Mapping[str, str]
    typed: Mapping[str, str]
    notes: Sequence[str]


def trimmed(file: PropertyFile) -> PropertyFile:
    """The same properties with their values trimmed, as the definitions of Java's clients do it."""
    return replace(file, values={name: _trim(value) for name, value in file.values.items()})


def translate(file: PropertyFile) -> Translated:
    """Java's properties as librdkafka's. Raises UsageError for a name of NEAREST, and for a value without an equal."""
    file = trimmed(file)
    found: dict[str, str] = {}
    typed: dict[str, str] = {}
    notes: list[str] = []
    refuse_msk_iam(file)
    for name, value in file.values.items():
        where = file.where(name)
        if name in NEAREST:
            raise UsageError(
                f"{where}: {name} has no equal outside Java.", f"Drop it. The nearest setting: {NEAREST[name]}."
            )
        if name in WITHOUT_MEANING or name in READ_TOGETHER or name in PASSED_OVER:
            continue
        if name in RANGES:
            value, note = _in_range(name, value, where)  # noqa: PLW2901
            notes += note
        own = RENAMED.get(name, name)
        found[own] = _VALUES.get(name, _unchanged)(value, where)
        if own != name:
            typed[own] = name
    found |= store(file, "truststore") | store(file, "keystore") | login(file)
    return Translated(found, typed, notes)


def _trim(value: str) -> str:
    """The value without control characters and spaces around it: `String.trim` of Java, not `str.strip` of Python."""
    return value.strip("".join(map(chr, range(0x21))))


def _in_range(name: str, value: str, where: str) -> tuple[str, list[str]]:
    """The value that librdkafka takes, in Java's unit, and a note or none. Raises UsageError if it is not a number."""
    low, high = RANGES[name]
    if not _INTEGER.fullmatch(value):
        raise UsageError(f"{where}: {name}={value} is not a whole number.", f"Write a number from {low} to {high}.")
    number = int(value)
    if low <= number <= high:
        return str(number), []
    if number < 0 and name not in _MINUS_ONE:
        raise UsageError(f"{where}: {name}={value} is below 0.", f"Write a number from {low} to {high}.")
    used = min(max(number, low), high)
    same = number in (0, -1) or number >= LARGEST
    note = (
        f"{where}: {name}={value} is {'less' if number < low else 'more'} than the Kafka client takes; it uses {used}"
    )
    return str(used), [] if same else [note]


_INTEGER = re.compile(r"[+-]?[0-9]+")


def _unchanged(value: str, _where: str) -> str:
    return value


def _assignors(value: str, where: str) -> str:
    """librdkafka's names of Java's assignor classes."""
    names = [name.strip() for name in value.split(",")]
    unknown = [name for name in names if name not in _ASSIGNORS and name not in _ASSIGNORS.values()]
    if unknown:
        raise UsageError(
            f"{where}: partition.assignment.strategy {unknown[0]} has no equal outside Java.",
            f"Use one of {', '.join(_ASSIGNORS.values())}.",
        )
    return ",".join(_ASSIGNORS.get(name, name) for name in names)


_PEM = re.compile(r"(-----BEGIN [^-]+-----)([A-Za-z0-9+/=\s]*)(-----END [^-]+-----)")


def _pem(value: str, _where: str) -> str:
    """A PEM text in lines, which OpenSSL needs. Java also reads one whose lines are joined by blanks."""
    return _PEM.sub(lambda found: "\n".join([found[1], *found[2].split(), found[3]]) + "\n", value)


_VALUES: Mapping[str, Callable[[str, str], str]] = {
    "auto.offset.reset": lambda value, _: "error" if value == "none" else value,
    "buffer.memory": lambda value, _: str(int(value) // 1024),
    "group.protocol": lambda value, _: value.lower(),
    "partition.assignment.strategy": _assignors,
    "ssl.endpoint.identification.algorithm": lambda value, _: value or "none",
    "ssl.keystore.certificate.chain": _pem,
    "ssl.keystore.key": _pem,
    "ssl.truststore.certificates": _pem,
}
"""How a value is translated, by Java's name."""
