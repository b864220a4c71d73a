"""Copies a topic exactly once: no record is lost, none is duplicated.

Records and position become visible together, in one transaction. Any error
ends the program; start it again, and it goes on at the committed position.
Each instance needs a KDG_WORKER of its own.

    kdg verify -g exactly-once -- python exactly_once.py
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
    "transactional.id": f"{GROUP}-{os.environ['KDG_WORKER']}",
    "enable.idempotence": True,
    "acks": "all",
    "message.send.max.retries": 2147483647,
    "transaction.timeout.ms": 15000,
}
# == Start ==
consumer, producer = Consumer(reading), Producer(writing)
stopping = []
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: stopping.append(True))


def repeat(call, *arguments):
    """Call again after a timeout: the same commit or abort continues. Then
    end: a late request could act on the next transaction of this producer."""
    late = None
    while True:
        try:
            call(*arguments, 10)
            break
        except KafkaException as error:
            if stopping or not error.args[0].retriable():
                raise
            late = error
    if late:
        raise late


# == Steps ==
batch, member = [], None


def assigned(consumer, partitions):
    """A partition without a position is new: start at its beginning."""
    global member
    member = consumer.consumer_group_metadata()
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


def settle():
    producer.begin_transaction()
    try:
        for message in batch:
            send(message)
        offsets = positions()
        repeat(producer.send_offsets_to_transaction, offsets, member)
        repeat(producer.commit_transaction)
    except KafkaException as error:
        if error.args[0].txn_requires_abort():
            repeat(producer.abort_transaction)
        raise


producer.init_transactions(60)
consumer.subscribe([SOURCE], on_assign=assigned, on_revoke=revoked)
try:
    while not stopping:
        read()
        if batch:
            settle()
            batch.clear()
finally:
    consumer.close()
