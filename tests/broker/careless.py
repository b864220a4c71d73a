"""A consumer as people write it, with plain confluent_kafka. It commits, and it dies, as the argument says.

    python careless.py '{"config": {...}, "producer": {...}, "topic": "t", "out": "FILE or topic",
                         "program": "after", "die": "working"}'

program: when the position is committed.

    auto         by the library, after a time
    store        by the library, but only what the program has stored with store_offsets after the work
    before       by a commit before the work
    after        by a commit after the work
    transaction  together with the output

die: when the process dies. Without it, the program reads everything.

    working      with some records of a batch done, once the library has committed what it commits by itself
    close        as `working`, but by an error that leads to close()
    done         right after the work on a batch
    abort        after an abort that is not followed by a seek

It reads partition 0, from the committed position, or from the beginning if there is none.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

BATCH, DONE_OF_BATCH = 10, 3
STARTING = (KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.COORDINATOR_NOT_AVAILABLE)


class Careless:
    """One run."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.program, self.die, self.out = given["program"], given["die"], given["out"]
        self.consumer = Consumer({"enable.partition.eof": True, "fetch.wait.max.ms": 50, **given["config"]})
        self.place = TopicPartition(given["topic"], 0)
        self.ended = False
        start = max(self.committed(), 0)
        self.consumer.assign([TopicPartition(self.place.topic, 0, start)])
        self.producer = Producer(given["producer"]) if given["producer"] else None
        if self.producer is not None:
            self.producer.init_transactions(30)
            self.producer.begin_transaction()

    def committed(self) -> int:
        """The stored position. A coordinator that is only starting is asked again."""
        deadline = time.monotonic() + 20
        while True:
            try:
                return int(self.consumer.committed([self.place], 30)[0].offset)
            except KafkaException as exc:
                if time.monotonic() > deadline or exc.args[0].code() not in STARTING:
                    raise
                time.sleep(0.05)

    def batch(self) -> list[Message]:
        """Up to BATCH records; fewer at the end."""
        found: list[Message] = []
        while len(found) < BATCH and not self.ended:
            for message in self.consumer.consume(BATCH - len(found), 0.1):
                if message.error() is None:
                    found.append(message)
                else:
                    self.ended = True
        return found

    def work(self, message: Message) -> None:
        """The work on one record, durable at once; in a transaction when there is one."""
        value = message.value()
        assert isinstance(value, bytes)
        if self.producer is not None:
            self.producer.produce(self.out, value)
            return
        with open(self.out, "ab", buffering=0) as file:  # noqa: PTH123  # a short program
            file.write(value + b"\n")

    def commit(self, message: Message) -> None:
        """Move the position behind a record."""
        self.consumer.commit(
            offsets=[TopicPartition(self.place.topic, 0, (message.offset() or 0) + 1)], asynchronous=False
        )

    def run(self) -> None:
        """Work batch by batch, to the end or until the process dies."""
        while messages := self.batch():
            if self.program == "before":
                self.commit(messages[-1])
            for number, message in enumerate(messages, 1):
                self.work(message)
                if self.program == "store":
                    self.consumer.store_offsets(message)
                if number == DONE_OF_BATCH and self.die in ("working", "close"):
                    self.perish(messages)
            if self.die == "done":
                os.kill(os.getpid(), signal.SIGKILL)
            self.settle(messages[-1])
        if self.producer is not None:
            self.producer.abort_transaction(30)
        self.consumer.close()

    def perish(self, messages: list[Message]) -> None:
        """Die with records in hand."""
        if self.producer is not None:
            self.producer.flush(30)
        if self.die == "close":
            self.consumer.close()
            sys.exit(0)
        waits_for = {"auto": (messages[-1].offset() or 0) + 1, "store": DONE_OF_BATCH}.get(self.program, 0)
        deadline = time.monotonic() + 10
        while self.committed() < waits_for and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGKILL)

    def settle(self, last: Message) -> None:
        """After a batch."""
        if self.program == "after":
            self.commit(last)
        if self.producer is None:
            return
        if self.die == "abort":
            self.producer.abort_transaction(30)
            time.sleep(0.5)  # the library's own timer, if it is on, commits in this time
            os.kill(os.getpid(), signal.SIGKILL)
        position = TopicPartition(self.place.topic, 0, (last.offset() or 0) + 1)
        self.producer.send_offsets_to_transaction([position], self.consumer.consumer_group_metadata(), 30)
        self.producer.commit_transaction(30)
        self.producer.begin_transaction()


if __name__ == "__main__":
    Careless(json.loads(sys.argv[1])).run()
