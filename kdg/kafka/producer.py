"""Owns the client library's producer of a run, and its replacement: see ProducerHandle.replace.

A producer is replaced after a commit or an abort that timed out, or whose request was cut off (hazards 1 and 22).
kdg/kafka/transaction.py decides that; kdg/kafka/target.py sends records.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from confluent_kafka import KafkaError, KafkaException, Message

from kdg.core.records import Batch
from kdg.kafka.client import Watch
from kdg.kafka.errors import translate
from kdg.kafka.sent import Report, SentBatches

if TYPE_CHECKING:
    from kdg.kafka.library import Clients, OnDelivery, ProducerClient


LARGEST_BATCH = 1_000_000
"""The library's own batch.size and message.max.bytes."""


class PollGuard:
    """Context manager around poll() and flush(): what they raise after a fatal error says nothing (hazard 20).

    They raise SystemError, KafkaException, or a KafkaError. A KafkaError is not an exception, so that no `except`
    catches it; from Python 3.12 on it becomes a TypeError. The next call reports the fatal error itself.
    raised: whether something was raised.
    """

    def __init__(self) -> None:
        self.raised = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, _value: object, _traceback: object) -> bool:
        self.raised = kind in (KafkaError, SystemError, KafkaException, TypeError)
        return self.raised


class ProducerHandle:
    """The producer of a run, which can be replaced: read `producer` anew before each call.

    watch: what the present producer's callbacks have reported.
    failed: the delivery reports of records that were not delivered, with the batches that they were sent in.
    """

    def __init__(
        self,
        settings: dict[str, str],
        clients: Clients,
        *,
        verbose: bool = False,
        note: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._settings = _with_transaction_log(settings) if "transactional.id" in settings else _in_order(settings)
        self._clients = clients
        self._verbose = verbose
        self._note = note
        self._sent = SentBatches()
        self._renew({})

    def _renew(self, more: Mapping[str, str]) -> None:
        self.watch = Watch(verbose=self._verbose, note=self._note, settings=self._settings)
        self.failed: list[Report] = []
        settings = {**self._settings, **more}
        self.producer: ProducerClient = self._clients.producer(settings, self.watch, self.on_delivery)

    @property
    def transactional_id(self) -> str | None:
        """The producer's identity in transactions, if it has one."""
        return self._settings.get("transactional.id")

    @property
    def stops_when_refused(self) -> bool:
        """Whether the producer sends nothing more after a refused batch."""
        return self.setting("enable.gapless.guarantee") == "true"

    def setting(self, name: str) -> str | None:
        """A setting of the producer; None if it is the library's own."""
        return self._settings.get(name)

    def fit(self, largest: int | None, topic: str) -> None:
        """Before anything is sent: if the topic takes smaller batches than the library makes, make smaller ones."""
        if largest is not None and 0 < largest < int(self.setting("batch.size") or LARGEST_BATCH):
            self.bound(largest)
            self.replace()
            self.warm(topic)

    def bound(self, size: int) -> None:
        """From the next `replace` on, a batch has at most this many bytes, or one record."""
        before = int(self._settings.get("batch.size", size))
        self._settings = {**self._settings, "batch.size": str(min(before, size))}

    def on_delivery(self, error: KafkaError | None, message: Message) -> None:
        """The delivery report of a record."""
        if error is not None:
            self.failed.append((error, message, None))

    def of_batch(self, batch: Batch) -> OnDelivery:
        """The callback for the delivery reports of a batch: see kdg/kafka/sent.py."""
        return self._sent.add(batch, self._add_failed)

    def _add_failed(self, report: Report) -> None:
        self.failed.append(report)

    def replace(self, more: Mapping[str, str] = MappingProxyType({})) -> None:
        """Drop the producer with everything that it still holds, and make a new one. more: settings of that one alone.

        Late requests of the old producer have no effect once the new one has called init_transactions(): the broker
        refuses their epoch (hazard 1).
        """
        self.producer.purge()
        self._renew(more)

    def warm(self, topic: str) -> None:
        """Ask for metadata twice, so that the first record does not wait (hazard 15). A failure shows up later."""
        for _ in range(2):
            with suppress(KafkaException):
                self.producer.list_topics(topic, timeout=1.0)

    def serve(self, timeout: float) -> bool:
        """Serve the producer's callbacks for at most `timeout` seconds. True if a fatal error was raised meanwhile."""
        with PollGuard() as guard:
            self.producer.poll(timeout)
        return guard.raised

    def raise_fault(self, topic: str) -> None:
        """Raises what a refused login means. Without one nothing happens."""
        if self.watch.fault is not None:
            raise self.watch.no_token or translate(self.watch.fault, f"producing to {topic}")

    def flush(self, timeout: float) -> int:
        """Wait at most `timeout` seconds for delivery reports; the number of records without one."""
        with PollGuard():
            return self.producer.flush(max(timeout, 0.0))
        return len(self.producer)


def _in_order(settings: dict[str, str]) -> dict[str, str]:
    """With a producer that stops at the first batch that a broker refuses.

    Otherwise the library goes on, and later records of the partition overtake those of the batch that are sent again.
    """
    if settings.get("enable.idempotence") != "true":
        return settings
    return {"enable.gapless.guarantee": "true", **settings}


def _with_transaction_log(settings: dict[str, str]) -> dict[str, str]:
    """With the library's log of transactions: only there it reports that an EndTxn request was cut off (hazard 1)."""
    return {**settings, "debug": ",".join(filter(None, [settings.get("debug", ""), "eos"]))}
