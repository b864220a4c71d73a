"""Owns the questions that people ask about delivery guarantees, with short answers. No page of a setting says them again."""

from __future__ import annotations

from typing import NamedTuple


class Question(NamedTuple):
    """name: of its page. see: the names of pages that go on from here."""

    name: str
    question: str
    answer: str
    see: tuple[str, ...]


QUESTIONS = (
    Question("acks-all", "Does acks=all mean that my record is on several brokers?", "Only on the replicas that are in sync at that moment, which can be the leader alone. min.insync.replicas sets the floor; it is 1 by default and cannot exceed the number of replicas. Ask for replication factor 3 and min.insync.replicas 2.", ("min.insync.replicas", "acks")),
    Question("idempotent-duplicates", "I enabled idempotence, why are there duplicates?", "It removes only the copies that the client's own retries make, within one producer session. To call produce twice, or to restart and send again, makes new records.", ("enable.idempotence", "transactional.id")),
    Question("auto-commit", "Is auto-commit at-least-once?", "In Java yes, if a poll's records are finished before the next poll or close. In librdkafka (Python, .NET, Go, kcat) no: a record counts as done just before the program receives it, and a commit in the background, or a close, can pass one that is not finished. Turn off the automatic store.", ("enable.auto.offset.store", "enable.auto.commit")),
    Question("side-effects", "Does exactly-once cover my database or HTTP call?", "No. A transaction spans the records and the group's positions of one cluster. For anything else keep the position together with the result, or make the effect idempotent, with topic, partition and offset as its key.", ("exactly-once",)),
    Question("two-clusters", "Can I read from one cluster and write to another exactly once?", "No: the positions are on one and the records on the other, and no transaction joins them. Plan for at-least-once and deduplication.", ("exactly-once", "at-least-once")),
    Question("aborted-records", "Why does one consumer see aborted records and another not?", "Java, franz-go, sarama, aiokafka and kafka-python read what is not committed unless they are told otherwise; librdkafka's clients read committed records. Set isolation.level on every reader.", ("isolation.level",)),
    Question("abort-skipped", "I aborted the transaction; why was the batch skipped?", "An abort undoes the writes and the positions in the transaction, not the place in memory where the reader stands. Seek every partition to its committed position before going on.", ("exactly-once",)),
    Question("fenced-alone", "I was fenced by a newer instance, but I run only one. Why?", "The broker ended the transaction after transaction.timeout.ms, and librdkafka calls that fencing, too. Use smaller batches or a longer timeout, and take a new producer. Two processes that share one transactional.id get the same message for its real reason.", ("transaction.timeout.ms", "transactional.id", "exit-6")),
    Question("timed-out", "The delivery report says that it timed out. Is the record absent?", "That is not known. If it never left the queue it is absent; if it was on its way it may be in the log, and sending it again can double it. Prefer a long timeout, with idempotence.", ("message.timeout.ms", "exit-3")),
    Question("lost-messages", "My messages are lost: where can they have gone?", "Ahead of the commit: a position that was committed before the work was done. At the end: auto.offset.reset=latest without a stored position. In the producer: acks=0 or 1, no look at the delivery report, an exit without flush. In the cluster: one replica, or an unclean election. kdg check looks at all of them.", ("auto.offset.reset", "acks", "enable.auto.offset.store", "unclean.leader.election.enable")),
    Question("replayed", "My new consumer missed records, or read a week again. Why?", "Without a stored position that can be used, auto.offset.reset decides: latest skips what came before, the first records of a new partition included, earliest reads all again. A group that is empty for 7 days loses its positions.", ("auto.offset.reset", "offsets.retention.minutes")),
    Question("produce-returned", "produce() returned, so the record was sent?", "It was only queued. The result comes through the callback that poll() and flush() serve; an exit without flush drops the queue, and flush(t) returns how many are left.", ("at-least-once",)),
    Question("airtight", "Are Kafka's transactions airtight?", "Before the newer protocol (KIP-890, brokers since 4.0) a commit or abort that came late could end the next transaction of the same producer. Clients on librdkafka do not speak it yet: after a commit or abort that timed out, take a new producer.", ("exactly-once",)),
    Question("lag-never-zero", "Why does the lag never reach 0, and why do offsets jump?", "The marks of commits and aborts take offsets of their own. A position that is not moved over them stays behind by one.", ("exactly-once",)),
    Question("order", "Why did my records change their order?", "A retry without idempotence can overtake, unless one request is in flight; and order is kept within a partition only.", ("enable.idempotence", "max.in.flight.requests.per.connection", "partitioner")),
    Question("stuck", "Why does my consumer stand still although there are records?", "An open transaction: a reader of committed records stops before it, plain records behind it included, until it ends or its transaction.timeout.ms is over.", ("transaction.timeout.ms", "isolation.level")),
)  # fmt: skip
