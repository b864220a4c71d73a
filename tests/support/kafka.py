"""Owns the broker of a test, as the test uses it: it runs kdg, and observes the topics with plain confluent_kafka."""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from collections.abc import Iterable, Sequence
from typing import IO, Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # not in its __all__
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from .processes import KDG, Done, Run, no_crash
from .waiting import answered, eventually


def _committed(consumer: Consumer, topic: str) -> dict[int, int]:
    partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
    found = consumer.committed([TopicPartition(topic, number) for number in partitions], timeout=30)
    return {tp.partition: tp.offset for tp in found if tp.offset >= 0}


class Record(NamedTuple):
    """A record as the observer reads it."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    timestamp: int


def _record(message: Message) -> Record:
    key, value = message.key(), message.value()
    assert not isinstance(key, str)
    assert not isinstance(value, str)
    headers: Any = message.headers() or []
    return Record(message.partition() or 0, message.offset() or 0, key, value, list(headers), message.timestamp()[1])


class Kafka:
    """The broker of the test run, as its tests use it."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.admin = AdminClient({"bootstrap.servers": bootstrap})

    # ── kdg ──

    def environment(self, env: dict[str, str] | None = None) -> dict[str, str]:
        """The environment of this process without KDG_*, and with the address of the broker."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("KDG_")}
        return {**kept, "KDG_BROKERS": self.bootstrap, **(env or {})}

    def kdg(
        self,
        *args: str,
        input: bytes = b"",  # noqa: A002  # as subprocess calls it
        timeout: float = 60.0,
        env: dict[str, str] | None = None,
        argv: Sequence[str] = (KDG,),
    ) -> Done:
        """Run the command to its end."""
        began = time.monotonic()
        done = subprocess.run(
            [*argv, *args], input=input, capture_output=True, timeout=timeout, check=False, env=self.environment(env)
        )
        err = done.stderr.decode()
        no_crash(err)
        return Done(done.returncode, done.stdout, err, time.monotonic() - began)

    def ok(self, *args: str, input: bytes = b"", timeout: float = 60.0) -> Done:  # noqa: A002  # as above
        """Run the command. Fails if it does not end with 0."""
        done = self.kdg(*args, input=input, timeout=timeout)
        assert done.code == 0, done
        return done

    def start(
        self,
        *args: str,
        stdin: int | IO[bytes] = subprocess.DEVNULL,
        stdout: int | None = None,
        env: dict[str, str] | None = None,
        argv: Sequence[str] = (KDG,),
    ) -> Run:
        """Start the command in the background."""
        return Run([*argv, *args], self.environment(env), stdin, stdout)

    # ── the observer ──

    def topic(self, partitions: int = 1, name: str = "", **config: str) -> str:
        """A new topic. config: its properties, with _ for the dots."""
        name = name or f"t-{secrets.token_hex(5)}"
        # Records of tests are as old as they say, and are not to go while the test runs.
        properties = {"retention.ms": "-1"} | {key.replace("_", "."): value for key, value in config.items()}
        made = self.admin.create_topics([NewTopic(name, num_partitions=partitions, config=properties)])
        made[name].result(30)
        assert eventually(lambda: self._has_leaders(name, partitions))
        return name

    def make(self, name: str) -> None:
        """Make a topic of one partition again. The broker refuses it until the old topic is completely deleted."""
        self.admin.create_topics([NewTopic(name, num_partitions=1)])[name].result(30)
        assert eventually(lambda: self.exists(name) and self._has_leaders(name, 1))

    def _has_leaders(self, name: str, partitions: int) -> bool:
        topic = self.admin.list_topics(name, timeout=30).topics[name]
        return len(topic.partitions) == partitions and all(p.leader >= 0 for p in topic.partitions.values())

    def exists(self, topic: str) -> bool:
        """Whether the cluster has the topic; asking does not make it."""
        return topic in self.admin.list_topics(timeout=30).topics

    def filled(self, values: Iterable[bytes | None], partitions: int = 1, **config: str) -> str:
        """A new topic with these values, in turn over its partitions."""
        topic = self.topic(partitions, **config)
        self.produce(topic, values, partitions)
        return topic

    def produce(self, topic: str, values: Iterable[bytes | None], partitions: int = 1, **fields: Any) -> None:
        """Send records with a plain producer, and wait until they are acknowledged."""
        # One request at a time: what has to be sent again, as right after a topic was made, does not change places.
        one = {"max.in.flight.requests.per.connection": 1}
        producer = Producer({"bootstrap.servers": self.bootstrap, "linger.ms": 5, **one})
        for number, value in enumerate(values):
            producer.produce(topic, value, partition=number % partitions, **fields)
            if number % 10_000 == 0:
                producer.flush(30)
        assert producer.flush(30) == 0

    def transaction(self, timeout_ms: int = 60_000) -> Producer:
        """A plain producer with an open transaction."""
        producer = Producer(
            {
                "bootstrap.servers": self.bootstrap,
                "transactional.id": f"x-{secrets.token_hex(5)}",
                "transaction.timeout.ms": timeout_ms,
                "message.timeout.ms": timeout_ms,
                "socket.timeout.ms": min(timeout_ms, 60_000),
            }
        )
        producer.init_transactions(30)
        producer.begin_transaction()
        return producer

    def consumer(self, isolation: str = "read_committed", group: str = "observer") -> Consumer:
        """A plain consumer that stores nothing."""
        return Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": group,
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": isolation,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 50,
            }
        )

    def records(self, topic: str, isolation: str = "read_committed") -> list[Record]:
        """The records that a reader sees now, partition by partition, in order."""
        consumer = self.consumer(isolation)
        try:
            partitions = sorted(consumer.list_topics(topic, timeout=30).topics[topic].partitions)
            consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
            seen: list[Record] = []
            left = set(partitions)
            deadline = time.monotonic() + 60
            while left:
                assert time.monotonic() < deadline, f"no end of {topic} in sight"
                for message in consumer.consume(10_000, 0.1):
                    error = message.error()
                    if error is None:
                        seen.append(_record(message))
                    elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # the library's own name
                        left.discard(message.partition() or 0)
                    else:
                        raise AssertionError(error)
            return sorted(seen)
        finally:
            consumer.close()

    def values(self, topic: str, isolation: str = "read_committed") -> list[bytes | None]:
        """The values that a reader sees now."""
        return [record.value for record in self.records(topic, isolation)]

    def settled_values(self, topic: str, seconds: float = 30.0) -> list[bytes | None]:
        """The values once no transaction is open any more."""
        assert eventually(lambda: self.ends(topic, "read_committed") == self.ends(topic), seconds)
        return self.values(topic)

    def settled_records(self, topic: str, seconds: float = 30.0) -> list[Record]:
        """The records once no transaction is open any more."""
        assert eventually(lambda: self.ends(topic, "read_committed") == self.ends(topic), seconds)
        return self.records(topic)

    def ends(self, topic: str, isolation: str = "read_uncommitted") -> dict[int, int]:
        """Each partition's end; under read_committed the last stable offset."""
        consumer = self.consumer(isolation)
        try:
            partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
            return {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=30)[1] for p in partitions}
        finally:
            consumer.close()

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """The group's positions in the topic, by partition; none where none is stored.

        A consumer asks. The admin client's own question ends the process with SIGSEGV while the coordinator is still
        loading (librdkafka 2.16, rd_kafka_handle_OffsetFetch without a group) [seen].
        """
        consumer = self.consumer("read_uncommitted", group)
        try:
            return answered(lambda: _committed(consumer, topic))
        finally:
            consumer.close()

    def members(self, group: str) -> int:
        """How many members the group has."""
        return len(self._members(group))

    def owned(self, group: str) -> int:
        """How many partitions the group's members have been given."""
        return sum(len(member.assignment.topic_partitions) for member in self._members(group))

    def _members(self, group: str) -> Sequence[Any]:
        def ask() -> Sequence[Any]:
            found: Sequence[Any] = (
                self.admin.describe_consumer_groups([group], request_timeout=30)[group].result(30).members
            )
            return found

        return answered(ask)


def configure(kafka: Kafka, topic: str, name: str, value: str) -> None:
    """Change a property of the topic."""
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    kafka.admin.incremental_alter_configs([resource])[resource].result(30)

    def seen() -> bool:
        found: str = kafka.admin.describe_configs([resource])[resource].result(30)[name].value
        return found == value

    assert eventually(seen)
