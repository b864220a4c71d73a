"""Owns what is true of Kafka's settings whatever the guarantee: their defaults by client and what they do.

What a guarantee wants of a setting, and why, stands in `kdg/core/guarantees.py` and not here. Tried with librdkafka 2.16 and
kafka-clients 4.3, or read in their source. An empty effect means none.
"""

from __future__ import annotations

from typing import NamedTuple

from kdg.core.guarantees import DEDUP_TTL


class Fact(NamedTuple):
    """A setting of a client (side: producer, consumer or both), or of a topic or broker, as librdkafka calls it."""

    name: str
    side: str
    librdkafka: str
    java: str
    loss: str = ""
    duplicates: str = ""
    order: str = ""
    note: str = ""


_AUTO_STORE_LOSS = (
    "true: a record may be committed as soon as it is handed over; a timer, close() or a revoke then loses what was "
    "being worked on"
)

_PRODUCER = (
    Fact(
        "acks",
        "producer",
        "all (since 1.0)",
        "all (since 3.0; 1 before)",
        loss="0: no answer, so a loss is never seen. 1: an acknowledged record is lost if the leader dies before a "
        "follower has it. all: safe on as many replicas as min.insync.replicas asks for",
        duplicates="0 and 1 rule out idempotence, so that a retry can double",
        order="without idempotence a retry can change the order, unless one request is in flight",
        note="`--acks leader` (acks=1, at-least-once only) gives up two things: a record that was acknowledged, and "
        "counted, is gone if the leader dies before a follower has copied it; and the broker no longer recognises a "
        "retry, so that it can double a record within the run. It saves the wait for the followers. Order is kept "
        "with one request in flight.",
    ),
    Fact(
        "enable.idempotence",
        "producer",
        "false",
        "true (since 3.0; not applied in 3.0.0 and 3.1.0)",
        duplicates="true: a retry adds none, per partition and within one producer session",
        order="true: kept when something is sent again",
        note="It does not cover a restart, the same record produced twice, or two producers. Java drops it without an "
        "error when acks is not all or retries is 0, unless it is written out.",
    ),
    Fact(
        "message.send.max.retries",
        "producer",
        "2147483647 (since 1.5.2; 2 before)",
        "2147483647 (since 2.1; 0 before)",
        loss="0: what fails once is lost",
        duplicates="more than 0 without idempotence: a retry can double",
        order="more than 0 without idempotence: can change with more than one request in flight",
        note="A record of which it is certain that it was never stored is sent again even at 0.",
    ),
    Fact(
        "max.in.flight.requests.per.connection",
        "producer",
        "1000000 (5 with idempotence)",
        "5",
        order="more than 1, with retries and without idempotence: a retry can change it",
    ),
    Fact(
        "message.timeout.ms",
        "producer",
        "300000 (in transactions: transaction.timeout.ms)",
        "120000 (delivery.timeout.ms)",
        loss="the record fails after this time, retries included",
        duplicates="a record that timed out in flight may be in the log: sending it again can double it",
        note="0 means no limit. A timeout means that the outcome is unknown, not that the record is absent.",
    ),
    Fact(
        "transactional.id",
        "producer",
        'none ("" is none as well)',
        'none ("" is refused)',
        duplicates="fences an older instance with the same id and turns idempotence on",
        note="One id for each live instance, and the same one after a restart: two that share one fence each other, "
        "and a new one for each start leaves the old transaction to hold up readers until its timeout.",
    ),
    Fact(
        "transaction.timeout.ms",
        "producer",
        "60000",
        "60000",
        note="Too short: the broker aborts the transaction, and the producer is fenced by nobody. Too long: readers "
        "wait that long behind what a crashed instance left. The broker allows transaction.max.timeout.ms (15 min).",
    ),
    Fact(
        "enable.gapless.guarantee",
        "producer",
        "false (experimental)",
        "absent, ignored",
        order="true: a hole in the series is a fatal error; timeouts are not covered",
    ),
    Fact(
        "queue.buffering.max.messages",
        "producer",
        "100000",
        "absent (buffer.memory, and max.block.ms 60 s)",
        loss="when full, produce() fails (BufferError in Python): who swallows that loses the record",
    ),
    Fact(
        "queue.buffering.max.kbytes",
        "producer",
        "1048576",
        "32 MiB (buffer.memory)",
        loss="when full, produce() fails (BufferError in Python): who swallows that loses the record",
    ),
    Fact(
        "linger.ms",
        "producer",
        "5 (since 1.5)",
        "5 (since 4.0; 0 before)",
        loss="longer: more unsent records are lost with a process that dies before it flushed",
    ),
    Fact("compression.type", "producer", "none", "none"),
    Fact("batch.size", "producer", "1000000", "16384"),
    Fact(
        "partitioner",
        "producer",
        "consistent_random",
        "like murmur2_random",
        order="clients that partition differently put one key on two partitions, and its order is gone",
    ),
    Fact(
        "delivery.report.only.error",
        "producer",
        "false",
        "absent",
        note="true: a delivery is reported only when it failed. The .NET client refuses it with an exception.",
    ),
)

_CONSUMER = (
    Fact(
        "enable.auto.commit",
        "consumer",
        "true",
        "true (false without group.id)",
        loss="true: a timer or close() commits what may not be handled yet (see enable.auto.offset.store); in a "
        "transactional pipe the group moves on although the transaction is aborted",
        duplicates="true: after a crash up to one auto.commit.interval.ms is read again",
        note="auto.commit.enable=false does not switch it off: a legacy name that a modern consumer ignores.",
    ),
    Fact(
        "enable.auto.offset.store",
        "consumer",
        "true",
        "absent, ignored",
        loss=_AUTO_STORE_LOSS,
        note="With false, and store_offsets (.NET: StoreOffset) after the work, auto-commit is at-least-once.",
    ),
    Fact(
        "auto.commit.interval.ms",
        "consumer",
        "5000 (0: no timer, but close() still commits)",
        "5000",
        duplicates="longer: more is read again after a crash",
    ),
    Fact(
        "auto.offset.reset",
        "consumer",
        "latest (also earliest, error)",
        "latest (also earliest, none, by_duration)",
        loss="latest: what lies before the first commit, in a new partition, or after a position fell out of retention "
        "is skipped",
        duplicates="earliest: all that is retained is read again where a position is missing",
        note="It decides without a position and with one that is out of range. earliest, too, jumps over deleted "
        "records with no more than a log line; error (Java: none) stops.",
    ),
    Fact(
        "isolation.level",
        "consumer",
        "read_committed",
        "read_uncommitted",
        duplicates="read_uncommitted: aborted records are seen, and again when they were sent anew",
        note="Every reader downstream of a transaction needs read_committed; Java, franz-go, sarama, aiokafka and "
        "kafka-python do not have it by default.",
    ),
    Fact(
        "max.poll.interval.ms",
        "consumer",
        "300000",
        "300000",
        duplicates="exceeded: the consumer leaves the group, its commit fails, and another reads it again",
    ),
    Fact(
        "session.timeout.ms",
        "consumer",
        "45000 (since 1.7; 10000 before)",
        "45000 (since 3.0; 10000 before)",
        duplicates="missed: a rebalance, and what was not committed is read again",
    ),
    Fact(
        "group.instance.id",
        "consumer",
        "none",
        "none",
        duplicates="fewer rebalances, so fewer; an id in use twice fences the old member (classic) or refuses the new",
    ),
    Fact(
        "partition.assignment.strategy",
        "consumer",
        "range,roundrobin (also cooperative-sticky)",
        "range and cooperative-sticky (since 3.0)",
        note="An eager strategy interrupts all the work in hand at each rebalance.",
    ),
    Fact(
        "group.protocol",
        "consumer",
        "classic",
        "classic",
        duplicates="consumer (KIP-848): goes on fetching while the coordinator is away and cannot commit",
    ),
    Fact("check.crcs", "consumer", "false", "true", note="true: a corrupted record is an error."),
    Fact(
        "allow.auto.create.topics",
        "consumer",
        "false",
        "true",
        loss="true: a mistyped topic appears, with the broker's default replication factor, often 1",
    ),
)

_CLUSTER = (
    Fact(
        "min.insync.replicas",
        "topic or broker",
        "broker: 1",
        "broker: 1",
        loss="1: acks=all may mean the leader alone once the followers fall behind; 2, with replication factor 3, "
        "survives the loss of any one broker",
        note="More than the replication factor is lowered to it (since 3.7).",
    ),
    Fact(
        "replication.factor",
        "topic",
        "broker: 1 (default.replication.factor)",
        "broker: 1 (default.replication.factor)",
        loss="1: one disk holds the only copy, and acks=all is acks=1",
        note="Not a setting of a topic but its number of replicas.",
    ),
    Fact(
        "unclean.leader.election.enable",
        "topic or broker",
        "broker: false (true before 0.11)",
        "broker: false (true before 0.11)",
        loss="true: acknowledged records may vanish, committed transactions as well",
    ),
    Fact(
        "transaction.state.log.replication.factor",
        "broker",
        "broker: 3",
        "broker: 3",
        loss="below 3 (and transaction.state.log.min.isr below 2), transactions are as fragile as one broker",
    ),
    Fact(
        "offsets.retention.minutes",
        "broker",
        "broker: 10080 (7 days)",
        "broker: 10080 (7 days)",
        loss="a group that is empty for longer loses its position, and auto.offset.reset decides",
        duplicates="the same, with earliest",
    ),
)

FACTS = {fact.name: fact for fact in _PRODUCER + _CONSUMER + _CLUSTER}
"""By librdkafka's name (for topics and brokers: Kafka's)."""

DEDUPLICATION = (
    ("position", "what is delivered again: a record below the highest offset that was written of its partition"),
    ("key, value, header:NAME", "what was sent twice: a record whose id was written before, in any partition of the topic; one without an id is let through"),
    ("window", f"the run; with --dedup-store FILE every run of the group, with --sqlite its own file; an id is remembered for {DEDUP_TTL}, or --dedup-ttl: longer than any replay has to be"),
    ("a crash", "a record is marked after it was written and flushed: in between it can double, and is never lost; with --sqlite records and marks are one transaction: neither"),
    ("where it ends", "each instance of a group has its own marks: two that share a group can both write an id that changes partitions"),
    ("memory", "flat: ids are 16 bytes each in a SQLite file, a temporary one without --dedup-store"),
)  # fmt: skip
"""What `--dedup-by` does."""
