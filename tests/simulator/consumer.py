"""Owns the stand-in for confluent_kafka.Consumer over the model: what librdkafka does in the background, and its callbacks.

The library notices a rebalance by its heartbeat, tells it inside `consume` or `poll`, and joins again only after the application
has answered (rdkafka_cgrp.c). Until then it keeps what it has, and its commits carry what it knows of itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, overload

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import ClusterMetadata  # type: ignore[attr-defined]  # not in its __all__

from kdg.kafka.library import OnRebalance

from .admin import metadata_of
from .cluster import NEVER, Request
from .groups import Group, Place, Protocol, Stored
from .process import Process
from .world import World

EOF = KafkaError._PARTITION_EOF  # noqa: SLF001  # the library's own name
SESSION_SECONDS = 2.0


@lru_cache(maxsize=4096)
def _message(topic: str, partition: int, offset: int, value: bytes) -> Message:
    return Message(topic=topic, partition=partition, offset=offset, value=value)


@lru_cache(maxsize=4096)
def _end_of(topic: str, partition: int, offset: int) -> Message:
    return Message(topic=topic, partition=partition, offset=offset, error=KafkaError(EOF))


def failure(code: int, *, retriable: bool = False, fatal: bool = False, abort: bool = False) -> KafkaException:
    """An exception as the library raises it."""
    return KafkaException(KafkaError(code, None, fatal, retriable, abort))


def _offsets(partitions: Iterable[TopicPartition]) -> dict[Place, Stored]:
    return {(tp.topic, tp.partition): Stored(tp.offset, tp.metadata or "") for tp in partitions}


class SimConsumer:
    """One consumer of a process. owned: fetch positions. told: callbacks that the application has not answered yet.

    losing: the partitions of a callback that is being answered, and that somebody else may have by now.
    """

    def __init__(self, world: World, process: Process, group: Group) -> None:
        self.world = world
        self.process = process
        self.group = group
        self.member = ""
        self.generation = -1
        self.owned: dict[Place, int] = {}
        self.told: list[tuple[str, list[Place]]] = []
        self.callbacks: dict[str, OnRebalance] = {}
        self.closed = False
        self.losing: list[Place] = []
        self._answering = False
        self._sent: Request | None = None
        self._seen = 0
        self._later: list[Place] = []
        self._ended: dict[Place, int] = {}
        process.consumer = self

    # ── the background ──

    def tick(self) -> None:
        """A heartbeat: what it tells is queued for the application."""
        if self._seen == self.group.version or not self.callbacks or self.closed:
            return
        if self.member and self.member not in self.group.members:
            # The member id is reset at once; the application is told inside its next poll.
            self.member = ""
            self.told.clear()
        if self.told or self._answering:
            return
        if not self.member and self.owned:
            self.told.append(("lost", list(self.owned)))
            return
        self._seen = self.group.version
        self._heartbeat()

    def _heartbeat(self) -> None:
        group = self.group
        if not self.member:
            self._join()
        elif group.protocol is Protocol.CONSUMER:
            self._reconcile(group.heartbeat(self.member, self.owned))
        elif group.preparing and not group.members[self.member].joined:
            self._rejoin()
        elif not group.preparing and self.generation != group.generation:
            self._assigned(list(group.members[self.member].target))

    def _rejoin(self) -> None:
        """Eager gives everything back first."""
        if self.owned and self.group.protocol is Protocol.EAGER:
            self.told.append(("revoke", list(self.owned)))
        else:
            self._join()

    def _join(self) -> None:
        self.member = self.group.join(self.member, self.owned)
        self._seen = 0
        self.tick_joined()

    def tick_joined(self) -> None:
        """After JoinGroup: the assignment, if the barrier is open already."""
        if self.group.protocol is Protocol.CONSUMER or not self.group.preparing:
            self.tick()

    def _reconcile(self, target: list[Place]) -> None:
        self.generation = self.group.members[self.member].epoch
        self._give_and_take(target, rejoin=False)
        self._seen = self.group.version

    def _assigned(self, target: list[Place]) -> None:
        self.generation = self.group.generation
        if self.group.protocol is Protocol.EAGER:
            self.told.append(("assign", target))
        else:
            self._give_and_take(target, rejoin=True)

    def _give_and_take(self, target: list[Place], *, rejoin: bool) -> None:
        gone = [place for place in self.owned if place not in target]
        new = [place for place in target if place not in self.owned]
        if gone:
            self.told.append(("revoke", gone))
            self._later = new
        elif new or rejoin:
            self.told.append(("assign", new))

    def _answer(self) -> None:
        """Call the application back for what it was told, in order, until nothing is left to tell."""
        self.tick()
        while self.told:
            kind, places = self.told.pop(0)
            self.world.note(self.process, f"{kind} {_names(places)}")
            self.losing = places if kind == "lost" else []
            self._answering = True
            self.callbacks[kind](self, [TopicPartition(*place) for place in places])
            self._answering = False
            self.losing = []
            self.world.conduct.answered(self.process, kind, places)
            self._answered(kind)
            self.tick()

    def _answered(self, kind: str) -> None:
        if kind == "assign" or self.member not in self.group.members:
            return
        if self.group.protocol is Protocol.CONSUMER:
            self._seen = 0
            return
        if self._later:
            self.told.append(("assign", self._later))
            self._later = []
        self._join()

    # ── the library's interface ──

    def list_topics(self, topic: str | None = None, timeout: float = -1) -> ClusterMetadata:
        """As Consumer.list_topics, of all topics."""
        return metadata_of(self.world.cluster)

    def subscribe(
        self, topics: list[str], on_assign: OnRebalance, on_revoke: OnRebalance, on_lost: OnRebalance
    ) -> None:
        """As Consumer.subscribe."""
        self.callbacks = {"assign": on_assign, "revoke": on_revoke, "lost": on_lost}
        self._seen = 0

    def assign(self, partitions: list[TopicPartition]) -> None:
        """As Consumer.assign."""
        self.owned = {(tp.topic, tp.partition): tp.offset for tp in partitions}
        self._ended.clear()

    def incremental_assign(self, partitions: list[TopicPartition]) -> None:
        """As Consumer.incremental_assign."""
        self.owned.update({(tp.topic, tp.partition): tp.offset for tp in partitions})

    def unassign(self) -> None:
        """As Consumer.unassign."""
        self.owned.clear()
        self._ended.clear()

    def incremental_unassign(self, partitions: list[TopicPartition]) -> None:
        """As Consumer.incremental_unassign."""
        for tp in partitions:
            self.owned.pop((tp.topic, tp.partition), None)
            self._ended.pop((tp.topic, tp.partition), None)

    def assignment(self) -> list[TopicPartition]:
        """As Consumer.assignment."""
        return [TopicPartition(*place) for place in self.owned]

    def seek(self, partition: TopicPartition) -> None:
        """As Consumer.seek."""
        place = (partition.topic, partition.partition)
        if place not in self.owned:
            raise failure(KafkaError._STATE)  # noqa: SLF001
        self.owned[place] = partition.offset
        self._ended.pop(place, None)

    def consume(self, limit: int, _timeout: float) -> list[Message]:
        """As Consumer.consume with a timeout of 0: what was fetched before a callback is handed over after it all the same."""
        self.world.pass_by(self.process)
        self.world.reads(self.process)
        if self._seen == self.group.version and not self.told:
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

    def _in_some_order(self) -> list[Place]:
        places = list(self.owned)
        return places[::-1] if self.world.coin() else places

    def _fetch_from(self, place: Place, limit: int, messages: list[Message]) -> None:
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
        self, partition: TopicPartition, timeout: float = -1, cached: bool = False
    ) -> tuple[int, int]:
        """As Consumer.get_watermark_offsets."""
        log = self.world.cluster.logs[partition.topic, partition.partition]
        return log.start, log.stable

    def committed(self, partitions: list[TopicPartition], timeout: float = -1) -> list[TopicPartition]:
        """As Consumer.committed under read_committed: there is no answer while a transaction may still move a position."""
        self.world.pass_by(self.process)
        places = [(tp.topic, tp.partition) for tp in partitions]
        if self.group.unstable(places):
            self.world.cluster.advance(timeout)
            raise failure(KafkaError._TIMED_OUT, retriable=True)  # noqa: SLF001
        found = [self.group.stored.get(place, Stored(-1001)) for place in places]
        return [TopicPartition(*p, s.offset, s.metadata) for p, s in zip(places, found, strict=True)]

    @overload
    def commit(self, *, offsets: list[TopicPartition], asynchronous: Literal[True]) -> None: ...
    @overload
    def commit(self, *, offsets: list[TopicPartition], asynchronous: Literal[False]) -> list[TopicPartition]: ...
    def commit(self, *, offsets: list[TopicPartition], asynchronous: bool) -> list[TopicPartition] | None:
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
        """One connection to the coordinator: what was sent before arrives before."""
        if self._sent is not None and self._sent in self.world.network.late:
            self.world.network.late.remove(self._sent)
            self._sent.deliver()

    def consumer_group_metadata(self) -> tuple[Group, str, int]:
        """As Consumer.consumer_group_metadata: what the library knows of itself now."""
        self.tick()
        return self.group, self.member, self.generation

    def close(self) -> None:
        """As Consumer.close: leaves the group."""
        if self.owned and self.callbacks and not self.closed:
            self.closed = True
            self.callbacks["revoke"](self, self.assignment())
        self.closed = True
        self._in_order()
        self.group.leave(self.member)

    def vanish(self) -> None:
        """The process is gone or frozen: no heartbeat any more."""
        deadline = self.world.cluster.clock.now + SESSION_SECONDS if self.member else NEVER
        self.group.silent(self.member, deadline)
        self.world.cluster.watch(deadline)


def _names(places: Iterable[Place]) -> str:
    return " ".join(f"{topic}[{number}]" for topic, number in places) or "nothing"


def _shown(positions: dict[Place, Stored]) -> str:
    return " ".join(f"{topic}[{number}]={stored.offset}" for (topic, number), stored in positions.items())
