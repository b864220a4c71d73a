"""Owns how a guarantee is written in .NET, with Confluent.Kafka: its names and its C# values.

The programs are in kdg/explain/programs.
"""

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
)
from kdg.settings.definitions import dotnet_enums, dotnet_properties

_ACKS = {"-1": "all", "0": "none", "1": "leader"}
"""The members of the enum Acks, where librdkafka has numbers."""


def dotnet_name(name: str) -> str:
    """The property of ProducerConfig or ConsumerConfig for librdkafka's name; "" if there is none."""
    own = dotnet_properties().get(name)
    return own.name if own else ""


def dotnet_value(name: str, value: str) -> str:
    """The value of a setting as C# writes it: a member of an enum, a number, a boolean or a text."""
    own = dotnet_properties().get(name)
    if value == "..." or own is None or own.type == "string":
        return f'"{value}"'
    members = {_squashed(member): member for member in dotnet_enums().get(own.type, ())}
    if not members:
        return value
    first = value.split(",", maxsplit=1)[0]  # the enum of the assignors takes one
    first = _ACKS.get(first, first) if name == "acks" else first
    return f"{own.type}.{members[_squashed(first)]}"


def _squashed(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


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
        (Step.RECORD_POSITION, METADATA_EARLY.format(ask="ConsumerGroupMetadata")),
        (Step.COMMIT_TRANSACTION, COMMIT_FLUSHES),
        (Step.COMMIT_TRANSACTION, "KafkaRetriableException: only the same call may follow, no abort and no begin."),
        (Step.COMMIT_TRANSACTION, LATE_COMMIT),
        (Step.COMMIT_TRANSACTION, RESENT_COMMIT),
    ),
)
