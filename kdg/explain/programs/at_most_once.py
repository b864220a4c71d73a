"""Copies a topic at most once: a record may be lost, none is duplicated.

The position is committed first, and the records are sent afterwards, without
a retry. Any error ends the program; start it again, and it goes on at the
committed position.

    kdg verify -g at-most-once -- python at_most_once.py
"""

import os
import signal
import time

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaException,
    Producer,
    TopicPartition,
)

BROKERS, GROUP = os.environ["KDG_BROKERS"], os.environ["KDG_GROUP"]
SOURCE, TARGET = os.environ["KDG_SOURCE"], os.environ["KDG_TARGET"]

# == Configuration ==
reading = {
    "bootstrap.servers": BROKERS,
    "group.id": GROUP,
    "isolation.level": "read_committed",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",
    "session.timeout.ms": 6000,
}
writing = {
    "bootstrap.servers": BROKERS,
    "acks": 0,
    "enable.idempotence": False,
    "message.send.max.retries": 0,
}
# == Start ==
consumer, producer = Consumer(reading), Producer(writing)
stopping = []
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: stopping.append(True))

# == Steps ==
batch = []


def assigned(consumer, partitions):
    """A partition without a position is new: start at its beginning."""
    starts = []
    for p in consumer.committed(partitions, 60):
        offset = p.offset if p.offset >= 0 else OFFSET_BEGINNING
        starts.append(TopicPartition(p.topic, p.partition, offset))
    consumer.assign(starts)


def revoked(consumer, partitions):
    """Drop what was read: nothing of it is sent, the next owner reads it."""
    batch.clear()


def read():
    """Up to 500 records, within half a second; only here records arrive,
    and only here partitions come and go."""
    until = time.monotonic() + 0.5
    while len(batch) < 500 and time.monotonic() < until:
        message = consumer.poll(0.1)
        if message is None:
            return
        if message.error():
            raise KafkaException(message.error())
        batch.append(message)


def send(message):
    producer.produce(
        TARGET,
        message.value(),
        message.key(),
        headers=message.headers(),
        timestamp=message.timestamp()[1],
    )


def positions():
    """For each partition the offset after its last record in the batch."""
    after = {m.partition(): m.offset() + 1 for m in batch}
    return [TopicPartition(SOURCE, p, offset) for p, offset in after.items()]


def commit():
    for p in consumer.commit(offsets=positions(), asynchronous=False):
        if p.error:
            raise KafkaException(p.error)


def settle():
    commit()
    for message in batch:
        send(message)
    producer.flush(10)


consumer.subscribe([SOURCE], on_assign=assigned, on_revoke=revoked)
try:
    while not stopping:
        read()
        if batch:
            settle()
            batch.clear()
finally:
    consumer.close()
