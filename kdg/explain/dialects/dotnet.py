"""Owns how a guarantee is written in .NET, with Confluent.Kafka: its names, its C# values and its calls."""

from __future__ import annotations

from collections.abc import Iterator

from kdg.core.guarantees import Role, Step
from kdg.explain.dialects.dialect import LATE_COMMIT, NO_REWIND, Dialect, Settings

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


def _config(role: Role, settings: Settings) -> Iterator[str]:
    yield f"var {role.value}Config = new {role.value.capitalize()}Config"
    yield "{"
    yield '    BootstrapServers = "...",'
    if role is Role.CONSUMER:
        yield '    GroupId = "...",'
    yield from (f"    {_line(name, value)}" for name, value in settings)
    yield "};"


_OFFSETS = (
    "var offsets = consumer.Assignment",
    "    .Select(p => new TopicPartitionOffset(p, consumer.Position(p)))",
    "    .Where(o => o.Offset.Value >= 0).ToList();",
)

DOTNET = Dialect(
    title=".NET (Confluent.Kafka)",
    language="csharp",
    comment="//",
    name_of=dotnet_name,
    line=_line,
    config=_config,
    calls={
        Step.READ: ("var result = consumer.Consume(TimeSpan.FromSeconds(1));",),
        Step.COMMIT: (
            *_OFFSETS,
            "consumer.Commit(offsets);",
        ),
        Step.BEGIN: ("producer.BeginTransaction();",),
        Step.WRITE: ("producer.Produce(topic, result.Message);",),
        Step.FLUSH: ("producer.Flush(TimeSpan.FromSeconds(30));",),
        Step.RECORD_POSITION: (
            *_OFFSETS,
            "producer.SendOffsetsToTransaction(",
            "    offsets, consumer.ConsumerGroupMetadata, TimeSpan.FromSeconds(30));",
        ),
        Step.COMMIT_TRANSACTION: ("producer.CommitTransaction(TimeSpan.FromSeconds(30));",),
    },
    start=("producer.InitTransactions(TimeSpan.FromSeconds(30));",),
    undo=(
        "producer.AbortTransaction(TimeSpan.FromSeconds(30));",
        "foreach (var o in consumer.Committed(TimeSpan.FromSeconds(10)))",
        "    consumer.Seek(o);  // without a committed offset: your own start",
    ),
    notes=(
        (Step.READ, "EnableAutoCommit and EnableAutoOffsetStore are true unless you set them to false."),
        (Step.WRITE, "There is no Retries property; its name is MessageSendMaxRetries."),
        (Step.WRITE, "PersistenceStatus.PossiblyPersisted in a DeliveryResult means: the outcome is unknown."),
        (Step.BEGIN, "KafkaRetriableException: repeat the call. KafkaTxnRequiresAbortException: abort."),
        (Step.BEGIN, "If ex.Error.IsFatal: create a new producer."),
        (Step.RECORD_POSITION, NO_REWIND),
        (Step.COMMIT_TRANSACTION, LATE_COMMIT),
        (Step.COMMIT, "consumer.Commit(result) does the same for one record."),
    ),
)
