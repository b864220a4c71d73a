"""Owns the settings of Java's clients in kafka-clients 4. Pure.

`python -m tests.definitions` writes it.
"""

TABLE = """\
acks	P	enum			-1|0|1|all	all
allow.auto.create.topics	C	boolean				true
auto.commit.interval.ms	C	integer	0	2147483647		5000
auto.offset.reset	C	enum			by_duration:PnDTnHnMn.nS|earliest|latest|\
none	latest
batch.size	P	integer	0	2147483647		16384
bootstrap.servers	*	list				-
buffer.memory	P	integer	0	9223372036854775807		33554432
check.crcs	C	boolean				true
client.dns.lookup	*	enum			resolve_canonical_bootstrap_servers_only|\
use_all_dns_ips	\
use_all_dns_ips
client.id	*	string				-
client.rack	C	string				-
compression.gzip.level	P	integer	1	9	-1	-1
compression.lz4.level	P	integer	1	17		9
compression.type	P	enum			gzip|lz4|none|snappy|zstd	none
compression.zstd.level	P	integer	-131072	22		3
config.providers	*	list				-
connections.max.idle.ms	*	integer	-9223372036854775808	9223372036854775807		540000
default.api.timeout.ms	C	integer	0	2147483647		60000
delivery.timeout.ms	P	integer	0	2147483647		120000
enable.auto.commit	C	boolean				true
enable.idempotence	P	boolean				true
enable.metrics.push	*	boolean				true
exclude.internal.topics	C	boolean				true
fetch.max.bytes	C	integer	0	2147483647		52428800
fetch.max.wait.ms	C	integer	0	2147483647		500
fetch.min.bytes	C	integer	0	2147483647		1
group.id	C	string				-
group.instance.id	C	nonempty				-
group.protocol	C	enum			~CLASSIC|CONSUMER	classic
group.remote.assignor	C	string				-
heartbeat.interval.ms	C	integer	-2147483648	2147483647		3000
interceptor.classes	*	list				-
internal.throw.on.fetch.stable.offset.unsupported	C	boolean				false
isolation.level	C	enum			read_committed|read_uncommitted	read_uncommitted
key.deserializer	C	class				-
key.serializer	P	class				-
linger.ms	P	integer	0	9223372036854775807		5
max.block.ms	P	integer	0	9223372036854775807		60000
max.in.flight.requests.per.connection	P	integer	1	2147483647		5
max.partition.fetch.bytes	C	integer	0	2147483647		1048576
max.poll.interval.ms	C	integer	1	2147483647		300000
max.poll.records	C	integer	1	2147483647		500
max.request.size	P	integer	0	2147483647		1048576
metadata.max.age.ms	*	integer	0	9223372036854775807		300000
metadata.max.idle.ms	P	integer	5000	9223372036854775807		300000
metadata.recovery.rebootstrap.trigger.ms	*	integer	0	9223372036854775807		300000
metadata.recovery.strategy	*	enum			~NONE|REBOOTSTRAP	rebootstrap
metric.reporters	*	list				org.apache.kafka.common.metrics.JmxReporter
metrics.num.samples	*	integer	1	2147483647		2
metrics.recording.level	*	enum			DEBUG|INFO|TRACE	INFO
metrics.sample.window.ms	*	integer	0	9223372036854775807		30000
partition.assignment.strategy	C	list				\
org.apache.kafka.clients.consumer.RangeAssignor,org.apache.kafka.clients.consumer.CooperativeStickyAssignor
partitioner.adaptive.partitioning.enable	P	boolean				true
partitioner.availability.timeout.ms	P	integer	0	9223372036854775807		0
partitioner.class	P	class				-
partitioner.ignore.keys	P	boolean				false
receive.buffer.bytes	P	integer	-1	2147483647		32768
receive.buffer.bytes	C	integer	-1	2147483647		65536
reconnect.backoff.max.ms	*	integer	0	9223372036854775807		1000
reconnect.backoff.ms	*	integer	0	9223372036854775807		50
request.timeout.ms	*	integer	0	2147483647		30000
retries	P	integer	0	2147483647		2147483647
retry.backoff.max.ms	*	integer	0	9223372036854775807		1000
retry.backoff.ms	*	integer	0	9223372036854775807		100
sasl.client.callback.handler.class	*	class				-
sasl.jaas.config	*	password				-
sasl.kerberos.kinit.cmd	*	string				/usr/bin/kinit
sasl.kerberos.min.time.before.relogin	*	integer	-9223372036854775808	\
9223372036854775807		60000
sasl.kerberos.service.name	*	string				-
sasl.kerberos.ticket.renew.jitter	*	float				0.05
sasl.kerberos.ticket.renew.window.factor	*	float				0.8
sasl.login.callback.handler.class	*	class				-
sasl.login.class	*	class				-
sasl.login.connect.timeout.ms	*	integer	-2147483648	2147483647		-
sasl.login.read.timeout.ms	*	integer	-2147483648	2147483647		-
sasl.login.refresh.buffer.seconds	*	integer	0	3600		300
sasl.login.refresh.min.period.seconds	*	integer	0	900		60
sasl.login.refresh.window.factor	*	float	0.5	1.0		0.8
sasl.login.refresh.window.jitter	*	float	0.0	0.25		0.05
sasl.login.retry.backoff.max.ms	*	integer	-9223372036854775808	\
9223372036854775807		10000
sasl.login.retry.backoff.ms	*	integer	-9223372036854775808	\
9223372036854775807		100
sasl.mechanism	*	string				GSSAPI
sasl.oauthbearer.assertion.algorithm	*	enum			~ES256|RS256	RS256
sasl.oauthbearer.assertion.claim.aud	*	string				-
sasl.oauthbearer.assertion.claim.exp.seconds	*	integer	0	86400		300
sasl.oauthbearer.assertion.claim.iss	*	string				-
sasl.oauthbearer.assertion.claim.jti.include	*	boolean				false
sasl.oauthbearer.assertion.claim.nbf.seconds	*	integer	0	3600		60
sasl.oauthbearer.assertion.claim.sub	*	string				-
sasl.oauthbearer.assertion.file	*	string				-
sasl.oauthbearer.assertion.private.key.file	*	string				-
sasl.oauthbearer.assertion.private.key.passphrase	*	password				-
sasl.oauthbearer.assertion.template.file	*	string				-
sasl.oauthbearer.client.credentials.client.id	*	string				-
sasl.oauthbearer.client.credentials.client.secret	*	password				-
sasl.oauthbearer.clock.skew.seconds	*	integer	-2147483648	2147483647		30
sasl.oauthbearer.expected.audience	*	list				-
sasl.oauthbearer.expected.issuer	*	string				-
sasl.oauthbearer.header.urlencode	*	boolean				false
sasl.oauthbearer.jwks.endpoint.refresh.ms	*	integer	-9223372036854775808	\
9223372036854775807		3600000
sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms	*	integer	\
-9223372036854775808	\
9223372036854775807		10000
sasl.oauthbearer.jwks.endpoint.retry.backoff.ms	*	integer	-9223372036854775808	\
9223372036854775807		100
sasl.oauthbearer.jwks.endpoint.url	*	string				-
sasl.oauthbearer.jwt.retriever.class	*	class				\
org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever
sasl.oauthbearer.jwt.validator.class	*	class				\
org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator
sasl.oauthbearer.scope	*	string				-
sasl.oauthbearer.scope.claim.name	*	string				scope
sasl.oauthbearer.sub.claim.name	*	string				sub
sasl.oauthbearer.token.endpoint.url	*	string				-
security.protocol	*	enum			~PLAINTEXT|SASL_PLAINTEXT|SASL_SSL|SSL	PLAINTEXT
security.providers	*	string				-
send.buffer.bytes	*	integer	-1	2147483647		131072
session.timeout.ms	C	integer	-2147483648	2147483647		45000
share.acknowledgement.mode	C	enum			explicit|implicit	implicit
share.acquire.mode	C	enum			batch_optimized|record_limit	BATCH_OPTIMIZED
socket.connection.setup.timeout.max.ms	*	integer	-9223372036854775808	\
9223372036854775807		30000
socket.connection.setup.timeout.ms	*	integer	-9223372036854775808	\
9223372036854775807		10000
ssl.cipher.suites	*	list				-
ssl.enabled.protocols	*	list				TLSv1.2,TLSv1.3
ssl.endpoint.identification.algorithm	*	string				https
ssl.engine.factory.class	*	class				-
ssl.key.password	*	password				-
ssl.keymanager.algorithm	*	string				SunX509
ssl.keystore.certificate.chain	*	password				-
ssl.keystore.key	*	password				-
ssl.keystore.location	*	string				-
ssl.keystore.password	*	password				-
ssl.keystore.type	*	string				JKS
ssl.protocol	*	string				TLSv1.3
ssl.provider	*	string				-
ssl.secure.random.implementation	*	string				-
ssl.trustmanager.algorithm	*	string				PKIX
ssl.truststore.certificates	*	password				-
ssl.truststore.location	*	string				-
ssl.truststore.password	*	password				-
ssl.truststore.type	*	string				JKS
transaction.timeout.ms	P	integer	-2147483648	2147483647		60000
transaction.two.phase.commit.enable	P	boolean				false
transactional.id	P	nonempty				-
value.deserializer	C	class				-
value.serializer	P	class				-
"""
