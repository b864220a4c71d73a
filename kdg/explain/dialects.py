"""Owns how a guarantee is written for other clients: names and values of settings, and the calls of each step.

Which settings and which order of steps is read from the row. Calls: confluent-kafka-python, confluent-kafka-dotnet,
kafka-clients 4.3, librdkafka's rdkafka.h.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from kdg.core.guarantees import Guarantee, Role, Setting, Step
from kdg.settings.java import java_name

Calls = Mapping[Step, tuple[str, ...]]

_ROLE_OF = {
    Step.READ: Role.CONSUMER,
    Step.COMMIT: Role.CONSUMER,
    Step.BEGIN: Role.PRODUCER,
    Step.WRITE: Role.PRODUCER,
    Step.FLUSH: Role.PRODUCER,
    Step.RECORD_POSITION: Role.PRODUCER,
    Step.COMMIT_TRANSACTION: Role.PRODUCER,
}
"""The client that performs a step; the others are the application's."""

_INSTEAD = {
    Step.READ: "read your input",
    Step.FILTER: "your work on the records",
    Step.WRITE: "write them out",
    Step.FLUSH: "make sure that they are where they belong",
}
"""Said where a step has no client of the run to call."""

_DOTNET_NAMES = {"max.in.flight.requests.per.connection": "MaxInFlight", "delivery.report.only.error": ""}
_DOTNET_VALUES = {
    "acks": {"0": "Acks.None", "1": "Acks.Leader", "all": "Acks.All"},
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
_JAVA_VALUES = {"auto.offset.reset": {"error": "none"}}

Names = Callable[[str], str]
"""librdkafka's name of a setting to a client's own; empty where the client has none."""


def dotnet_name(name: str) -> str:
    """The property of .NET's ProducerConfig or ConsumerConfig."""
    return _DOTNET_NAMES.get(name, "".join(part.capitalize() for part in name.split(".")))


def dotnet_value(name: str, value: str) -> str:
    """A C# literal."""
    known = _DOTNET_VALUES.get(name, {}).get(value)
    plain = value in ("true", "false") or value.isdigit()
    return known or (value if plain else f'"{value}"')


def shown_value(setting: Setting) -> str:
    """A value for reading; nothing is `none` where it has to stay so and `...` where it is the user's to choose."""
    return setting.value or ("none" if setting.locked else "...")


def settings_of(row: Guarantee, role: Role, command: str) -> Iterator[tuple[str, str]]:
    """What is to be set for a command, in librdkafka's terms; what has to stay unset is left out."""
    for setting in row.settings(role):
        if (setting.value or not setting.locked) and (not setting.commands or command in setting.commands):
            yield setting.name, shown_value(setting)


def _quoted(name: str, value: str) -> str:
    return f'"{name}": "{value}",'


def _dotnet_line(name: str, value: str) -> str:
    return f"{dotnet_name(name)} = {dotnet_value(name, value)},"


def _java_line(name: str, value: str) -> str:
    return f"{java_name(name)}={_JAVA_VALUES.get(name, {}).get(value, value)}"


def _kcat_line(name: str, value: str) -> str:
    return f"-X {name}={value}"


def _python_config(role: Role, settings: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield f"{role.value} = {role.value.capitalize()}({{"
    yield '    "bootstrap.servers": "...",'
    if role is Role.CONSUMER:
        yield '    "group.id": "...",'
    yield from (f"    {_quoted(name, value)}" for name, value in settings)
    yield "})"


def _dotnet_config(role: Role, settings: Sequence[tuple[str, str]]) -> Iterator[str]:
    kind = role.value.capitalize()
    yield f"var {role.value}Config = new {kind}Config"
    yield "{"
    yield '    BootstrapServers = "...",'
    if role is Role.CONSUMER:
        yield '    GroupId = "...",'
    yield from (f"    {_dotnet_line(name, value)}" for name, value in settings)
    yield "};"


def _java_config(role: Role, settings: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield f"# {role.value}.properties"
    yield "bootstrap.servers=..."
    if role is Role.CONSUMER:
        yield "group.id=..."
    for name, value in settings:
        if java_name(name):
            yield _java_line(name, value)


def _go_config(role: Role, settings: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield f"{role.value}, err := kafka.New{role.value.capitalize()}(&kafka.ConfigMap{{"
    yield '    "bootstrap.servers": "...",'
    if role is Role.CONSUMER:
        yield '    "group.id": "...",'
    yield from (f"    {_quoted(name, value)}" for name, value in settings)
    yield "})"


def _kcat_config(role: Role, settings: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield "kcat -b ... -P -t TOPIC \\" if role is Role.PRODUCER else "kcat -b ... -G GROUP TOPIC \\"
    lines = [f"    {_kcat_line(name, value)}" for name, value in settings]
    yield from (f"{line} \\" for line in lines[:-1])
    yield from lines[-1:]


_PYTHON_POSITIONS = (
    "positions = [p for p in consumer.position(consumer.assignment())",
    "             if p.offset >= 0]",
)
_DOTNET_OFFSETS = (
    "var offsets = consumer.Assignment",
    "    .Select(p => new TopicPartitionOffset(p, consumer.Position(p)))",
    "    .Where(o => o.Offset.Value >= 0).ToList();",
)
_GO_POSITIONS = (
    "assigned, _ := consumer.Assignment()",
    "positions, _ := consumer.Position(assigned)  // leave out those below 0",
)

_LATE_COMMIT = (
    "After a commit or an abort that timed out, take a new producer: the late request could end the next transaction."
)


class Dialect(NamedTuple):
    """A client. config: a whole configuration; line: one setting of it. init: before the first transaction. undo: after a transaction that failed. notes: by
    the step they are about.
    """

    title: str
    language: str
    comment: str
    name_of: Names
    config: Callable[[Role, Sequence[tuple[str, str]]], Iterator[str]]
    line: Callable[[str, str], str]
    calls: Calls
    init: tuple[str, ...]
    undo: tuple[str, ...]
    notes: tuple[tuple[Step, str], ...]


DIALECTS = {
    "python": Dialect(
        "Python (confluent-kafka)",
        "python",
        "#",
        lambda name: name,
        _python_config,
        _quoted,
        {
            Step.READ: ("messages = consumer.consume(500, 1.0)",),
            Step.COMMIT: (*_PYTHON_POSITIONS, "consumer.commit(offsets=positions, asynchronous=False)"),
            Step.BEGIN: ("producer.begin_transaction()",),
            Step.WRITE: (
                "for m in messages:",
                "    producer.produce(topic, m.value(), m.key(), headers=m.headers())",
                "    producer.poll(0)",
            ),
            Step.FLUSH: ("assert producer.flush(30) == 0  # what is left is not delivered",),
            Step.RECORD_POSITION: (
                *_PYTHON_POSITIONS,
                "producer.send_offsets_to_transaction(",
                "    positions, consumer.consumer_group_metadata(), 30)",
            ),
            Step.COMMIT_TRANSACTION: ("producer.commit_transaction(30)",),
        },
        ("producer.init_transactions(30)",),
        (
            "producer.abort_transaction(30)",
            "for p in consumer.committed(consumer.assignment(), 10):",
            "    consumer.seek(p)  # a negative offset: to your own start",
        ),
        (
            (Step.RECORD_POSITION, "An abort does not rewind the consumer: without the seek the batch is skipped."),
            (Step.WRITE, "A record is delivered when its report came without an error, not when produce() returned."),
            (Step.BEGIN, "error = KafkaException.args[0]: if error.retriable(), the same call again."),
            (Step.BEGIN, "If error.txn_requires_abort(), abort; if error.fatal(), a new producer."),
            (Step.COMMIT_TRANSACTION, _LATE_COMMIT),
            (Step.COMMIT, "consumer.commit(message=m, asynchronous=False) does the same for one record."),
        ),
    ),
    "dotnet": Dialect(
        ".NET (Confluent.Kafka)",
        "csharp",
        "//",
        dotnet_name,
        _dotnet_config,
        _dotnet_line,
        {
            Step.READ: ("var result = consumer.Consume(TimeSpan.FromSeconds(1));",),
            Step.COMMIT: (*_DOTNET_OFFSETS, "consumer.Commit(offsets);"),
            Step.BEGIN: ("producer.BeginTransaction();",),
            Step.WRITE: ("producer.Produce(topic, result.Message);",),
            Step.FLUSH: ("producer.Flush(TimeSpan.FromSeconds(30));",),
            Step.RECORD_POSITION: (
                *_DOTNET_OFFSETS,
                "producer.SendOffsetsToTransaction(",
                "    offsets, consumer.ConsumerGroupMetadata, TimeSpan.FromSeconds(30));",
            ),
            Step.COMMIT_TRANSACTION: ("producer.CommitTransaction(TimeSpan.FromSeconds(30));",),
        },
        ("producer.InitTransactions(TimeSpan.FromSeconds(30));",),
        (
            "producer.AbortTransaction(TimeSpan.FromSeconds(30));",
            "foreach (var o in consumer.Committed(TimeSpan.FromSeconds(10)))",
            "    consumer.Seek(o);  // without a committed offset: to your own start",
        ),
        (
            (Step.READ, "EnableAutoCommit and EnableAutoOffsetStore are true unless they are set to false."),
            (Step.WRITE, "There is no Retries property; it is MessageSendMaxRetries."),
            (Step.WRITE, "PersistenceStatus.PossiblyPersisted in a DeliveryResult: the outcome is unknown."),
            (Step.BEGIN, "KafkaRetriableException: the same call again. KafkaTxnRequiresAbortException: abort."),
            (Step.BEGIN, "ex.Error.IsFatal: a new producer."),
            (Step.COMMIT_TRANSACTION, _LATE_COMMIT),
            (Step.COMMIT, "consumer.Commit(result) does the same for one record."),
        ),
    ),
    "java": Dialect(
        "Java (kafka-clients)",
        "java",
        "//",
        java_name,
        _java_config,
        _java_line,
        {
            Step.READ: (
                "var records = consumer.poll(Duration.ofMillis(500));",
                "offsets.putAll(records.nextOffsets());",
            ),
            Step.COMMIT: ("consumer.commitSync(offsets);",),
            Step.BEGIN: ("producer.beginTransaction();",),
            Step.WRITE: (
                "for (var r : records)",
                "    producer.send(new ProducerRecord<>(topic, r.key(), r.value()));",
            ),
            Step.FLUSH: ("producer.flush();",),
            Step.RECORD_POSITION: ("producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());",),
            Step.COMMIT_TRANSACTION: ("producer.commitTransaction();",),
        },
        ("producer.initTransactions();",),
        (
            "producer.abortTransaction();",
            "consumer.committed(consumer.assignment()).forEach((p, o) -> {",
            "    if (o != null) consumer.seek(p, o);  // else: to your own start",
            "});",
        ),
        (
            (Step.READ, "isolation.level is read_uncommitted unless it is set: set it on every reader."),
            (
                Step.WRITE,
                "Unless enable.idempotence is written out, acks or retries may switch it off without an error.",
            ),
            (Step.FLUSH, "flush() waits but reports no failure: look at each send()'s future or callback."),
            (Step.BEGIN, "ProducerFencedException: close. Any other KafkaException in a transaction: abort."),
        ),
    ),
    "go": Dialect(
        "Go (confluent-kafka-go)",
        "go",
        "//",
        lambda name: name,
        _go_config,
        _quoted,
        {
            Step.READ: ("message, err := consumer.ReadMessage(time.Second)",),
            Step.COMMIT: (*_GO_POSITIONS, "_, err = consumer.CommitOffsets(positions)"),
            Step.BEGIN: ("err = producer.BeginTransaction()",),
            Step.WRITE: (
                "to := kafka.TopicPartition{Topic: &topic, Partition: kafka.PartitionAny}",
                "err = producer.Produce(&kafka.Message{TopicPartition: to,",
                "    Key: message.Key, Value: message.Value}, nil)",
            ),
            Step.FLUSH: ("left := producer.Flush(30000)  // what is left is not delivered",),
            Step.RECORD_POSITION: (
                *_GO_POSITIONS,
                "metadata, err := consumer.GetConsumerGroupMetadata()",
                "err = producer.SendOffsetsToTransaction(ctx, positions, metadata)",
            ),
            Step.COMMIT_TRANSACTION: ("err = producer.CommitTransaction(ctx)",),
        },
        ("err = producer.InitTransactions(ctx)",),
        (
            "err = producer.AbortTransaction(ctx)",
            "assigned, _ := consumer.Assignment()",
            "committed, _ := consumer.Committed(assigned, 10000)",
            "consumer.SeekPartitions(committed)  // a negative offset: to your own start",
        ),
        (
            (Step.WRITE, "A record is delivered when its *kafka.Message on Events() has no TopicPartition.Error."),
            (Step.BEGIN, "err.(kafka.Error): IsRetriable(), the same call again; TxnRequiresAbort(), abort;"),
            (Step.BEGIN, "IsFatal(), a new producer."),
            (Step.RECORD_POSITION, "An abort does not rewind the consumer: without the seek the batch is skipped."),
            (Step.COMMIT_TRANSACTION, _LATE_COMMIT),
            (Step.COMMIT, "consumer.CommitMessage(message) does the same for one record."),
        ),
    ),
    "kcat": Dialect(
        "kcat",
        "sh",
        "#",
        lambda name: name,
        _kcat_config,
        _kcat_line,
        {
            Step.READ: ("kcat -G GROUP TOPIC  # its own loop: the settings are all that can be chosen",),
            Step.COMMIT: ("# by a timer only, before or after the work as it happens",),
            Step.BEGIN: ("# with -X transactional.id the whole input is one transaction",),
            Step.WRITE: ("kcat -P -t TOPIC",),
            Step.FLUSH: ("# at its end; exit 1 when a delivery report failed",),
            Step.RECORD_POSITION: ("# kcat cannot: there is no pipe from topic to topic",),
            Step.COMMIT_TRANSACTION: ("# at its end, also when the input was cut off",),
        },
        (),
        ("# at an error of its own, not of the program before it in the pipe",),
        (
            (Step.READ, "kcat prints what it has read into a buffer and does not look at the final flush."),
            (Step.COMMIT, "With enable.auto.commit=false kcat commits nothing, and with true before the work is done."),
            (Step.WRITE, "On SIGTERM with the broker away it ends with exit 0, records undelivered."),
            (Step.COMMIT_TRANSACTION, "It commits an input whose producer failed half way."),
        ),
    ),
}

CLIENTS = ("librdkafka", *DIALECTS)

_LIBRDKAFKA = {
    Step.READ: "rd_kafka_consumer_poll",
    Step.COMMIT: "rd_kafka_commit",
    Step.BEGIN: "rd_kafka_begin_transaction",
    Step.WRITE: "rd_kafka_producev",
    Step.FLUSH: "rd_kafka_flush",
    Step.RECORD_POSITION: "rd_kafka_send_offsets_to_transaction",
    Step.COMMIT_TRANSACTION: "rd_kafka_commit_transaction",
}


def functions(steps: Sequence[Step], roles: Sequence[Role]) -> str:
    """librdkafka's functions for these steps, in order."""
    return " > ".join(_LIBRDKAFKA[step] for step in steps if _ROLE_OF.get(step) in roles)


def one_line(row: Guarantee) -> str:
    """The first of the row's ProducerConfig in C#: the settings that matter most stand first."""
    first = list(settings_of(row, Role.PRODUCER, "pipe"))[:2]
    return f"new ProducerConfig {{ {', '.join(f'{dotnet_name(n)} = {dotnet_value(n, v)}' for n, v in first)} }}"


def configuration(row: Guarantee, client: str, command: str, roles: Sequence[Role]) -> tuple[str, ...]:
    """The guarantee's settings, to paste."""
    blocks = [DIALECTS[client].config(role, list(settings_of(row, role, command))) for role in roles]
    lines: list[str] = []
    for block in blocks:
        lines += ["", *block] if lines else block
    return tuple(lines)


def code(row: Guarantee, client: str, steps: Sequence[Step], roles: Sequence[Role]) -> tuple[str, ...]:
    """The calls of the row's cycle, in its order, for the clients that take part."""
    dialect = DIALECTS[client]
    transactional = Step.COMMIT_TRANSACTION in steps
    lines = [f"{dialect.comment} once", *dialect.init] if transactional else []
    phases = (("each chunk", row.chunk), ("each interval", row.interval), ("at the end", row.end))
    for title, phase in phases:
        calls = [line for step in phase if step in steps for line in _lines(dialect, step, roles)]
        lines += [f"{dialect.comment} {title}", *calls] if calls else []
    if transactional:
        undo = dialect.undo if Role.CONSUMER in roles else dialect.undo[:1]
        lines += [f"{dialect.comment} when one of these fails", *undo]
    return tuple(lines)


def _lines(dialect: Dialect, step: Step, roles: Sequence[Role]) -> tuple[str, ...]:
    if step in dialect.calls and _ROLE_OF[step] in roles:
        only_once = (f"{dialect.comment} unless one is open",) if step is Step.BEGIN else ()
        return only_once + dialect.calls[step]
    return (f"{dialect.comment} {_INSTEAD[step]}",) if step in _INSTEAD else ()


def notes(client: str, steps: Sequence[Step], roles: Sequence[Role]) -> tuple[str, ...]:
    """What is easily done wrong in these steps."""
    return tuple(text for step, text in DIALECTS[client].notes if step in steps and _ROLE_OF[step] in roles)
