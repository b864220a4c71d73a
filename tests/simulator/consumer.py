"""Owns the consumer over the model: the interface of confluent_kafka.Consumer above a membership in a group."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache, partial
from typing import Literal, overload

from confluent_kafka import KafkaError, KafkaException, Message
from confluent_kafka import TopicPartition as LibraryPartition
from confluent_kafka.admin import ClusterMetadata  # type: ignore[attr-defined]  # not in its __all__

from kdg.core.records import TopicPartition
from kdg.kafka.library import OnRebalance

from .admin import metadata_of
from .cluster import Request
from .groups import Group, Stored
from .membership import Membership
from .process import Process
from .world import World

EOF = KafkaError._PARTITION_EOF  # noqa: SLF001  # the library's own name


@lru_cache(maxsize=4096)
def _message(topic: str, partition: int, offset: int, value: bytes) -> Message:
    return Message(topic=topic, partition=partition, offset=offset, value=value)


@lru_cache(maxsize=4096)
def _end_of(topic: str, partition: int, offset: int) -> Message:
    return Message(topic=topic, partition=partition, offset=offset, error=KafkaError(EOF))


def failure(code: int, *, retriable: bool = False, fatal: bool = False, abort: bool = False) -> KafkaException:
    """An exception as the library raises it."""
    return KafkaException(KafkaError(code, None, fatal, retriable, abort))


def _offsets(partitions: Iterable[LibraryPartition]) -> dict[TopicPartition, Stored]:
    return {(tp.topic, tp.partition): Stored(tp.offset, tp.metadata or "") for tp in partitions}


class SimConsumer(Membership):
    """See kdg.kafka.library.ConsumerClient."""

    def __init__(self, world: World, process: Process, group: Group) -> None:
        super().__init__(world, process, group)
        self._sent: Request | None = None
        self._ended: dict[TopicPartition, int] = {}
        process.consumer = self

    def list_topics(self, topic: str | None = None, timeout: float = -1) -> ClusterMetadata:
        """As Consumer.list_topics, of all topics."""
        return metadata_of(self.world.cluster)

    def subscribe(
        self, topics: list[str], on_assign: OnRebalance, on_revoke: OnRebalance, on_lost: OnRebalance
    ) -> None:
        """As Consumer.subscribe."""
        self.callbacks = {
            "assign": partial(on_assign, self),
            "revoke": partial(on_revoke, self),
            "lost": partial(on_lost, self),
        }
        self._seen = 0

    def assign(self, partitions: list[LibraryPartition]) -> None:
        """As Consumer.assign."""
        self.owned = {(tp.topic, tp.partition): tp.offset for tp in partitions}
        self._ended.clear()

    def incremental_assign(self, partitions: list[LibraryPartition]) -> None:
        """As Consumer.incremental_assign."""
        self.owned.update({(tp.topic, tp.partition): tp.offset for tp in partitions})

    def unassign(self) -> None:
        """As Consumer.unassign."""
        self.owned.clear()
        self._ended.clear()

    def incremental_unassign(self, partitions: list[LibraryPartition]) -> None:
        """As Consumer.incremental_unassign."""
        for tp in partitions:
            self.owned.pop((tp.topic, tp.partition), None)
            self._ended.pop((tp.topic, tp.partition), None)

    def assignment(self) -> list[LibraryPartition]:
        """As Consumer.assignment."""
        return [LibraryPartition(*place) for place in self.owned]

    def seek(self, partition: LibraryPartition) -> None:
        """As Consumer.seek."""
        place = (partition.topic, partition.partition)
        if place not in self.owned:
            raise failure(KafkaError._STATE)  # noqa: SLF001
        self.owned[place] = partition.offset
        self._ended.pop(place, None)

    def consume(self, limit: int, _timeout: float) -> list[Message]:
        """As Consumer.consume with a timeout of 0.

        Messages that were fetched before a callback may be returned after it.
        """
        self.polled = self.world.cluster.clock.now
        self.world.pass_by(self.process)
        self.world.reads(self.process)
        if self._seen == self.group.version and not self.queued:
            return self._fetch(limit)
        early = self._fetch(limit) if self.world.coin() else []
        self._answer()
        return early or self._fetch(limit)

    def poll(self, timeout: float) -> Message | None:
        """As Consumer.poll."""
        for message in self.consume(1, 0):
            return message
        self.world.idle += 1
        self.world.cluster.advance(timeout or 0.001)
        return None

    def _fetch(self, limit: int) -> list[Message]:
        messages: list[Message] = []
        limit = min(limit, 1 + self.world.random.getrandbits(2))
        for place in self._in_some_order():
            self._fetch_from(place, limit - len(messages), messages)
            if len(messages) >= limit:
                break
        return messages

    def _in_some_order(self) -> list[TopicPartition]:
        places = list(self.owned)
        return places[::-1] if self.world.coin() else places

    def _fetch_from(self, place: TopicPartition, limit: int, messages: list[Message]) -> None:
        log, offset = self.world.cluster.logs[place], self.owned[place]
        if offset < log.start or offset > len(log.entries):
            code = KafkaError._AUTO_OFFSET_RESET  # noqa: SLF001
            messages.append(Message(topic=place[0], partition=place[1], offset=offset, error=KafkaError(code)))
            return
        stable = log.stable
        while offset < stable and limit > 0:
            value, transaction = log.entries[offset]
            if value is not None and (transaction is None or transaction.committed):
                messages.append(_message(*place, offset, value))
                limit -= 1
            offset += 1
        if self.owned[place] != offset:
            self.owned[place] = offset
            self.world.idle = 0
        if limit > 0 and offset == stable and self._ended.get(place) != offset:
            self._ended[place] = offset
            messages.append(_end_of(*place, offset))

    def get_watermark_offsets(
        self, partition: LibraryPartition, timeout: float = -1, cached: bool = False
    ) -> tuple[int, int]:
        """As Consumer.get_watermark_offsets."""
        log = self.world.cluster.logs[partition.topic, partition.partition]
        return log.start, log.stable

    def committed(self, partitions: list[LibraryPartition], timeout: float = -1) -> list[LibraryPartition]:
        """As Consumer.committed under read_committed: no answer while a transaction may move a position."""
        self.world.pass_by(self.process)
        places = [(tp.topic, tp.partition) for tp in partitions]
        if self.group.unstable(places):
            self.world.cluster.advance(timeout)
            raise failure(KafkaError._TIMED_OUT, retriable=True)  # noqa: SLF001
        found = [self.group.stored.get(place, Stored(-1001)) for place in places]
        return [LibraryPartition(*p, s.offset, s.metadata) for p, s in zip(places, found, strict=True)]

    @overload
    def commit(self, *, offsets: list[LibraryPartition], asynchronous: Literal[True]) -> None: ...
    @overload
    def commit(self, *, offsets: list[LibraryPartition], asynchronous: Literal[False]) -> list[LibraryPartition]: ...
    def commit(self, *, offsets: list[LibraryPartition], asynchronous: bool) -> list[LibraryPartition] | None:
        """As Consumer.commit, synchronously."""
        self.world.pass_by(self.process)
        positions = _offsets(offsets)
        self.world.conduct.settles(self.process, positions)
        self.world.note(self.process, f"commits {_shown(positions)} as {self.member!r} in {self.generation}")
        member, generation = self.member, self.generation
        self._in_order()
        self._sent = Request("OffsetCommit", lambda: self.group.commit(member, generation, positions))
        code = self.world.network.send(self.process, self._sent.name, self._sent.call, self._sent)
        self.world.pass_by(self.process)
        if code == KafkaError.UNKNOWN_MEMBER_ID:
            self.tick()
        if code:
            raise failure(code, retriable=code == KafkaError._TIMED_OUT)  # noqa: SLF001
        return offsets

    def _in_order(self) -> None:
        """Deliver the last OffsetCommit first: on one connection, requests arrive in order."""
        if self._sent is not None and self._sent in self.world.network.late:
            self.world.network.late.remove(self._sent)
            self._sent.deliver()

    def consumer_group_metadata(self) -> tuple[Group, str, int]:
        """As Consumer.consumer_group_metadata: the member id and generation that the library knows now."""
        self.tick()
        return self.group, self.member, self.generation

    def close(self) -> None:
        """As Consumer.close: leaves the group."""
        if self.owned and self.callbacks and not self.closed:
            self.closed = True
            self.callbacks["revoke"](self.assignment())
        self.closed = True
        self._in_order()
        self.group.leave(self.member)


def _shown(positions: dict[TopicPartition, Stored]) -> str:
    return " ".join(f"{topic}[{number}]={stored.offset}" for (topic, number), stored in positions.items())
