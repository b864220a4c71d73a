"""Programs that copy records as people write them, for `kdg verify -- python programs.py NAME`. One is right.

They use plain confluent_kafka, and nothing of kdg. VERIFY_SESSION_MS sets the session timeout. VERIFY_SKIPPED names a
file to which `no-rewind` writes the records that it loses.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from confluent_kafka import Consumer, Message, Producer

SESSION_MS = os.environ.get("VERIFY_SESSION_MS", "6000")
NAMES = ("brokers", "source", "target", "group", "worker")
KDG = SimpleNamespace(**{name: os.environ.get(f"KDG_{name.upper()}", "") for name in NAMES})


def consumer(**more: Any) -> Consumer:
    """A consumer that is a member of the group."""
    settings = {
        "bootstrap.servers": KDG.brokers,
        "group.id": KDG.group,
        "auto.offset.reset": "earliest",
        "session.timeout.ms": SESSION_MS,
        "heartbeat.interval.ms": int(SESSION_MS) // 4,
        **{name.replace("_", "."): value for name, value in more.items()},
    }
    made = Consumer(settings)
    made.subscribe([KDG.source])
    return made


def producer(**more: Any) -> Producer:
    """An idempotent producer with acks=all. more: properties, with `_` in place of `.`."""
    settings = {"bootstrap.servers": KDG.brokers, "acks": "all", "enable.idempotence": True}
    return Producer(settings | {name.replace("_", "."): value for name, value in more.items()})


def read(source: Consumer) -> list[Message]:
    """The records that come within 0.1 s."""
    return [message for message in source.consume(200, 0.1) if message.error() is None]


def send(target: Producer, messages: list[Message]) -> None:
    """Produce each record to the partition from which it came."""
    for message in messages:
        target.produce(KDG.target, message.value(), partition=message.partition() or 0)


def commit_after() -> None:
    """Right for at-least-once: send, flush, and then commit."""
    source, target = consumer(enable_auto_commit=False), producer()
    while True:
        if messages := read(source):
            send(target, messages)
            target.flush()
            source.commit(asynchronous=False)


def plain() -> None:
    """The loop that most people write: the library's default settings, one record after the other."""
    source, target = consumer(), Producer({"bootstrap.servers": KDG.brokers})
    while True:
        message = source.poll(1.0)
        if message is not None and message.error() is None:
            target.produce(KDG.target, message.value())
            target.poll(0)


def auto_commit() -> None:
    """Wrong: a timer commits the position of records that were read, whether or not they were sent."""
    source, target = consumer(auto_commit_interval_ms=100), producer(linger_ms=500)
    while True:
        send(target, read(source))
        target.poll(0)


def acks_0() -> None:
    """Wrong: it commits after the flush, but with acks=0 a flush says nothing about the broker."""
    source, target = consumer(enable_auto_commit=False), producer(acks=0, enable_idempotence=False)
    while True:
        if messages := read(source):
            send(target, messages)
            target.flush()
            source.commit(asynchronous=False)


def no_rewind() -> None:
    """Wrong: after an aborted transaction it goes on with the next records, and does not seek back."""
    skipped: list[Message] = []
    source = consumer(enable_auto_commit=False, isolation_level="read_committed")
    # A revoked partition starts again at the committed position, so its skipped records are not lost.
    source.subscribe([KDG.source], on_revoke=lambda *_: skipped.clear(), on_lost=lambda *_: skipped.clear())
    target = producer(transactional_id=f"{KDG.group}-{KDG.worker}", transaction_timeout_ms=30_000)
    target.init_transactions()
    done = 0
    while True:
        if not (messages := read(source)):
            continue
        target.begin_transaction()
        send(target, messages)
        done += 1
        if done % 10 == 0:  # as if a record did not pass a check
            target.abort_transaction()
            skipped += messages
            continue
        commit(source, target)
        note_skipped(skipped)  # the position has moved past them
        skipped.clear()


def commit(source: Consumer, target: Producer) -> None:
    """Commit the current positions of the consumer in the transaction."""
    positions = [tp for tp in source.position(source.assignment()) if tp.offset >= 0]
    target.send_offsets_to_transaction(positions, source.consumer_group_metadata())
    target.commit_transaction()


def note_skipped(messages: list[Message]) -> None:
    """Append the skipped records to the file VERIFY_SKIPPED, one line each."""
    if path := os.environ.get("VERIFY_SKIPPED"):
        with Path(path).open("ab") as file:
            file.write(b"".join((message.value() or b"") + b"\n" for message in messages))


PROGRAMS: dict[str, Callable[[], None]] = {
    f.__name__.replace("_", "-"): f for f in (commit_after, plain, auto_commit, acks_0, no_rewind)
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]]()
