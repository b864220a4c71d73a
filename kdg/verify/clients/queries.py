"""Owns the questions at the end of a run: where do partitions end, is a transaction open, which records are there."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # not in its __all__

from kdg.errors import KdgError
from kdg.verify.clients.feeder import parse
from kdg.verify.clients.observer import POLL, Connection, client_settings, make_consumer
from kdg.verify.clients.readers import PartitionOffset, position_of, value_of

LATEST: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # carries no annotations


def sequences(values: Mapping[PartitionOffset, bytes]) -> dict[int, list[list[int]]]:
    """The sequence numbers of fed records, by the partition that each was fed to.

    One list for each partition of the topic that was read, in the order of the offsets. `{0: [[1, 2], [3]]}`: of the
    records fed to partition 0, one partition of the topic holds 1 and 2, another one 3.
    """
    found: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for position in sorted(values):
        partition, sequence = parse(values[position])
        found[partition][position[0]].append(sequence)
    return {partition: list(lists.values()) for partition, lists in found.items()}


def end_offsets(connection: Connection, topic: str, partitions: int, *, committed: bool = False) -> dict[int, int]:
    """The end offset of each partition; committed: as a read_committed reader sees it. Raises KafkaException."""
    admin = AdminClient(client_settings(connection))
    isolation = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
    wanted = {TopicPartition(topic, p): LATEST for p in range(partitions)}
    futures = admin.list_offsets(wanted, isolation_level=isolation, request_timeout=10)
    return {tp.partition: future.result(15).offset for tp, future in futures.items()}


def eventually(condition: Callable[[], bool], seconds: float, every: float = 0.2) -> bool:
    """Whether the condition becomes true within `seconds`; an error of the library means that it is not true yet."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(KafkaException):
            if condition():
                return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(every)


def no_transaction_open(connection: Connection, topic: str, partitions: int) -> bool:
    """Whether a read_committed reader may see every record of the topic. Raises KafkaException."""
    everything = end_offsets(connection, topic, partitions)
    return everything == end_offsets(connection, topic, partitions, committed=True)


def read_all(
    connection: Connection,
    topic: str,
    partitions: int,
    seconds: float = 120.0,
    between: Callable[[], None] = lambda: None,
) -> dict[PartitionOffset, bytes]:
    """The value at each position of a topic, as a new read_committed reader sees it, up to the present ends.

    between: called every 0.1 s. Raises KdgError if the reading takes longer than `seconds`, and KafkaException.
    """
    ends = end_offsets(connection, topic, partitions, committed=True)
    consumer = make_consumer(connection, "read_committed")
    try:
        consumer.assign([TopicPartition(topic, p, 0) for p in range(partitions)])
        values: dict[PartitionOffset, bytes] = {}
        left = set(range(partitions))
        deadline = time.monotonic() + seconds
        while left:
            if time.monotonic() > deadline:
                raise KdgError(f"{topic} could not be read to its end within {seconds:g} s.")
            between()
            messages = consumer.consume(10_000, POLL)
            values.update({position_of(m): value_of(m) for m in messages if m.error() is None})
            left -= {p for p, offset in map(position_of, filter(_is_eof, messages)) if offset >= ends[p]}
        return values
    finally:
        consumer.close()


def _is_eof(message: Message) -> bool:
    error = message.error()
    return error is not None and error.code() == KafkaError._PARTITION_EOF
