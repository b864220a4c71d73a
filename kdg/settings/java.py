"""Owns translating the properties of Java's clients into librdkafka's. Pure.

A Java name falls into one of these groups:

    RENAMED            librdkafka has another name for the same setting: `buffer.memory` is `queue.buffering.max.kbytes`
    _VALUES            the value changes, too: `buffer.memory` is in bytes, librdkafka's setting in kilobytes
    _READ_TOGETHER     several Java names make one setting of librdkafka: keystores, truststores, sasl.jaas.config
    WITHOUT_MEANING    it configures Java's own objects; nothing has to be set
    NEAREST            there is no equal; the error names what comes nearest

A name in none of them is the same in both libraries. Names and meanings are those of kafka-clients 4.3. Messages never
contain a value that may be a secret.
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
"""Java's name, and librdkafka's name for the same setting."""

_WITHOUT_MEANING = """
    auto.include.jmx.reporter exclude.internal.topics key.deserializer key.serializer max.poll.records
    metric.reporters metrics.num.samples metrics.recording.level metrics.sample.window.ms partitioner.ignore.keys
    ssl.keystore.type ssl.truststore.type value.deserializer value.serializer
"""
WITHOUT_MEANING = frozenset(_WITHOUT_MEANING.split())
"""Configures Java's own objects, or says nothing that another name does not say: nothing has to be set."""

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
"""A Java name without an equal, and what comes nearest to it."""

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

_ABSENT = {
    "queue.buffering.max.messages",
    "enable.auto.offset.store",
    "enable.gapless.guarantee",
    "delivery.report.only.error",
}
"""Settings of librdkafka that Java does not have."""
_JAVA_NAMES = {new: old for old, new in RENAMED.items()} | {"partitioner": "partitioner.class"}


def java_name(name: str) -> str:
    """Java's name for a setting of librdkafka; empty if Java does not have the setting."""
    return "" if name in _ABSENT else _JAVA_NAMES.get(name, name)


def is_java_only(name: str) -> bool:
    """Whether only Java's clients know the name."""
    known = name in RENAMED or name in WITHOUT_MEANING or name in NEAREST or name in _READ_TOGETHER
    return known and name not in KNOWN and name not in CANONICAL


def translate(given: Mapping[str, str], origin: str) -> dict[str, str]:
    """Java's properties as librdkafka's. origin: the file, for messages. Raises UsageError for a name of NEAREST."""
    found: dict[str, str] = {}
    for name, value in given.items():
        if name in NEAREST:
            raise UsageError(
                f"{origin}: {name} has no equal outside Java.", f"Drop it. The nearest setting: {NEAREST[name]}."
            )
        if name in WITHOUT_MEANING or name in _READ_TOGETHER:
            continue
        found[RENAMED.get(name, name)] = _VALUES.get(name, _unchanged)(value, origin)
    return found | _store(given, origin, "truststore") | _store(given, origin, "keystore") | _login(given, origin)


def _unchanged(value: str, _origin: str) -> str:
    return value


def _kilobytes(value: str, origin: str) -> str:
    """`buffer.memory` in kilobytes, at least 1."""
    if not value.strip().isdigit():
        raise UsageError(f"{origin}: buffer.memory={value} is not a number of bytes.")
    return str(max(int(value) // 1024, 1))


def _assignors(value: str, origin: str) -> str:
    """librdkafka's names of Java's assignor classes."""
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
"""How a value is translated, by Java's name."""


def _store(given: Mapping[str, str], origin: str, which: str) -> dict[str, str]:
    """The settings of librdkafka for a keystore or a truststore. which: `keystore` or `truststore`.

    OpenSSL reads PEM files, and PKCS#12 files with keys. Raises UsageError for others, and says how to convert them.
    """
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
    """The type of a store by the ending of its name. Java's default is JKS."""
    suffix = location.rpartition(".")[2].lower()
    return {"pem": "PEM", "crt": "PEM", "p12": "PKCS12", "pfx": "PKCS12"}.get(suffix, "JKS")


_MODULE = re.compile(r"\s*([\w.$]+)\s+(?:required|requisite|sufficient|optional)\b")
_OPTION = re.compile(r"""([\w.]+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|([^\s;]+))""", re.DOTALL)


def _login(given: Mapping[str, str], origin: str) -> dict[str, str]:
    """The settings of librdkafka for `sasl.jaas.config` and for the class that fetches tokens. Raises UsageError."""
    handler = given.get("sasl.login.callback.handler.class", "")
    if handler and not handler.endswith(".OAuthBearerLoginCallbackHandler"):
        raise UsageError(
            f"{origin}: sasl.login.callback.handler.class {handler} has no equal outside Java.",
            "Use sasl.oauthbearer.method=oidc, or sasl.username and sasl.password.",
        )
    oidc = {"sasl.oauthbearer.method": "oidc"} if handler else {}
    jaas = given.get("sasl.jaas.config")
    if jaas is None:
        return oidc
    module = _MODULE.match(jaas)
    kind = module[1].rpartition(".")[2] if module is not None else ""
    if module is None or kind not in _MODULES:
        found = f" ({kind})" if kind else ""
        raise UsageError(
            f"{origin}: sasl.jaas.config names no login module that has an equal outside Java{found}.",
            f"Use {', '.join(_MODULES)}; or sasl.username and sasl.password.",
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
    """Kafka's unsigned tokens, which are for tests."""
    principal = options.get("unsecuredLoginStringClaim_sub")
    if principal is None:
        return {}
    return {"enable.sasl.oauthbearer.unsecure.jwt": "true", "sasl.oauthbearer.config": f"principal={principal}"}
