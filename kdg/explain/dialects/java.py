"""Owns how a guarantee is written in Java, with kafka-clients. The names are in kdg/settings/java.py."""

from __future__ import annotations

from collections.abc import Iterator

from kdg.core.guarantees import Role, Step
from kdg.explain.dialects.dialect import NO_REWIND, Dialect, Settings
from kdg.settings.java import java_name

_VALUES = {"auto.offset.reset": {"error": "none"}}
"""The values that Java writes in another way."""


def _line(name: str, value: str) -> str:
    return f"{java_name(name)}={_VALUES.get(name, {}).get(value, value)}"


def _config(role: Role, settings: Settings) -> Iterator[str]:
    yield f"# {role.value}.properties"
    yield "bootstrap.servers=..."
    if role is Role.CONSUMER:
        yield "group.id=..."
    yield from (_line(name, value) for name, value in settings if java_name(name))


JAVA = Dialect(
    title="Java (kafka-clients)",
    language="java",
    comment="//",
    name_of=java_name,
    line=_line,
    config=_config,
    calls={
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
    start=("producer.initTransactions();",),
    undo=(
        "producer.abortTransaction();",
        "consumer.committed(consumer.assignment()).forEach((p, o) -> {",
        "    if (o != null) consumer.seek(p, o);  // else: your own start",
        "});",
    ),
    notes=(
        (Step.READ, "isolation.level is read_uncommitted unless you set it: set it on every reader."),
        (Step.WRITE, "Set enable.idempotence=true: acks or retries can switch the default off without an error."),
        (Step.FLUSH, "flush() waits but reports no failure: look at the future or the callback of each send()."),
        (Step.BEGIN, "ProducerFencedException: close the producer. Any other KafkaException in a transaction: abort."),
        (Step.RECORD_POSITION, NO_REWIND),
    ),
)
