"""Owns the broker behind a proxy, kdg fed line by line, and kdg with one of its protections taken out."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from confluent_kafka import Producer

from kdg.sandbox import Broker
from tests import mutants

from .kafka import Kafka
from .processes import KDG, Fed, Run, lines
from .proxy import Proxy
from .waiting import answered

PARTITIONS = 4
"""The number of partitions of a topic that a Feeder fills."""
LONG = ("--batch-interval", "8s", "--batch-records", "1000000")
"""Options with which nothing is settled while records come in: a transaction stays open."""


class Hazards(Kafka):
    """The broker of these tests. mutant: the name of a protection in tests/mutants that kdg is to run without."""

    def __init__(self, proxy: Proxy, broker: Broker) -> None:
        super().__init__(proxy.address)
        self.proxy = proxy
        self.broker = broker

    def environment(self, env: dict[str, str] | None = None) -> dict[str, str]:
        """As Kafka.environment; a defect shows its traceback."""
        return super().environment({"KDG_TRACEBACK": "1", **(env or {})})

    def argv(self, args: Sequence[str], mutant: str = "") -> list[str]:
        """The command line of kdg, or of a mutant of it."""
        return [*(mutants.command(mutant) if mutant else (KDG,)), *args]

    def fed(self, *args: str, mutant: str = "") -> Fed:
        """Start kdg with a stdin to feed."""
        return Fed(self.argv(args, mutant), self.environment(), subprocess.PIPE, None)

    def running(self, *args: str, mutant: str = "") -> Run:
        """Start kdg, or a mutant of it, in the background."""
        return Run(self.argv(args, mutant), self.environment(), subprocess.DEVNULL, None)

    def ends(self, topic: str, isolation: str = "read_uncommitted") -> dict[int, int]:
        """As Kafka.ends. A broker that has just started, or a new topic, is asked again."""
        return answered(lambda: super(Hazards, self).ends(topic, isolation))

    def is_open(self, topic: str) -> bool:
        """Whether a transaction with records in the topic is open."""
        return sum(self.ends(topic).values()) > sum(self.ends(topic, "read_committed").values())

    def restart(self) -> None:
        """Start the broker if it does not run, and wait until it answers."""
        self.broker.start()
        self.broker.wait_ready()


class Feeder:
    """Sends numbered records to a topic, a few every 10 ms, while inside `with`."""

    def __init__(self, kafka: Hazards, topic: str) -> None:
        self.sent = 0
        self._kafka, self._topic = kafka, topic
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._feed)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Send no more, and wait until all are acknowledged."""
        self._stop.set()
        self._thread.join()

    def _feed(self) -> None:
        producer = Producer({"bootstrap.servers": self._kafka.bootstrap, "linger.ms": 0})
        while not self._stop.wait(0.01):
            for value in lines(PARTITIONS, self.sent):
                producer.produce(self._topic, value, partition=self.sent % PARTITIONS)
                self.sent += 1
            producer.poll(0)
        assert producer.flush(30) == 0
