"""Owns how a guarantee is written in Go, with confluent-kafka-go."""

from __future__ import annotations

from collections.abc import Iterator

from kdg.core.guarantees import Role, Step
from kdg.explain.dialects.dialect import LATE_COMMIT, NO_REWIND, Dialect, Settings, block, quoted, same_name

_POSITIONS = (
    "assigned, _ := consumer.Assignment()",
    "positions, _ := consumer.Position(assigned)  // without negative offsets",
)


def _config(role: Role, settings: Settings) -> Iterator[str]:
    kind = role.value.capitalize()
    return block(f"{role.value}, err := kafka.New{kind}(&kafka.ConfigMap{{", "})", role, settings)


GO = Dialect(
    title="Go (confluent-kafka-go)",
    language="go",
    comment="//",
    name_of=same_name,
    line=quoted,
    config=_config,
    calls={
        Step.READ: ("message, err := consumer.ReadMessage(time.Second)",),
        Step.COMMIT: (
            *_POSITIONS,
            "_, err = consumer.CommitOffsets(positions)",
        ),
        Step.BEGIN: ("err = producer.BeginTransaction()",),
        Step.WRITE: (
            "to := kafka.TopicPartition{Topic: &topic, Partition: kafka.PartitionAny}",
            "err = producer.Produce(&kafka.Message{TopicPartition: to,",
            "    Key: message.Key, Value: message.Value}, nil)",
        ),
        Step.FLUSH: ("left := producer.Flush(30000)  // the number of records not delivered",),
        Step.RECORD_POSITION: (
            *_POSITIONS,
            "metadata, err := consumer.GetConsumerGroupMetadata()",
            "err = producer.SendOffsetsToTransaction(ctx, positions, metadata)",
        ),
        Step.COMMIT_TRANSACTION: ("err = producer.CommitTransaction(ctx)",),
    },
    start=("err = producer.InitTransactions(ctx)",),
    undo=(
        "err = producer.AbortTransaction(ctx)",
        "assigned, _ := consumer.Assignment()",
        "committed, _ := consumer.Committed(assigned, 10000)",
        "consumer.SeekPartitions(committed)  // negative offset: your own start",
    ),
    notes=(
        (Step.WRITE, "A record is delivered when its *kafka.Message on Events() has no TopicPartition.Error."),
        (Step.BEGIN, "err.(kafka.Error): if IsRetriable(), repeat the call; if TxnRequiresAbort(), abort;"),
        (Step.BEGIN, "if IsFatal(), create a new producer."),
        (Step.RECORD_POSITION, NO_REWIND),
        (Step.COMMIT_TRANSACTION, LATE_COMMIT),
        (Step.COMMIT, "consumer.CommitMessage(message) does the same for one record."),
    ),
)
