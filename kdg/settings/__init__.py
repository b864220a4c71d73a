"""Owns the settings of the Kafka clients: where each comes from, and what they become together.

options       every option of the command line, described once; the librdkafka property that an option sets
files         the configuration file, its profiles, the environment
keyvalue      `key=value` files: kcat's and Java's
java          the names of Java's clients, and what each is to librdkafka
java_values   Java's properties become librdkafka's: `buffer.memory` becomes `queue.buffering.max.kbytes`
java_login    Java's keystores, truststores and logins
brokers       what may stand in bootstrap.servers: HOST:PORT, with a protocol before it or not
token_command the property that names the command of a login with tokens
librdkafka    the names of librdkafka's properties, and which client knows them
defaults      what kdg sets under every guarantee
resolve       the effective settings of one client; what `--acks leader` changes; what contradicts the guarantee
definitions   the settings of each client as data: type, range, members, default
conflicts     settings that a client refuses together; conflicts_producer and conflicts_consumer are its two halves
contradiction the shape of such a conflict
requirements  whether a topic or the transaction log meets what a guarantee requires
"""
