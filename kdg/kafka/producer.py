"""Owns the client library's producer of a run, and its replacement: see ProducerHandle.replace.

A producer is replaced after a commit or an abort that timed out, or whose request was cut off (hazards 1 and 22).
kdg/kafka/transaction.py decides that; kdg/kafka/target.py sends records.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from confluent_kafka import KafkaError, KafkaException, Message

from kdg.core.records import Headers
from kdg.kafka.client import Watch

if TYPE_CHECKING:
    from kdg.kafka.library import Clients, ProducerClient


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
    failed: the delivery reports of records that were not delivered, with the records' headers.
    """

    def __init__(
        self,
        settings: dict[str, str],
        clients: Clients,
        *,
        verbose: bool = False,
        note: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._settings = _with_transaction_log(settings) if "transactional.id" in settings else settings
        self._clients = clients
        self._verbose = verbose
        self._note = note
        self._renew()

    def _renew(self) -> None:
        self.watch = Watch(verbose=self._verbose, note=self._note, settings=self._settings)
        self.failed: list[tuple[KafkaError, Message, Headers | None]] = []
        self.producer: ProducerClient = self._clients.producer(self._settings, self.watch, self.on_delivery)

    @property
    def transactional_id(self) -> str | None:
        """The producer's identity in transactions, if it has one."""
        return self._settings.get("transactional.id")

    def on_delivery(self, error: KafkaError | None, message: Message, headers: Headers | None = None) -> None:
        """The delivery report of a record. headers: handed in, because the library's message has none."""
        if error is not None:
            self.failed.append((error, message, headers))

    def replace(self) -> None:
        """Drop the producer with everything that it still holds, and make a new one.

        Late requests of the old producer have no effect once the new one has called init_transactions(): the broker
        refuses their epoch (hazard 1).
        """
        self.producer.purge()
        self._renew()

    def serve(self, timeout: float) -> bool:
        """Serve the producer's callbacks for at most `timeout` seconds. True if a fatal error was raised meanwhile."""
        with PollGuard() as guard:
            self.producer.poll(timeout)
        return guard.raised

    def flush(self, timeout: float) -> int:
        """Wait at most `timeout` seconds for delivery reports; the number of records without one."""
        with PollGuard():
            return self.producer.flush(max(timeout, 0.0))
        return len(self.producer)


def _with_transaction_log(settings: dict[str, str]) -> dict[str, str]:
    """With the library's log of transactions: only there it reports that an EndTxn request was cut off (hazard 1)."""
    return {**settings, "debug": ",".join(filter(None, [settings.get("debug", ""), "eos"]))}
