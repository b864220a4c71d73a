"""Owns the facts about the settings of a topic or a broker. Defaults are those of Kafka 4.3."""

from __future__ import annotations

from kdg.explain.facts.fact import Default, Fact

CLUSTER = (
    Fact(
        "min.insync.replicas",
        "topic or broker",
        broker=Default("1"),
        loss="1: if the followers fall behind, acks=all means the leader alone. "
        "2, with replication factor 3: no acknowledged record is lost with any one broker",
        note="If it is larger than the replication factor, the broker uses the replication factor (since 3.7).",
    ),
    Fact(
        "replication.factor",
        "topic",
        broker=Default("1", "the broker's default.replication.factor"),
        loss="1: one disk holds the only copy, and acks=all is the same as acks=1",
        note="This is the number of replicas of each partition. It is chosen when the topic is created; the topic has "
        "no setting of this name.",
    ),
    Fact(
        "unclean.leader.election.enable",
        "topic or broker",
        broker=Default("false", "true before 0.11"),
        loss="true: acknowledged records can be lost, and committed transactions too",
    ),
    Fact(
        "transaction.state.log.replication.factor",
        "broker",
        broker=Default("3"),
        loss="below 3: the loss of one broker can lose the outcome of transactions",
    ),
    Fact(
        "transaction.state.log.min.isr",
        "broker",
        broker=Default("2"),
        loss="1: if the followers fall behind, the outcome of a transaction can be on the leader alone",
    ),
    Fact(
        "offsets.retention.minutes",
        "broker",
        broker=Default("10080", "7 days"),
        loss="a group without members for longer than this loses its positions; then auto.offset.reset applies, and "
        "latest skips records",
        duplicates="the same, with auto.offset.reset=earliest: records are read again",
    ),
)
