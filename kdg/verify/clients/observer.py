"""Owns what the clients of a fault run share: the settings of a client, and the thread that it runs in."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from confluent_kafka import Consumer, KafkaException

from kdg.errors import KdgError

Failures = (KdgError, KafkaException)
"""The exceptions after which a run has no result."""

Connection = Mapping[str, str]
"""The settings that reach a cluster: bootstrap.servers, and the security settings."""

POLL = 0.1
"""Seconds that one poll waits."""
FLUSH_SECONDS = 90.0
_HURRIED_JOIN_SECONDS = 5.0


def _ignore(*_: object) -> None:
    """Take the library's log lines, and the errors from which the library recovers by itself."""


class _NoLog:
    """A logger for confluent_kafka that drops every line."""

    log = staticmethod(_ignore)


def client_settings(connection: Connection, **more: Any) -> dict[str, Any]:
    """The settings of a client. more: properties, with `_` in place of `.`."""
    named = {name.replace("_", "."): value for name, value in more.items()}
    return {**connection, "error_cb": _ignore, "logger": _NoLog(), **named}


def make_consumer(connection: Connection, isolation: str, group: str = "kdg-verify-reader") -> Consumer:
    """A consumer that commits nothing and reports the end of each partition."""
    return Consumer(
        client_settings(
            connection,
            group_id=group,
            enable_auto_commit=False,
            enable_partition_eof=True,
            isolation_level=isolation,
            auto_offset_reset="earliest",
            fetch_wait_max_ms=50,
        )
    )


@dataclass
class Observer:
    """A thread that calls `_work` again and again until `stop`. It survives brokers that go away for a while.

    failure: the exception that ended the thread, if one did; whoever holds the observer has to look at it.
    """

    connection: Connection
    failure: Exception | None = field(default=None, init=False)
    _stop: threading.Event = field(default_factory=threading.Event, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)
    _hurry: bool = field(default=False, init=False)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name=type(self).__name__, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop(hurry=kind is not None)

    def stop(self, *, hurry: bool = False) -> None:
        """End the thread and wait for it. hurry: the run has failed, so unfinished work may be dropped."""
        self._hurry = hurry
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_HURRIED_JOIN_SECONDS if hurry else FLUSH_SECONDS + 10)

    def _run(self) -> None:
        try:
            self._open()
            while not self._stop.is_set():
                self._work()
            self._close()
        except Exception as exc:  # noqa: BLE001  # raised in the thread of the run, which looks at `failure`
            self.failure = exc

    def _open(self) -> None:
        raise NotImplementedError

    def _work(self) -> None:
        raise NotImplementedError

    def _close(self) -> None:
        raise NotImplementedError
