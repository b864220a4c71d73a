"""Owns how a guarantee is written in Python, with confluent-kafka."""

from __future__ import annotations

from collections.abc import Iterator

from kdg.core.guarantees import Role, Step
from kdg.explain.dialects.dialect import LATE_COMMIT, NO_REWIND, Dialect, Settings, block, quoted, same_name

_POSITIONS = (
    "positions = [p for p in consumer.position(consumer.assignment())",
    "             if p.offset >= 0]",
)


def _config(role: Role, settings: Settings) -> Iterator[str]:
    return block(f"{role.value} = {role.value.capitalize()}({{", "})", role, settings)


PYTHON = Dialect(
    title="Python (confluent-kafka)",
    language="python",
    comment="#",
    name_of=same_name,
    line=quoted,
    config=_config,
    calls={
        Step.READ: ("messages = consumer.consume(500, 1.0)",),
        Step.COMMIT: (
            *_POSITIONS,
            "consumer.commit(offsets=positions, asynchronous=False)",
        ),
        Step.BEGIN: ("producer.begin_transaction()",),
        Step.WRITE: (
            "for m in messages:",
            "    producer.produce(topic, m.value(), m.key(), headers=m.headers())",
            "    producer.poll(0)",
        ),
        Step.FLUSH: ("assert producer.flush(30) == 0  # the number of records not delivered",),
        Step.RECORD_POSITION: (
            *_POSITIONS,
            "producer.send_offsets_to_transaction(",
            "    positions, consumer.consumer_group_metadata(), 30)",
        ),
        Step.COMMIT_TRANSACTION: ("producer.commit_transaction(30)",),
    },
    start=("producer.init_transactions(30)",),
    undo=(
        "producer.abort_transaction(30)",
        "for p in consumer.committed(consumer.assignment(), 10):",
        "    consumer.seek(p)  # if p.offset is negative: seek to your own start",
    ),
    notes=(
        (Step.RECORD_POSITION, NO_REWIND),
        (Step.WRITE, "A record is delivered when its delivery report has no error, not when produce() returns."),
        (Step.BEGIN, "error = KafkaException.args[0]. If error.retriable(): repeat the call."),
        (Step.BEGIN, "If error.txn_requires_abort(): abort. If error.fatal(): create a new producer."),
        (Step.COMMIT_TRANSACTION, LATE_COMMIT),
        (Step.COMMIT, "consumer.commit(message=m, asynchronous=False) does the same for one record."),
    ),
)
