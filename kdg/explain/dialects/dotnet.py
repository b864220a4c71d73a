"""Owns how a guarantee is written in .NET, with Confluent.Kafka: its names and its C# values.

The programs are in kdg/explain/programs.
"""

from __future__ import annotations

from kdg.core.guarantees import Step
from kdg.explain.dialects.dialect import ENDS, GONE, LATE_COMMIT, NEW_GROUP, ONLY_IN_POLL, RESENT_COMMIT, Dialect

_NAMES = {
    "max.in.flight.requests.per.connection": "MaxInFlight",
    "delivery.report.only.error": "",
}
"""The properties whose names are not librdkafka's in PascalCase."""

_VALUES = {
    "acks": {
        "0": "Acks.None",
        "1": "Acks.Leader",
        "all": "Acks.All",
    },
    "isolation.level": {
        "read_committed": "IsolationLevel.ReadCommitted",
        "read_uncommitted": "IsolationLevel.ReadUncommitted",
    },
    "auto.offset.reset": {
        "error": "AutoOffsetReset.Error",
        "earliest": "AutoOffsetReset.Earliest",
        "latest": "AutoOffsetReset.Latest",
    },
}
"""The values that .NET writes as members of an enum."""


def dotnet_name(name: str) -> str:
    """The property of ProducerConfig or ConsumerConfig for librdkafka's name; "" if there is none."""
    return _NAMES.get(name, "".join(part.capitalize() for part in name.split(".")))


def dotnet_value(name: str, value: str) -> str:
    """The value of a setting as C# writes it."""
    known = _VALUES.get(name, {}).get(value)
    plain = value in ("true", "false") or value.isdigit()
    return known or (value if plain else f'"{value}"')


def _line(name: str, value: str) -> str:
    return f"{dotnet_name(name)} = {dotnet_value(name, value)},"


DOTNET = Dialect(
    title=".NET (Confluent.Kafka)",
    language="csharp",
    name_of=dotnet_name,
    line=_line,
    notes=(
        (Step.READ, ENDS),
        (Step.READ, NEW_GROUP),
        (Step.READ, GONE),
        (Step.READ, ONLY_IN_POLL.format(poll="Consume()")),
        (Step.READ, "Consume() returns null after a timeout, and throws a ConsumeException for an error."),
        (Step.READ, "EnableAutoCommit and EnableAutoOffsetStore are true unless you set them to false."),
        (Step.WRITE, "Produce() refuses a timestamp of another type than CreateTime: make a new one, as Copy() does."),
        (Step.WRITE, "There is no Retries property; its name is MessageSendMaxRetries."),
        (Step.COMMIT, "Flush() returns how many records have no report yet; 0 does not say that they were delivered."),
        (
            Step.RECORD_POSITION,
            (
                "ConsumerGroupMetadata is asked when partitions are assigned. Asked later, it may name a membership "
                "under which another instance owns them."
            ),
        ),
        (
            Step.COMMIT_TRANSACTION,
            "The commit flushes, and fails if one record was refused: no delivery report has to be looked at.",
        ),
        (Step.COMMIT_TRANSACTION, "KafkaRetriableException: only the same call may follow, no abort and no begin."),
        (Step.COMMIT_TRANSACTION, LATE_COMMIT),
        (Step.COMMIT_TRANSACTION, RESENT_COMMIT),
    ),
)
