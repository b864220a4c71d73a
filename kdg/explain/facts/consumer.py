"""Owns the facts about the settings of a consumer."""

from __future__ import annotations

from kdg.explain.facts.fact import Default, Fact

CONSUMER = (
    Fact(
        "enable.auto.commit",
        "consumer",
        librdkafka=Default("true"),
        java=Default("true", "false without group.id"),
        loss="true: a timer or close() may commit records that the program has not finished "
        "(see enable.auto.offset.store); in a transactional pipe the group's position advances although the "
        "transaction is aborted",
        duplicates="true: after a crash, the records of up to one auto.commit.interval.ms are read again",
        note="auto.commit.enable=false does not switch it off: that is an old name, which today's consumers ignore.",
    ),
    Fact(
        "enable.auto.offset.store",
        "consumer",
        librdkafka=Default("true"),
        java=Default(None, "Java ignores it"),
        loss="true: a record may be committed as soon as the program receives it; if a timer, close() or a rebalance "
        "commits it and the process then dies, the record in progress is lost",
        note="false, with a call of store_offsets (.NET: StoreOffset) after the work on a record: auto-commit is then "
        "at-least-once.",
    ),
    Fact(
        "auto.commit.interval.ms",
        "consumer",
        librdkafka=Default("5000", "0: no timer, but close() still commits"),
        java=Default("5000"),
        duplicates="longer: more records are read again after a crash",
    ),
    Fact(
        "auto.offset.reset",
        "consumer",
        librdkafka=Default("latest", "other values: earliest, error"),
        java=Default("latest", "other values: earliest, none, by_duration"),
        loss="latest: without a position, or if retention has deleted it, the consumer starts at the end and skips all "
        "earlier records, also the first records of a new partition",
        duplicates="earliest: if the position is missing, all retained records are read again",
        note="The setting applies if there is no position, or if the position is out of range. earliest, too, skips "
        "deleted records, with no more than a line in the log. error (Java: none) stops the consumer.",
    ),
    Fact(
        "isolation.level",
        "consumer",
        librdkafka=Default("read_committed"),
        java=Default("read_uncommitted"),
        duplicates="read_uncommitted: the consumer sees aborted records, and sees them again if the producer repeats "
        "them",
        note="Every reader of records from transactions needs read_committed. In Java, franz-go, sarama, aiokafka and "
        "kafka-python it is not the default.",
    ),
    Fact(
        "max.poll.interval.ms",
        "consumer",
        librdkafka=Default("300000"),
        java=Default("300000"),
        duplicates="exceeded: the consumer leaves the group, its commit fails, and another consumer reads the records "
        "again",
        note="kdg polls while a command or the reader of stdout works, so a batch may take longer. When partitions "
        "move, the group waits this long for a batch that is at work; kdg uses four fifths of it, less one heartbeat.",
    ),
    Fact(
        "session.timeout.ms",
        "consumer",
        librdkafka=Default("45000", "since 1.7; 10000 before"),
        java=Default("45000", "since 3.0; 10000 before"),
        duplicates="exceeded: the group rebalances, and uncommitted records are read again",
    ),
    Fact(
        "group.instance.id",
        "consumer",
        librdkafka=Default(""),
        java=Default(""),
        duplicates="set: fewer rebalances, so fewer duplicates. If two members use one id, the old member is fenced "
        "(classic protocol) or the new member is refused",
    ),
    Fact(
        "partition.assignment.strategy",
        "consumer",
        librdkafka=Default("range,roundrobin", "also: cooperative-sticky"),
        java=Default("range,cooperative-sticky", "since 3.0"),
        note="An eager strategy (range, roundrobin) interrupts all work at each rebalance.",
    ),
    Fact(
        "group.protocol",
        "consumer",
        librdkafka=Default("classic"),
        java=Default("classic"),
        duplicates="consumer (KIP-848): the consumer continues to fetch while the coordinator is away, but cannot "
        "commit; these records can be read again",
    ),
    Fact(
        "check.crcs",
        "consumer",
        librdkafka=Default("false"),
        java=Default("true"),
        note="true: a corrupted record is an error.",
    ),
    Fact(
        "allow.auto.create.topics",
        "consumer",
        librdkafka=Default("false"),
        java=Default("true"),
        loss="true: a mistyped name creates a topic with the broker's default replication factor, which is often 1",
    ),
    Fact(
        "group.id",
        "consumer",
        librdkafka=Default("", "a consumer does not start without it"),
        java=Default("", "without it nothing is committed"),
        loss="a new name has no position: auto.offset.reset decides where it starts, and latest skips records",
        duplicates="a new name has no position: with earliest, all retained records are read again",
        note="Two programs with the same group.id share the partitions. Two programs that should each read all records "
        "need two names.",
    ),
    Fact(
        "heartbeat.interval.ms",
        "consumer",
        librdkafka=Default("3000"),
        java=Default("3000"),
        duplicates="close to session.timeout.ms: one late heartbeat is enough for a rebalance, after which uncommitted "
        "records are read again",
        note="Java does not start if it is not shorter than session.timeout.ms. With group.protocol=consumer the "
        "broker decides it.",
    ),
    Fact(
        "group.protocol.type",
        "consumer",
        librdkafka=Default("consumer"),
        java=Default(None),
        note="Only the value consumer has assignors.",
    ),
    Fact(
        "group.remote.assignor",
        "consumer",
        librdkafka=Default(""),
        java=Default(""),
        note="The name of an assignor of the broker, for group.protocol=consumer. Java refuses it with classic.",
    ),
    Fact(
        "fetch.max.bytes",
        "consumer",
        librdkafka=Default("52428800"),
        java=Default("52428800"),
        note="librdkafka does not start if it is less than message.max.bytes.",
    ),
)
