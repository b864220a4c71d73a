"""Owns how a guarantee is written in Go, with confluent-kafka-go. The programs are in kdg/explain/programs."""

from __future__ import annotations

from kdg.core.guarantees import Step
from kdg.explain.dialects.dialect import (
    COMMIT_FLUSHES,
    ENDS,
    GONE,
    LATE_COMMIT,
    METADATA_EARLY,
    NEW_GROUP,
    ONLY_IN_POLL,
    RESENT_COMMIT,
    Dialect,
    quoted,
    same_name,
)

GO = Dialect(
    title="Go (confluent-kafka-go)",
    language="go",
    name_of=same_name,
    line=quoted,
    notes=(
        (Step.READ, ENDS),
        (Step.READ, NEW_GROUP),
        (Step.READ, GONE),
        (Step.READ, ONLY_IN_POLL.format(poll="Poll()")),
        (
            Step.READ,
            "Poll() returns nil after a timeout, and an error as kafka.Error or in message.TopicPartition.Error.",
        ),
        (Step.READ, "The library ignores what the rebalance callback returns; it then assigns the partitions itself."),
        (Step.READ, "With partition.assignment.strategy=cooperative-sticky, call IncrementalAssign()."),
        (Step.WRITE, "Read producer.Events() all the time: Flush() counts the events in it as not delivered."),
        (Step.COMMIT, "Each record has its report on the channel that Produce() was given: look at each."),
        (Step.RECORD_POSITION, METADATA_EARLY.format(ask="GetConsumerGroupMetadata()")),
        (Step.COMMIT_TRANSACTION, COMMIT_FLUSHES),
        (Step.COMMIT_TRANSACTION, "If IsRetriable(), only the same call may follow, no abort and no begin."),
        (Step.COMMIT_TRANSACTION, LATE_COMMIT),
        (Step.COMMIT_TRANSACTION, RESENT_COMMIT),
    ),
)
