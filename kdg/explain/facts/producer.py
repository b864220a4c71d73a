"""Owns the facts about the settings of a producer."""

from __future__ import annotations

from kdg.explain.facts.fact import Default, Fact

_QUEUE_FULL = (
    "if the queue is full, produce() fails (in Python with BufferError); a program that ignores the error loses the "
    "record"
)

PRODUCER = (
    Fact(
        "acks",
        "producer",
        librdkafka=Default("all", "since 1.0"),
        java=Default("all", "since 3.0; 1 before"),
        loss="0: the broker sends no answer, so nobody notices a lost record. "
        "1: an acknowledged record is lost if the leader dies before a follower has copied it. "
        "all: the record is on at least min.insync.replicas brokers",
        duplicates="0 and 1 exclude idempotence, so a retry can write a record twice",
        order="without idempotence a retry can change the order, unless only one request is in flight",
        note="`--acks leader` (acks=1, only with at-least-once) gives up two things. First, a record that was "
        "acknowledged and counted is lost if the leader dies before a follower has copied it. Second, the broker no "
        "longer recognises a retry, so a retry can write a record twice within the run. In return, kdg does not wait "
        "for the followers. The order is kept, because kdg allows only one request in flight.",
    ),
    Fact(
        "enable.idempotence",
        "producer",
        librdkafka=Default("false"),
        java=Default("true", "since 3.0; not applied in 3.0.0 and 3.1.0"),
        duplicates="true: a retry writes no duplicate, in each partition and within one producer session",
        order="true: a retry keeps the order",
        note="Idempotence does not cover a restart, a program that produces the same record twice, or two producers. "
        "Java switches it off without an error if acks is not all or retries is 0, unless the configuration sets "
        "enable.idempotence=true.",
    ),
    Fact(
        "message.send.max.retries",
        "producer",
        librdkafka=Default("2147483647", "since 1.5.2; 2 before"),
        java=Default("2147483647", "since 2.1; 0 before"),
        loss="0: a record that fails once is lost",
        duplicates="more than 0, without idempotence: a retry can write a record twice",
        order="more than 0, without idempotence and with more than one request in flight: a retry can change the order",
        note="Even at 0, librdkafka sends a record again if the broker certainly did not store it.",
    ),
    Fact(
        "max.in.flight.requests.per.connection",
        "producer",
        librdkafka=Default("1000000", "5 with idempotence"),
        java=Default("5"),
        order="more than 1, with retries and without idempotence: a retry can change the order",
    ),
    Fact(
        "message.timeout.ms",
        "producer",
        librdkafka=Default("300000", "in transactions: transaction.timeout.ms"),
        java=Default("120000", "Java calls it delivery.timeout.ms"),
        loss="a record fails after this time, retries included",
        duplicates="a record that timed out may be in the log, because its request may have arrived; "
        "sending it again can write it twice",
        note=(
            "0 means no limit in librdkafka; Java refuses delivery.timeout.ms=0. "
            "A timeout means that the outcome is unknown, not that the record is absent."
        ),
    ),
    Fact(
        "transactional.id",
        "producer",
        librdkafka=Default("", "an empty value counts as none"),
        java=Default("", "an empty value is refused"),
        duplicates="set: an older instance with the same id is fenced, and idempotence is on",
        note="Give each running instance one id of its own, and the same id after a restart. Two instances with the "
        "same id fence each other. If an instance takes a new id at each start, readers wait for the old transaction "
        "until its timeout.",
    ),
    Fact(
        "transaction.timeout.ms",
        "producer",
        librdkafka=Default("60000"),
        java=Default("60000"),
        note="If it is too short, the broker aborts the transaction and fences the producer, although no other "
        "instance runs. If it is too long, readers wait that long for the open transaction of a crashed instance. "
        "The broker allows at most transaction.max.timeout.ms (15 minutes).",
    ),
    Fact(
        "enable.gapless.guarantee",
        "producer",
        librdkafka=Default("false", "experimental"),
        java=Default(None, "Java ignores it"),
        order="true: a missing record in the series is a fatal error, except after a timeout",
    ),
    Fact(
        "queue.buffering.max.messages",
        "producer",
        librdkafka=Default("100000"),
        java=Default(None, "Java limits buffer.memory, and waits for max.block.ms, 60 s"),
        loss=_QUEUE_FULL,
    ),
    Fact(
        "queue.buffering.max.kbytes",
        "producer",
        librdkafka=Default("1048576"),
        java=Default("33554432", "in bytes; Java calls it buffer.memory"),
        loss=_QUEUE_FULL,
    ),
    Fact(
        "linger.ms",
        "producer",
        librdkafka=Default("5", "since 1.5"),
        java=Default("5", "since 4.0; 0 before"),
        loss="longer: more unsent records are lost if the process dies before a flush",
    ),
    Fact(
        "compression.type",
        "producer",
        librdkafka=Default("none"),
        java=Default("none"),
    ),
    Fact(
        "batch.size",
        "producer",
        librdkafka=Default("1000000"),
        java=Default("16384"),
    ),
    Fact(
        "partitioner",
        "producer",
        librdkafka=Default("consistent_random"),
        java=Default("", "Java chooses like murmur2_random"),
        order="if two clients use different partitioners, records with one key go to two partitions, and their order "
        "is lost",
    ),
    Fact(
        "delivery.report.only.error",
        "producer",
        librdkafka=Default("false"),
        java=Default(None),
        note="true: the client reports only failed deliveries. The .NET client refuses it with an exception.",
    ),
    Fact(
        "queuing.strategy",
        "producer",
        librdkafka=Default("fifo"),
        order="lifo: the newest record is sent first. Idempotence refuses lifo",
    ),
    Fact(
        "queue.buffering.backpressure.threshold",
        "producer",
        librdkafka=Default("1"),
        note="Idempotence refuses a value above 1.",
    ),
    Fact(
        "request.timeout.ms",
        "producer",
        librdkafka=Default("30000", "how long the broker waits for its followers"),
        java=Default(None, "Java's request.timeout.ms is librdkafka's socket.timeout.ms"),
        duplicates="over: the broker reports a timeout, although the record may be in the log; a retry without "
        "idempotence writes it twice",
    ),
    Fact(
        "socket.timeout.ms",
        "producer",
        librdkafka=Default("60000"),
        java=Default("30000", "Java calls it request.timeout.ms"),
        duplicates="over: the answer is not waited for any longer, although the broker may have done its work; a retry "
        "without idempotence writes a record twice",
        note="In a transaction, librdkafka does not start if it is more than 100 ms longer than "
        "transaction.timeout.ms.",
    ),
)
