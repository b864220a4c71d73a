"""Owns the names of librdkafka's properties, their other names, and which client knows them. Pure.

The list is from librdkafka 2.16 (`rd_kafka_conf_properties_show`); a test compares it with the installed library.
`auto.commit.enable` is not in it on purpose: today's consumer accepts it, but it does nothing.
"""

from __future__ import annotations

import re

from kdg.core.guarantees import Role
from kdg.settings.token_command import TOKEN_COMMAND

LARGEST = 2**31 - 1
"""The largest whole number of librdkafka. It reads a larger one as another number, without an error [run]."""

_BOTH = """
    allow.auto.create.topics api.version.fallback.ms api.version.request api.version.request.timeout.ms
    bootstrap.servers broker.address.family broker.address.ttl broker.version.fallback client.dns.lookup client.id
    client.rack connections.max.idle.ms debug enable.metrics.push enable.random.seed
    enable.sasl.oauthbearer.unsecure.jwt enable.ssl.certificate.verification enabled_events https.ca.location
    https.ca.pem internal.termination.signal log.connection.close log.queue log.thread.name log_level
    max.in.flight max.in.flight.requests.per.connection message.copy.max.bytes message.max.bytes
    metadata.broker.list metadata.max.age.ms metadata.recovery.rebootstrap.trigger.ms metadata.recovery.strategy
    plugin.library.paths receive.message.max.bytes reconnect.backoff.jitter.ms reconnect.backoff.max.ms
    reconnect.backoff.ms retry.backoff.max.ms retry.backoff.ms sasl.kerberos.keytab sasl.kerberos.kinit.cmd
    sasl.kerberos.min.time.before.relogin sasl.kerberos.principal sasl.kerberos.service.name sasl.mechanism
    sasl.mechanisms sasl.oauthbearer.assertion.algorithm sasl.oauthbearer.assertion.claim.aud
    sasl.oauthbearer.assertion.claim.exp.seconds sasl.oauthbearer.assertion.claim.iss
    sasl.oauthbearer.assertion.claim.jti.include sasl.oauthbearer.assertion.claim.nbf.seconds
    sasl.oauthbearer.assertion.claim.sub sasl.oauthbearer.assertion.file
    sasl.oauthbearer.assertion.jwt.template.file sasl.oauthbearer.assertion.private.key.file
    sasl.oauthbearer.assertion.private.key.passphrase sasl.oauthbearer.assertion.private.key.pem
    sasl.oauthbearer.client.credentials.client.id sasl.oauthbearer.client.credentials.client.secret
    sasl.oauthbearer.client.id sasl.oauthbearer.client.secret sasl.oauthbearer.config sasl.oauthbearer.extensions
    sasl.oauthbearer.grant.type sasl.oauthbearer.metadata.authentication.type sasl.oauthbearer.method
    sasl.oauthbearer.scope sasl.oauthbearer.sub.claim.name sasl.oauthbearer.token.endpoint.url sasl.password
    sasl.username security.protocol socket.blocking.max.ms socket.connection.setup.timeout.ms
    socket.keepalive.enable socket.max.fails socket.nagle.disable socket.receive.buffer.bytes
    socket.send.buffer.bytes socket.timeout.ms ssl.ca.certificate.stores ssl.ca.location ssl.ca.pem
    ssl.certificate.location ssl.certificate.pem ssl.cipher.suites ssl.crl.location ssl.curves.list
    ssl.endpoint.identification.algorithm ssl.engine.id ssl.engine.location ssl.key.location ssl.key.password
    ssl.key.pem ssl.keystore.location ssl.keystore.password ssl.providers ssl.sigalgs.list ssl_ca ssl_certificate
    ssl_engine_callback_data ssl_key statistics.interval.ms topic.blacklist topic.metadata.propagation.max.ms
    topic.metadata.refresh.fast.cnt topic.metadata.refresh.fast.interval.ms topic.metadata.refresh.interval.ms
    topic.metadata.refresh.sparse
"""

_CONSUMER = """
    auto.commit.interval.ms auto.offset.reset check.crcs consume.callback.max.messages
    coordinator.query.interval.ms enable.auto.commit enable.auto.offset.store enable.partition.eof
    fetch.error.backoff.ms fetch.max.bytes fetch.message.max.bytes fetch.min.bytes fetch.queue.backoff.ms
    fetch.wait.max.ms group.id group.instance.id group.protocol group.protocol.type group.remote.assignor
    heartbeat.interval.ms isolation.level max.partition.fetch.bytes max.poll.interval.ms max.poll.records
    offset.store.method offset.store.path offset.store.sync.interval.ms partition.assignment.strategy
    queued.max.messages.kbytes queued.min.messages session.timeout.ms share.acknowledgement.mode
"""

_PRODUCER = """
    acks batch.num.messages batch.size compression.codec compression.level compression.type
    delivery.report.only.error delivery.timeout.ms enable.gapless.guarantee enable.idempotence linger.ms
    message.send.max.retries message.timeout.ms msg_order_cmp partitioner produce.offset.report
    queue.buffering.backpressure.threshold queue.buffering.max.kbytes queue.buffering.max.messages
    queue.buffering.max.ms queuing.strategy request.required.acks request.timeout.ms retries
    sticky.partitioning.linger.ms transaction.timeout.ms transactional.id
"""

CANONICAL = {
    "compression.codec": "compression.type",
    "delivery.timeout.ms": "message.timeout.ms",
    "max.in.flight": "max.in.flight.requests.per.connection",
    "max.partition.fetch.bytes": "fetch.message.max.bytes",
    "metadata.broker.list": "bootstrap.servers",
    "queue.buffering.max.ms": "linger.ms",
    "request.required.acks": "acks",
    "retries": "message.send.max.retries",
    "sasl.mechanisms": "sasl.mechanism",
    "sasl.oauthbearer.client.credentials.client.id": "sasl.oauthbearer.client.id",
    "sasl.oauthbearer.client.credentials.client.secret": "sasl.oauthbearer.client.secret",
}
"""Another name of a setting in librdkafka, and the name that kdg uses."""

KNOWN: dict[str, frozenset[Role]] = {
    **dict.fromkeys(_BOTH.split(), frozenset(Role)),
    **dict.fromkeys(_CONSUMER.split(), frozenset({Role.CONSUMER})),
    **dict.fromkeys(_PRODUCER.split(), frozenset({Role.PRODUCER})),
}
"""The clients that know a property. A name that is not here is unknown to both."""


def canonical(name: str) -> str:
    """The name that kdg uses for a property: `acks` for `request.required.acks` and for `topic.acks`."""
    bare = name if name in KNOWN else name.removeprefix("topic.")
    return CANONICAL.get(bare, bare)


def roles_of(name: str) -> frozenset[Role]:
    """The clients that know the property; empty for an unknown name. The property of kdg's own is for all clients."""
    return frozenset(Role) if name == TOKEN_COMMAND else KNOWN.get(name, frozenset())


_ONLY_LIBRDKAFKA = re.compile(
    r"message\.send\.max\.retries|queue\.buffering\.|request\.required\.acks|message\.timeout\.ms|topic\."
    r"|metadata\.broker\.list|enable\.auto\.offset\.store|enable\.gapless\.guarantee|statistics\.interval\.ms"
    r"|delivery\.report\.|partitioner$|debug$|sasl\.(username|password|mechanisms)$"
    r"|ssl\.(ca|certificate|key)\.(location|pem)|auto\.commit\.enable"
)


def is_librdkafka_only(name: str) -> bool:
    """Whether only librdkafka has the name, and Java has not."""
    return _ONLY_LIBRDKAFKA.match(name) is not None


def nearest(name: str) -> str:
    """The known property that a name nearly is; "" if there is none."""
    import difflib

    return next(iter(difflib.get_close_matches(canonical(name), KNOWN, n=1, cutoff=0.7)), "")
