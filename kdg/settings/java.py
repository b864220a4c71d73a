"""Owns the names of the properties of Java's clients, and what each is to librdkafka. Pure.

A Java name falls into one of these groups:

    RENAMED            librdkafka has another name for the same setting: `buffer.memory` is `queue.buffering.max.kbytes`
    READ_TOGETHER      several Java names make one setting of librdkafka: keystores, truststores, sasl.jaas.config
    WITHOUT_MEANING    it configures Java's own objects; nothing has to be set
    PASSED_OVER        librdkafka has no such setting, and no record depends on it: a note names it
    NEAREST            there is no equal; the error names what comes nearest

A name in none of them is the same in both libraries. What happens to the values: kdg/settings/java_values.py. Names and
meanings are those of kafka-clients 4.3; a test compares the groups with the definitions of Java's clients.
"""

from __future__ import annotations

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
    sasl.kerberos.kinit.cmd ssl.keystore.type ssl.truststore.type value.deserializer value.serializer
"""
WITHOUT_MEANING = frozenset(_WITHOUT_MEANING.split())
"""Configures Java's own objects, or says nothing that another name does not say: nothing has to be set."""

_PASSED_OVER = """
    bootstrap.controllers compression.gzip.level compression.lz4.level compression.zstd.level
    internal.throw.on.fetch.stable.offset.unsupported partitioner.adaptive.partitioning.enable
    partitioner.availability.timeout.ms sasl.kerberos.ticket.renew.jitter sasl.kerberos.ticket.renew.window.factor
    sasl.login.connect.timeout.ms sasl.login.read.timeout.ms sasl.login.refresh.buffer.seconds
    sasl.login.refresh.min.period.seconds sasl.login.refresh.window.factor sasl.login.refresh.window.jitter
    sasl.login.retry.backoff.max.ms sasl.login.retry.backoff.ms sasl.oauthbearer.assertion.template.file
    sasl.oauthbearer.clock.skew.seconds sasl.oauthbearer.expected.audience sasl.oauthbearer.expected.issuer
    sasl.oauthbearer.header.urlencode sasl.oauthbearer.jwks.endpoint.refresh.ms
    sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms sasl.oauthbearer.jwks.endpoint.retry.backoff.ms
    sasl.oauthbearer.jwks.endpoint.url sasl.oauthbearer.jwt.retriever.class sasl.oauthbearer.jwt.validator.class
    sasl.oauthbearer.scope.claim.name share.acquire.mode socket.connection.setup.timeout.max.ms
    transaction.two.phase.commit.enable
"""
PASSED_OVER = frozenset(_PASSED_OVER.split())
"""librdkafka has no such setting, and no record depends on it."""

_SCHEMA_REGISTRY = """
    auto.register.schemas avro.reflection.allow.null avro.remove.java.properties avro.use.logical.type.converters
    derive.type id.compatibility.strict json.fail.invalid.schema json.key.type json.oneof.for.nullables json.value.type
    key.subject.name.strategy latest.compatibility.strict normalize.schemas schema.reflection specific.avro.key.type
    specific.avro.reader specific.avro.value.type specific.protobuf.key.type specific.protobuf.value.type
    use.latest.version value.subject.name.strategy
"""


def is_schema_registry(name: str) -> bool:
    """Whether the property is for Schema Registry and its serializers, which files for every client contain."""
    return name in _SCHEMA_REGISTRY_NAMES or name.startswith(("schema.registry.", "basic.auth.", "bearer.auth."))


_SCHEMA_REGISTRY_NAMES = frozenset(_SCHEMA_REGISTRY.split())

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
READ_TOGETHER = frozenset(_TOGETHER.split())

_ANOTHER_MEANING = {"request.timeout.ms", "ssl.keystore.location", "ssl.keystore.password"}
"""Settings of librdkafka whose name is in Java the name of another setting, or of a file in another format."""
_JAVA_NAMES = {new: old for old, new in RENAMED.items()} | {
    "fetch.message.max.bytes": "max.partition.fetch.bytes",
    "partitioner": "partitioner.class",
    "sasl.oauthbearer.client.id": "sasl.oauthbearer.client.credentials.client.id",
    "sasl.oauthbearer.client.secret": "sasl.oauthbearer.client.credentials.client.secret",
}


def java_name(name: str) -> str:
    """Java's name for a setting of librdkafka; empty if Java does not have the setting."""
    from kdg.settings.definitions import definition

    own = "" if name in _ANOTHER_MEANING else _JAVA_NAMES.get(name, name)
    return own if definition("java", own) else ""


def is_java_only(name: str) -> bool:
    """Whether only Java's clients know the name."""
    groups = (RENAMED, WITHOUT_MEANING, PASSED_OVER, NEAREST, READ_TOGETHER)
    return any(name in group for group in groups) and name not in KNOWN and name not in CANONICAL
