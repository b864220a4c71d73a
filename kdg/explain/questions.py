"""Owns the questions that people ask about delivery guarantees, their short answers, and their pages."""

from __future__ import annotations

from typing import NamedTuple

from kdg.explain.words import see
from kdg.text.page import Page, Section, two_columns


class Question(NamedTuple):
    """name: the name of the page. see: the names of pages with more about it."""

    name: str
    question: str
    answer: str
    see: tuple[str, ...]


QUESTIONS = (
    Question(
        "acks-all",
        "Does acks=all mean that my record is on several brokers?",
        "Only on the replicas that are in sync at that moment; this can be the leader alone. min.insync.replicas is "
        "the least number of them. It is 1 by default, and cannot be more than the number of replicas. Use "
        "replication factor 3 and min.insync.replicas 2.",
        ("min.insync.replicas", "acks"),
    ),
    Question(
        "idempotent-duplicates",
        "I enabled idempotence. Why are there duplicates?",
        "Idempotence prevents only the duplicates that the client's own retries would make, within one producer "
        "session. If the program calls produce twice, or restarts and sends again, these are new records.",
        ("enable.idempotence", "transactional.id"),
    ),
    Question(
        "auto-commit",
        "Is auto-commit at-least-once?",
        "In Java yes, if the program finishes all records of a poll before the next poll or close. In librdkafka "
        "(Python, .NET, Go, kcat) no: a record counts as done just before the program receives it, so a commit in the "
        "background, or close(), can commit a record that is not finished. Set enable.auto.offset.store=false and "
        "store the offset after the work.",
        ("enable.auto.offset.store", "enable.auto.commit"),
    ),
    Question(
        "side-effects",
        "Does exactly-once cover my database or HTTP call?",
        "No. A transaction covers the records and the group positions of one cluster. For everything else, save the "
        "position together with the result; or make the effect idempotent, with topic, partition and offset as its "
        "key.",
        ("exactly-once",),
    ),
    Question(
        "two-clusters",
        "Can I read from one cluster and write to another exactly once?",
        "Not with the positions of a consumer group: they are on the cluster that is read, and no transaction covers "
        "two clusters. It is possible if the positions are kept on the cluster that is written to, in the transaction "
        "of the records: MirrorMaker 2 and Kafka Connect can do that. Otherwise use at-least-once and deduplicate.",
        ("exactly-once", "at-least-once"),
    ),
    Question(
        "aborted-records",
        "Why does one consumer see aborted records and another not?",
        "Java, franz-go, sarama, aiokafka and kafka-python read uncommitted records by default; clients based on "
        "librdkafka read only committed records. Set isolation.level=read_committed on every reader.",
        ("isolation.level",),
    ),
    Question(
        "abort-skipped",
        "I aborted the transaction. Why was the batch skipped?",
        "An abort undoes the writes and the positions in the transaction. It does not undo the consumer's position in "
        "memory, which is already after the batch. Seek every partition back to its committed position before you "
        "continue.",
        ("exactly-once",),
    ),
    Question(
        "fenced-alone",
        "I was fenced by a newer instance, but I run only one. Why?",
        "The broker ended the transaction after transaction.timeout.ms, and librdkafka reports this as fencing, too. "
        "Use smaller batches or a longer timeout, and create a new producer. If two processes have the same "
        "transactional.id, the message means what it says.",
        ("transaction.timeout.ms", "transactional.id", "exit-6"),
    ),
    Question(
        "timed-out",
        "The delivery report says that the record timed out. Is the record absent?",
        "Nobody knows. If the record never left the queue, it is absent. If its request was already sent, it may be "
        "in the log, and sending it again can write it twice. Use a long timeout, and idempotence.",
        ("message.timeout.ms", "exit-3"),
    ),
    Question(
        "lost-messages",
        "My messages are lost. Where can they have gone?",
        "In the consumer: the position was committed before the work was done; or there was no stored position, and "
        "auto.offset.reset=latest skipped them. In the producer: acks=0 or acks=1, a delivery report that nobody "
        "looked at, or an exit without flush. In the cluster: only one replica, or an unclean leader election. "
        "kdg check looks for all of these.",
        ("auto.offset.reset", "acks", "enable.auto.offset.store", "unclean.leader.election.enable"),
    ),
    Question(
        "replayed",
        "My new consumer missed records, or read a week again. Why?",
        "The group has no usable stored position, so auto.offset.reset decides: latest skips all earlier records, "
        "also the first records of a new partition; earliest reads all records again. A group without members for "
        "7 days loses its positions.",
        ("auto.offset.reset", "offsets.retention.minutes"),
    ),
    Question(
        "produce-returned",
        "produce() returned. Is the record sent?",
        "No, it is only in the queue. The result arrives in a callback, which poll() and flush() run. If the process "
        "exits without flush, the records in the queue are lost. flush(t) returns the number of records that are "
        "still there.",
        ("at-least-once",),
    ),
    Question(
        "airtight",
        "Do Kafka's transactions have gaps?",
        "In the older protocol a late commit or abort could end the next transaction of the same producer. The newer "
        "protocol (KIP-890, brokers since 4.0) prevents this, but clients based on librdkafka do not have it yet: "
        "after a commit or an abort that timed out, create a new producer.",
        ("exactly-once",),
    ),
    Question(
        "lag-never-zero",
        "Why does the lag never reach 0, and why do offsets jump?",
        "The markers of commits and aborts have offsets, too. A position that does not move past the last marker "
        "stays one offset behind.",
        ("exactly-once",),
    ),
    Question(
        "order",
        "Why did my records change their order?",
        "There are four causes. Kafka keeps the order only within a partition. Without idempotence, a retry can arrive "
        "after a later record, unless only one request is in flight. The same key can go to two partitions: with "
        "different partitioners, or after partitions were added to the topic. And a program that handles records in "
        "several threads, or sends a failed record again, changes the order itself.",
        ("enable.idempotence", "max.in.flight.requests.per.connection", "partitioner"),
    ),
    Question(
        "stuck",
        "Why does my consumer stop although there are records?",
        "There are several causes. An open transaction: a reader of committed records stops before its first record, "
        "until the transaction ends or its transaction.timeout.ms is over. No partition: the group has more members "
        "than the topic has partitions, or it rebalances again and again because the work takes longer than "
        "max.poll.interval.ms. No position: with auto.offset.reset=error the consumer waits, and with latest it reads "
        "only new records. A record that fails each time. A missing right on the group or the topic.",
        ("transaction.timeout.ms", "isolation.level"),
    ),
    Question(
        "poison-record",
        "One record is poison: it cannot be handled. How do I get past it?",
        "Do not commit past it without keeping it. Write it to a topic of its own (a dead letter), with its topic, "
        "partition and offset, and only then go on; under exactly-once in the same transaction. kdg stops at such a "
        "record, names its partition and offset, and settles nothing of its batch.",
        ("exit-1", "side-effects"),
    ),
    Question(
        "filter-failures",
        "A filter failed on one line. Is that record dropped?",
        "It may be: kdg pipe sees only the exit status of the command. jq 1.6 exits with 0 although an earlier line "
        "failed, and sh -c 'a | b' exits with the status of b alone; then the record counts as filtered. Use jq 1.7, "
        "or bash -c 'set -o pipefail; a | b'.",
        ("cmd", "exit-1"),
    ),
    Question(
        "service",
        "How do I run it as a service, under systemd or Kubernetes?",
        "SIGTERM settles what is open within 10 s and ends the run; a new start goes on there. Start it again after "
        "a failure, but not after exit 2, 6, 7 and 10, which a new start does not change: in systemd "
        "Restart=on-failure and RestartPreventExitStatus=2 6 7 10.",
        ("exit-codes", "exit-143"),
    ),
    Question(
        "sandbox",
        "Where can I try this without a cluster?",
        "kdg sandbox -- CMD starts a real Apache Kafka on this machine, runs CMD with KDG_BROKERS set, and removes "
        "everything at the end. kdg verify kills programs in such a cluster and counts what is lost.",
        ("config",),
    ),
    Question(
        "clients",
        "How do I write this in Python, .NET (dotnet), Java, Go or kcat?",
        "kdg explain GUARANTEE --client python, dotnet, java, go or kcat shows the configuration and the steps of a "
        "program that copies a topic. --program prints the whole program, and kdg verify -- CMD proves it.",
        ("exactly-once", "at-least-once", "at-most-once"),
    ),
)


def question_page(asked: Question) -> Page:
    """A question and its answer."""
    pages = [f"kdg explain {name}" for name in asked.see]
    sections = (Section("", asked.answer), see(pages))
    return Page("question", asked.name, "a question", asked.question, sections, {"answer": asked.answer, "see": pages})


def questions_page() -> Page:
    """All questions."""
    pages = [f"kdg explain {QUESTIONS[0].name}"]
    data = {"questions": [asked._asdict() for asked in QUESTIONS], "see": pages}
    sections = (Section("", two_columns(tuple((asked.name, asked.question) for asked in QUESTIONS))), see(pages))
    summary = "Questions that people ask. `kdg explain NAME` shows the answer."
    return Page("questions", "questions", "", summary, sections, data)
