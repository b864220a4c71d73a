"""Owns what a delivery report does not say about its record: headers, timestamp, and where the record was read.

The library's report has neither headers nor a timestamp of a record that failed [seen]. So each batch has one callback,
which keeps the batch until all of its records are reported. That costs nothing for each record.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from weakref import ref

from confluent_kafka import KafkaError, Message

from kdg.core.records import Batch

KEPT_BYTES = 64_000_000
"""Bytes of bare lines that are kept while they wait for a report; of older ones, messages do not name the line."""
CHUNK_BYTES = 256_000
"""What is assumed of a batch with many records, so that they need not be counted."""
MANY = 100

Report = tuple[KafkaError, Message, "SentBatch | None"]
"""The delivery report of a record that was not delivered, and the batch that it was sent in."""


class SentBatch:
    """The callback of one batch.

    serial: batches are numbered in the order in which they are sent. report: takes the reports of its records that were
    not delivered.
    """

    __slots__ = ("__weakref__", "_left", "batch", "report", "serial")

    def __init__(self, batch: Batch, serial: int, report: Callable[[Report], None]) -> None:
        self.batch: Batch | None = batch
        self.serial = serial
        self.report = report
        self._left: dict[tuple[bytes | None, bytes | None], list[int]] | None = None

    def __call__(self, error: KafkaError | None, message: Message) -> None:
        """The library's on_delivery."""
        if error is not None:
            self.report((error, message, self))

    @property
    def only_named(self) -> bool:
        """Whether the batch is kept for the sake of messages alone."""
        return self.batch is None or (self.batch.headers is None and self.batch.timestamps is None)

    def index(self, key: bytes | None, value: bytes | None) -> int | None:
        """Which record of the batch this is; each is returned once, and the last one first.

        To be asked in the reverse order of the reports: of equal records in a partition the last ones have failed.
        """
        if self.batch is None:
            return None
        if self._left is None:
            self._left = {}
            keys = self.batch.keys or [None] * len(self.batch)
            for index, pair in enumerate(zip(keys, self.batch.values, strict=True)):
                self._left.setdefault(pair, []).append(index)
        left = self._left.get((key, value))
        return left.pop() if left else None


class SentBatches:
    """Makes the callbacks of a run, and keeps memory bounded."""

    def __init__(self) -> None:
        self._kept: deque[tuple[ref[SentBatch], int]] = deque()
        self._size = 0
        self._serial = 0

    def add(self, batch: Batch, report: Callable[[Report], None]) -> SentBatch:
        """The callback of a batch."""
        self._serial += 1
        sent = SentBatch(batch, self._serial, report)
        size = CHUNK_BYTES if len(batch) > MANY else batch.size
        self._kept.append((ref(sent), size))
        self._size += size
        while (first := self._kept[0][0]()) is None or (self._size > KEPT_BYTES and first is not sent):
            self._size -= self._kept.popleft()[1]
            if first is not None and first.only_named:
                first.batch = None
        return sent
