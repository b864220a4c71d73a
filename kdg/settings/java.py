"""Owns what Java's clients call things, and what becomes of it under librdkafka: a translation, nothing, or a refusal. Pure.

Java names and meanings are those of kafka-clients 4.3. A name that both libraries use for the same thing is in none of these
tables. A value may be a secret and is in no message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from kdg.errors import UsageError
from kdg.settings.librdkafka import CANONICAL, KNOWN

RENAMED = {
    "buffer.memory": "queue.buffering.max.kbytes",
    "delivery.timeout.ms": "message.timeout.ms",
    "fetch.max.wait.ms": "fetch.wait.max.ms",
    "max.request.size": "message.max.bytes",
    "receive.buffer.bytes": "socket.receive.buffer.bytes",
    "retries": "message.send.max.retries",
    "request.timeout.ms": "socket.timeout.ms",
    "send.buffer.bytes": "socket.send.buffer.bytes",
    "ssl.keystore.certificate.chain": "ssl.certificate.pem",
    "ssl.keystore.key": "ssl.key.pem",
    "ssl.truststore.certificates": "ssl.ca.pem",
}
"""Java's name, and librdkafka's for the same."""

_WITHOUT_MEANING = """
    auto.include.jmx.reporter exclude.internal.topics key.deserializer key.serializer max.poll.records
    metric.reporters metrics.num.samples metrics.recording.level metrics.sample.window.ms partitioner.ignore.keys
    ssl.keystore.type ssl.truststore.type value.deserializer value.serializer
"""
WITHOUT_MEANING = frozenset(_WITHOUT_MEANING.split())
"""Bears on Java's own objects, or is read together with another name: nothing is to be set for it."""

NEAREST = {
    "config.providers": "{ env = ... } or { file = ... } in TOML",
    "default.api.timeout.ms": "--timeout",
    "interceptor.classes": "none: kdg runs no Java classes",
    "key.deserializer.encoding": "--key-encoding",
    "max.block.ms": "--timeout",
    "metadata.max.idle.ms": "topic.metadata.refresh.interval.ms",
    "partitioner.class": "partitioner (murmur2_random places keys as Java does)",
    "sasl.client.callback.handler.class": "sasl.oauthbearer.method=oidc",
    "sasl.login.class": "sasl.username and sasl.password",
    "security.providers": "ssl.providers",
    "ssl.enabled.protocols": "none: OpenSSL negotiates the version",
    "ssl.engine.factory.class": "ssl.engine.location",
    "ssl.keymanager.algorithm": "none: OpenSSL needs no such choice",
    "ssl.protocol": "none: OpenSSL negotiates the version",
    "ssl.provider": "ssl.providers",
    "ssl.secure.random.implementation": "none: OpenSSL has its own",
    "ssl.trustmanager.algorithm": "none: OpenSSL needs no such choice",
}
"""What has no equal, and what comes nearest to it."""

_TOGETHER = """
    sasl.jaas.config sasl.login.callback.handler.class ssl.keystore.location ssl.keystore.password
    ssl.truststore.location ssl.truststore.password
"""
_READ_TOGETHER = frozenset(_TOGETHER.split())
_ASSIGNORS = {
    "org.apache.kafka.clients.consumer.RangeAssignor": "range",
    "org.apache.kafka.clients.consumer.RoundRobinAssignor": "roundrobin",
    "org.apache.kafka.clients.consumer.CooperativeStickyAssignor": "cooperative-sticky",
}

_ABSENT = {"queue.buffering.max.messages", "enable.auto.offset.store", "enable.gapless.guarantee", "delivery.report.only.error"}  # fmt: skip
_JAVAS = {new: old for old, new in RENAMED.items()} | {"partitioner": "partitioner.class"}


def java_name(name: str) -> str:
    """Java's name of a setting of librdkafka; empty where Java has none."""
    return "" if name in _ABSENT else _JAVAS.get(name, name)


def is_javas_alone(name: str) -> bool:
    """Whether only Java's clients know the name."""
    known = name in RENAMED or name in WITHOUT_MEANING or name in NEAREST or name in _READ_TOGETHER
    return known and name not in KNOWN and name not in CANONICAL


def translate(given: Mapping[str, str], origin: str) -> dict[str, str]:
    """Java's properties as librdkafka's. Raises UsageError for what has no equal, naming what comes nearest."""
    found: dict[str, str] = {}
    for name, value in given.items():
        if name in NEAREST:
            raise UsageError(f"{origin}: {name} has no equal outside Java.", f"Drop it; what comes nearest: {NEAREST[name]}.")  # fmt: skip
        if name in WITHOUT_MEANING or name in _READ_TOGETHER:
            continue
        found[RENAMED.get(name, name)] = _VALUES.get(name, _same)(value, origin)
    return found | _store(given, origin, "truststore") | _store(given, origin, "keystore") | _login(given, origin)


def _same(value: str, _origin: str) -> str:
    return value


def _kilobytes(value: str, origin: str) -> str:
    if not value.strip().isdigit():
        raise UsageError(f"{origin}: buffer.memory={value} is no number of bytes.")
    return str(max(int(value) // 1024, 1))


def _assignors(value: str, origin: str) -> str:
    names = [name.strip() for name in value.split(",")]
    unknown = [name for name in names if name not in _ASSIGNORS and name not in _ASSIGNORS.values()]
    if unknown:
        raise UsageError(
            f"{origin}: partition.assignment.strategy {unknown[0]} has no equal outside Java.",
            f"Use one of {', '.join(_ASSIGNORS.values())}.",
        )
    return ",".join(_ASSIGNORS.get(name, name) for name in names)


_VALUES: Mapping[str, Callable[[str, str], str]] = {
    "auto.offset.reset": lambda value, _: "error" if value == "none" else value,
    "buffer.memory": _kilobytes,
    "partition.assignment.strategy": _assignors,
    "ssl.endpoint.identification.algorithm": lambda value, _: value or "none",
}


def _store(given: Mapping[str, str], origin: str, which: str) -> dict[str, str]:
    """A keystore or truststore in a form that OpenSSL reads: PEM, and PKCS#12 for keys."""
    location = given.get(f"ssl.{which}.location")
    if location is None:
        return {}
    kind = given.get(f"ssl.{which}.type", _type_of(location)).upper()
    if kind == "PEM":
        return dict.fromkeys(_PEM[which], location)
    if which == "keystore" and kind == "PKCS12":
        password = given.get("ssl.keystore.password")
        return {"ssl.keystore.location": location} | ({} if password is None else {"ssl.keystore.password": password})
    wanted = "ssl.ca.location" if which == "truststore" else "ssl.keystore.location (PKCS12)"
    raise UsageError(
        f"{origin}: ssl.{which}.location is a {kind} file, which only Java reads.",
        f"Convert it ({_CONVERT[which]}) and use {wanted}.",
    )


_PEM = {"truststore": ("ssl.ca.location",), "keystore": ("ssl.certificate.location", "ssl.key.location")}
_CONVERT = {
    "truststore": "keytool -exportcert -rfc -keystore STORE -alias CA > ca.pem",
    "keystore": "keytool -importkeystore -srckeystore STORE -destkeystore store.p12 -deststoretype PKCS12",
}


def _type_of(location: str) -> str:
    """Java's own default is JKS; what a name says is believed first."""
    suffix = location.rpartition(".")[2].lower()
    return {"pem": "PEM", "crt": "PEM", "p12": "PKCS12", "pfx": "PKCS12"}.get(suffix, "JKS")


_MODULE = re.compile(r"\s*([\w.$]+)\s+(?:required|requisite|sufficient|optional)\b")
_OPTION = re.compile(r"""([\w.]+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|([^\s;]+))""", re.DOTALL)


def _login(given: Mapping[str, str], origin: str) -> dict[str, str]:
    """`sasl.jaas.config` taken apart, and the way to get a token."""
    handler = given.get("sasl.login.callback.handler.class", "")
    if handler and not handler.endswith(".OAuthBearerLoginCallbackHandler"):
        raise UsageError(f"{origin}: sasl.login.callback.handler.class {handler} has no equal outside Java.", "Use sasl.oauthbearer.method=oidc, or sasl.username and sasl.password.")  # fmt: skip
    oidc = {"sasl.oauthbearer.method": "oidc"} if handler else {}
    jaas = given.get("sasl.jaas.config")
    if jaas is None:
        return oidc
    module = _MODULE.match(jaas)
    kind = module[1].rpartition(".")[2] if module is not None else ""
    if module is None or kind not in _MODULES:
        raise UsageError(
            f"{origin}: sasl.jaas.config names no login module that has an equal outside Java{f' ({kind})' if kind else ''}.",
            "PlainLoginModule, ScramLoginModule, OAuthBearerLoginModule and Krb5LoginModule have; else use sasl.username and sasl.password.",
        )
    options = {o[1]: re.sub(r"\\(.)", r"\1", o[2] or o[3] or o[4] or "") for o in _OPTION.finditer(jaas, module.end())}
    names = _MODULES[kind]
    return oidc | {names[name]: value for name, value in options.items() if name in names} | _unsecured(options)


_USER = {"username": "sasl.username", "password": "sasl.password"}
_MODULES: Mapping[str, Mapping[str, str]] = {
    "PlainLoginModule": _USER,
    "ScramLoginModule": _USER,
    "OAuthBearerLoginModule": {
        "clientId": "sasl.oauthbearer.client.id",
        "clientSecret": "sasl.oauthbearer.client.secret",
        "scope": "sasl.oauthbearer.scope",
    },
    "Krb5LoginModule": {"keyTab": "sasl.kerberos.keytab", "principal": "sasl.kerberos.principal"},
}


def _unsecured(options: Mapping[str, str]) -> dict[str, str]:
    """Kafka's tokens without a signature, for tests."""
    principal = options.get("unsecuredLoginStringClaim_sub")
    if principal is None:
        return {}
    return {"enable.sasl.oauthbearer.unsecure.jwt": "true", "sasl.oauthbearer.config": f"principal={principal}"}
