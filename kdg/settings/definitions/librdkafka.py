"""Owns the settings of librdkafka 2.16.0. Pure.

`python -m tests.definitions` writes it.
"""

TABLE = """\
client.id	*	string				rdkafka	0.0.99
metadata.broker.list	*	string				-	0.0.99
bootstrap.servers	*	string				-	0.0.99
message.max.bytes	*	integer	1000	1000000000		1000000	0.0.99
message.copy.max.bytes	*	integer	0	1000000000		65535	0.0.99
receive.message.max.bytes	*	integer	1000	2147483647		100000000	0.0.99
max.in.flight.requests.per.connection	*	integer	1	1000000		1000000	0.0.99
max.in.flight	*	integer	1	1000000		1000000	0.0.99
metadata.recovery.strategy	*	enum			~none|rebootstrap	rebootstrap	2.10.0
metadata.recovery.rebootstrap.trigger.ms	*	integer	0	2147483647		300000	2.11.0
topic.metadata.refresh.interval.ms	*	integer	-1	3600000		300000	0.0.99
metadata.max.age.ms	*	integer	1	86400000		900000	0.0.99
topic.metadata.refresh.fast.interval.ms	*	integer	1	60000		100	0.0.99
topic.metadata.refresh.fast.cnt	*	integer	0	1000		10	0.0.99
topic.metadata.refresh.sparse	*	boolean				true	0.0.99
topic.metadata.propagation.max.ms	*	integer	0	3600000		30000	1.5.0
topic.blacklist	*	string				-	0.0.99
debug	*	flags			~generic|broker|topic|metadata|feature|queue|msg|protocol|cgrp|\
security|fetch|interceptor|plugin|consumer|admin|eos|mock|assignor|conf|\
telemetry|\
all	-	0.0.99
socket.timeout.ms	*	integer	10	300000		60000	0.0.99
socket.blocking.max.ms	*	integer	1	60000		1000	0.0.99
socket.send.buffer.bytes	*	integer	0	100000000		0	0.0.99
socket.receive.buffer.bytes	*	integer	0	100000000		0	0.0.99
socket.keepalive.enable	*	boolean				false	0.0.99
socket.nagle.disable	*	boolean				true	0.0.99
socket.max.fails	*	integer	0	1000000		1	0.0.99
broker.address.ttl	*	integer	0	86400000		1000	0.0.99
broker.address.family	*	enum			~any|v4|v6	any	0.0.99
socket.connection.setup.timeout.ms	*	integer	1000	2147483647		30000	1.9.0
connections.max.idle.ms	*	integer	0	2147483647		0	1.7.0
reconnect.backoff.jitter.ms	*	integer	0	3600000		0	0.0.99
reconnect.backoff.ms	*	integer	0	3600000		100	1.0.0
reconnect.backoff.max.ms	*	integer	0	3600000		10000	1.0.0
statistics.interval.ms	*	integer	0	86400000		0	0.0.99
enabled_events	*	integer	0	2147483647		0	0.0.99
log_level	*	integer	0	7		6	0.0.99
log.queue	*	boolean				false	0.0.99
log.thread.name	*	boolean				true	0.0.99
enable.random.seed	*	boolean				true	1.4.2
log.connection.close	*	boolean				true	0.0.99
internal.termination.signal	*	integer	0	128		0	0.0.99
api.version.request	*	boolean				true	0.0.99
api.version.request.timeout.ms	*	integer	1	300000		10000	0.0.99
api.version.fallback.ms	*	integer	0	604800000		0	0.0.99
broker.version.fallback	*	nonempty				0.10.0	0.0.99
allow.auto.create.topics	*	boolean				false	1.5.0
security.protocol	*	enum			~plaintext|ssl|sasl_plaintext|sasl_ssl	\
plaintext	0.0.99
ssl.cipher.suites	*	string				-	0.0.99
ssl.curves.list	*	string				-	0.11.5
ssl.sigalgs.list	*	string				-	0.11.5
ssl.key.location	*	string				-	0.0.99
ssl.key.password	*	string				-	0.0.99
ssl.key.pem	*	string				-	1.1.0
ssl.certificate.location	*	string				-	0.0.99
ssl.certificate.pem	*	string				-	1.1.0
ssl.ca.location	*	string				-	0.0.99
https.ca.location	*	string				-	2.11.0
https.ca.pem	*	string				-	2.11.0
ssl.ca.pem	*	string				-	1.8.2
ssl.ca.certificate.stores	*	string				Root	1.6.0
ssl.crl.location	*	string				-	0.0.99
ssl.keystore.location	*	string				-	0.11.4
ssl.keystore.password	*	string				-	0.11.4
ssl.providers	*	string				-	2.0.0
ssl.engine.location	*	string				-	1.7.0
ssl.engine.id	*	string				dynamic	1.7.0
enable.ssl.certificate.verification	*	boolean				true	1.1.0
ssl.endpoint.identification.algorithm	*	enum			~none|https	https	1.1.0
sasl.mechanisms	*	string				GSSAPI	0.0.99
sasl.mechanism	*	string				GSSAPI	0.11.4
sasl.kerberos.service.name	*	string				kafka	0.0.99
sasl.kerberos.principal	*	string				kafkaclient	0.0.99
sasl.kerberos.keytab	*	string				-	0.0.99
sasl.kerberos.min.time.before.relogin	*	integer	0	86400000		60000	0.0.99
sasl.username	*	string				-	0.0.99
sasl.password	*	string				-	0.0.99
sasl.oauthbearer.config	*	string				-	1.1.0
enable.sasl.oauthbearer.unsecure.jwt	*	boolean				false	1.1.0
sasl.oauthbearer.method	*	enum			~default|oidc	default	1.9.0
sasl.oauthbearer.client.id	*	string				-	1.9.0
sasl.oauthbearer.client.credentials.client.id	*	string				-	2.11.0
sasl.oauthbearer.client.credentials.client.secret	*	string				-	2.11.0
sasl.oauthbearer.client.secret	*	string				-	1.9.0
sasl.oauthbearer.scope	*	string				-	1.9.0
sasl.oauthbearer.extensions	*	string				-	1.9.0
sasl.oauthbearer.token.endpoint.url	*	string				-	1.9.0
sasl.oauthbearer.sub.claim.name	*	string				sub	2.14.0
sasl.oauthbearer.grant.type	*	enum			~client_credentials|\
urn:ietf:params:oauth:grant-type:jwt-bearer	\
client_credentials	2.11.0
sasl.oauthbearer.assertion.algorithm	*	enum			~RS256|ES256	RS256	2.11.0
sasl.oauthbearer.assertion.private.key.file	*	string				-	2.11.0
sasl.oauthbearer.assertion.private.key.passphrase	*	string				-	2.11.0
sasl.oauthbearer.assertion.private.key.pem	*	string				-	2.11.0
sasl.oauthbearer.assertion.file	*	string				-	2.11.0
sasl.oauthbearer.assertion.claim.aud	*	string				-	2.11.0
sasl.oauthbearer.assertion.claim.exp.seconds	*	integer	1	2147483647		300	2.11.0
sasl.oauthbearer.assertion.claim.iss	*	string				-	2.11.0
sasl.oauthbearer.assertion.claim.jti.include	*	boolean				false	2.11.0
sasl.oauthbearer.assertion.claim.nbf.seconds	*	integer	0	2147483647		60	2.11.0
sasl.oauthbearer.assertion.claim.sub	*	string				-	2.11.0
sasl.oauthbearer.assertion.jwt.template.file	*	string				-	2.11.0
sasl.oauthbearer.metadata.authentication.type	*	enum			~none|azure_imds|aws_iam	\
none	2.12.0
plugin.library.paths	*	string				-	0.0.99
group.id	C	string				-	0.0.99
group.instance.id	C	string				-	1.4.0
partition.assignment.strategy	C	list			range|roundrobin|cooperative-sticky	\
range,roundrobin	0.0.99
session.timeout.ms	C	integer	1	3600000		45000	0.0.99
heartbeat.interval.ms	C	integer	1	3600000		3000	0.0.99
group.protocol.type	C	exact			consumer	consumer	0.0.99
group.protocol	C	enum			~classic|consumer	classic	2.4.0
group.remote.assignor	C	string				-	2.4.0
coordinator.query.interval.ms	C	integer	1	3600000		600000	0.0.99
max.poll.interval.ms	C	integer	1	86400000		300000	1.0.0
enable.auto.commit	C	boolean				true	0.0.99
auto.commit.interval.ms	C	integer	0	86400000		5000	0.0.99
enable.auto.offset.store	C	boolean				true	0.0.99
queued.min.messages	C	integer	1	10000000		100000	0.0.99
queued.max.messages.kbytes	C	integer	1	2097151		65536	0.0.99
fetch.wait.max.ms	C	integer	0	300000		500	0.0.99
fetch.queue.backoff.ms	C	integer	0	300000		1000	2.2.0
fetch.message.max.bytes	C	integer	1	1000000000		1048576	0.0.99
max.partition.fetch.bytes	C	integer	1	1000000000		1048576	0.0.99
fetch.max.bytes	C	integer	0	2147483135		52428800	0.11.4
fetch.min.bytes	P	integer	0	2147483647		1	0.0.99
fetch.min.bytes	C	integer	1	100000000		1	0.0.99
fetch.error.backoff.ms	C	integer	0	300000		500	0.0.99
offset.store.method	C	enum			~none|file|broker	broker	0.0.99
isolation.level	C	enum			~read_uncommitted|read_committed	\
read_committed	1.2.0
enable.partition.eof	C	boolean				false	0.0.99
check.crcs	C	boolean				false	0.0.99
client.rack	*	string				-	1.3.0
max.poll.records	C	integer	1	2147483647		500	2.15.0
share.acknowledgement.mode	C	string				implicit	2.15.0
transactional.id	P	string				-	1.4.0
transaction.timeout.ms	P	integer	1000	2147483647		60000	1.4.0
enable.idempotence	P	boolean				false	1.0.0
enable.gapless.guarantee	P	boolean				false	1.0.0
queue.buffering.max.messages	P	integer	0	2147483647		100000	0.0.99
queue.buffering.max.kbytes	P	integer	1	2147483647		1048576	0.0.99
queue.buffering.max.ms	P	float	0	900000		5	0.0.99
linger.ms	P	float	0	900000		5	0.0.99
message.send.max.retries	P	integer	0	2147483647		2147483647	0.0.99
retries	P	integer	0	2147483647		2147483647	0.0.99
retry.backoff.ms	*	integer	1	300000		100	0.0.99
retry.backoff.max.ms	*	integer	1	300000		1000	2.3.0
queue.buffering.backpressure.threshold	P	integer	1	1000000		1	0.11.4
compression.codec	P	enum			~none|gzip|snappy|lz4|zstd	none	0.0.99
compression.type	P	enum			~none|gzip|snappy|lz4|zstd	none	0.11.4
batch.num.messages	P	integer	1	1000000		10000	0.0.99
batch.size	P	integer	1	2147483647		1000000	1.5.0
delivery.report.only.error	P	boolean				false	0.0.99
sticky.partitioning.linger.ms	P	integer	0	900000		10	1.6.0
client.dns.lookup	*	enum			~use_all_dns_ips|\
resolve_canonical_bootstrap_servers_only	\
use_all_dns_ips	2.2.0
enable.metrics.push	*	boolean				true	2.5.0
request.required.acks	P	integer	-1	1000	~all	-1	0.0.99
acks	P	integer	-1	1000	~all	-1	0.0.99
request.timeout.ms	P	integer	1	900000		30000	0.0.99
message.timeout.ms	P	integer	0	2147483647		300000	0.0.99
delivery.timeout.ms	P	integer	0	2147483647		300000	1.0.0
queuing.strategy	P	enum			~fifo|lifo	fifo	0.11.4
produce.offset.report	P	boolean				false	0.0.99
partitioner	P	trimmed			random|consistent|consistent_random|murmur2|\
murmur2_random|fnv1a|fnv1a_random	\
consistent_random	0.8.2
compression.level	P	integer	-1	12		-1	0.11.5
auto.commit.enable	C	boolean				true	0.0.99
auto.offset.reset	C	enum			~smallest|earliest|beginning|largest|latest|end|error	\
largest	0.0.99
offset.store.path	C	string				.	0.0.99
offset.store.sync.interval.ms	C	integer	-1	86400000		-1	0.0.99
consume.callback.max.messages	C	integer	0	1000000		0	0.0.99
"""
