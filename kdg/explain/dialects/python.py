"""Owns how a guarantee is written in Python, with confluent-kafka. The programs are in kdg/explain/programs."""

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

PYTHON = Dialect(
    title="Python (confluent-kafka)",
    language="python",
    name_of=same_name,
    line=quoted,
    notes=(
        (Step.READ, ENDS),
        (Step.READ, NEW_GROUP),
        (Step.READ, GONE),
        (Step.READ, ONLY_IN_POLL.format(poll="poll()")),
        (Step.READ, "poll() returns errors, too: look at message.error() before you use a message."),
        (Step.READ, "With partition.assignment.strategy=cooperative-sticky, call incremental_assign() in assigned()."),
        (Step.COMMIT, "flush() == 0 says that each record has a report, not that each is delivered: look at each."),
        (Step.RECORD_POSITION, METADATA_EARLY.format(ask="consumer_group_metadata()")),
        (Step.COMMIT_TRANSACTION, COMMIT_FLUSHES),
        (Step.COMMIT_TRANSACTION, "If error.retriable(), only the same call may follow, no abort and no begin."),
        (Step.COMMIT_TRANSACTION, LATE_COMMIT),
        (Step.COMMIT_TRANSACTION, RESENT_COMMIT),
    ),
)
