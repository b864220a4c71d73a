"""A program as people write them, with plain confluent_kafka: what it is told to set, when it commits, and where it dies.

    python careless.py '{"config": {...}, "producer": {...}, "topic": "t", "out": "FILE or topic", "program": "after", "die": "working"}'

program: when the position moves: `auto` by itself, `store` with store_offsets after the work, `after` or `before` the work by a
commit, `transaction` with the output. die: `working`, with some records in hand, once what the library commits by itself is
committed; `done`, right after the work; `close`, as `working`, but by an error that ends in close(); `abort`: go on after an
abort, as one forgets to seek; never: read all. Reading is from partition 0, from the committed position, else the beginning.
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

    def __init__(self, told: dict[str, Any]) -> None:
        self.program, self.die, self.out = told["program"], told["die"], told["out"]
        self.consumer = Consumer({"enable.partition.eof": True, "fetch.wait.max.ms": 50, **told["config"]})
        self.place = TopicPartition(told["topic"], 0)
        self.ended = False
        start = max(self.committed(), 0)
        self.consumer.assign([TopicPartition(self.place.topic, 0, start)])
        self.producer = Producer(told["producer"]) if told["producer"] else None
        if self.producer is not None:
            self.producer.init_transactions(30)
            self.producer.begin_transaction()

    def committed(self) -> int:
        """What is stored; a coordinator that only starts is asked again."""
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
        """Batch by batch to the end, or to death."""
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
