"""Owns what a run uses of the world outside: Kafka clients, the clock, threads, stdin and stdout.

A real run uses `Surroundings()`. The simulator hands in its own, and opens its runs through the same code.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from kdg.core.ports import Target
from kdg.runtime.clock import SYSTEM_CLOCK, Background, Clock, in_thread
from kdg.runtime.standard_streams import require_stdout

if TYPE_CHECKING:
    from kdg.formats import Encoder
    from kdg.kafka.client import Watch
    from kdg.kafka.library import AdminClient, Clients, ConsumerClient, OnDelivery, ProducerClient
    from kdg.runtime.child import BatchCommand
    from kdg.runtime.deadline import Deadline
    from kdg.runtime.signals import SignalWaiter
    from kdg.sinks.stdout import Stdout


class LibraryClients:
    """Makes the clients of confluent_kafka; see kdg.kafka.library.Clients.

    The library is loaded with the first client.
    """

    def producer(self, settings: Mapping[str, str], watch: Watch, on_delivery: OnDelivery) -> ProducerClient:
        """A confluent_kafka.Producer."""
        from kdg.kafka.client import make_producer

        return make_producer(settings, watch, on_delivery=on_delivery)

    def consumer(self, settings: Mapping[str, str], watch: Watch) -> ConsumerClient:
        """A confluent_kafka.Consumer."""
        from kdg.kafka.client import make_consumer

        return make_consumer(settings, watch)

    def admin(self, settings: Mapping[str, str], watch: Watch) -> AdminClient:
        """A confluent_kafka.admin.AdminClient."""
        from kdg.kafka.client import make_admin

        return make_admin(settings, watch)


def _stdin() -> int:
    if sys.stdin is None:  # it was closed: kdg/runtime/standard_streams.py
        sys.stderr.write("kdg: stdin is closed: there is no input\n")
        return 0
    return sys.stdin.fileno()


def _stdout(encoder: Encoder, signals: SignalWaiter, durable: bool, deadline: Deadline) -> Stdout:
    from kdg.sinks.stdout import Stdout

    require_stdout()
    # On a terminal the reader is a pager, which takes a page at a time, and shows it on the same terminal.
    return Stdout(encoder, signals, durable=durable, deadline=None if sys.stderr.isatty() else deadline)


def _command(argv: Sequence[str], deadline: Deadline, *, captured: bool) -> BatchCommand:
    from kdg.runtime.child import BatchCommand

    return BatchCommand(argv, deadline, captured)


class Commands(Protocol):
    """Makes the command that runs once for each batch; the arguments are the fields of a BatchCommand."""

    def __call__(self, argv: Sequence[str], deadline: Deadline, *, captured: bool) -> BatchCommand:
        """The command; it is not started yet."""


class Printing(Target, Protocol):
    """A target that prints records on stdout."""

    @property
    def is_pipe(self) -> bool:
        """Whether stdout is a pipe: another process still has to read what is written."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a run uses of the world outside of kdg.

    stdin: gives the descriptor of the standard input. read: as os.read. stdout: opens the target that prints records;
    its arguments are the encoder, the signals, whether a file is synced to the disk, and what reports a long wait.
    command: see Commands.
    """

    clients: Clients = field(default_factory=LibraryClients)
    clock: Clock = SYSTEM_CLOCK
    background: Background = in_thread
    stdin: Callable[[], int] = _stdin
    read: Callable[[int, int], bytes] = os.read
    stdout: Callable[[Encoder, SignalWaiter, bool, Deadline], Printing] = _stdout
    command: Commands = _command
