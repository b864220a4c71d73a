"""Owns the model as a side of the scripts in test_against_broker.py."""

from __future__ import annotations

from collections.abc import Sequence

from confluent_kafka import KafkaError
from confluent_kafka import TopicPartition as LibraryPartition

from kdg.core.records import TopicPartition

from .cluster import Cluster
from .consumer import SimConsumer
from .groups import Group, Protocol, Stored
from .process import Process
from .sides import Member, Offsets, Owner, Side, named, read_to_the_end
from .world import World


class ModelMember(Member):
    """A member of the model's group."""

    def __init__(self, group: Group) -> None:
        self._group = group

    def asks_to_join(self) -> None:
        self.id = self._group.join(self.id, ())

    def joins(self) -> None:
        assert not self._group.preparing
        self.generation = self._group.generation

    def is_asked_to_rejoin(self) -> bool:
        return self._group.preparing

    def beats(self, owned: Sequence[TopicPartition] = ()) -> list[TopicPartition]:
        if not self.id:
            self.id = self._group.join("", ())
        target = self._group.heartbeat(self.id, owned)
        self.generation = self._group.members[self.id].epoch
        return target

    def leaves(self) -> None:
        self._group.leave(self.id)


class Model(Side):
    """The model, asked directly."""

    def __init__(self) -> None:
        self.cluster = Cluster()

    def topic(self, partitions: int = 1) -> str:
        name = f"t{len(self.cluster.topics)}"
        self.cluster.make_topic(name, partitions)
        return name

    def group(self, protocol: Protocol = Protocol.EAGER) -> str:
        return self.cluster.group(f"g{len(self.cluster.groups)}", protocol=protocol).name

    def init(self, name: str = "", timeout: float = 60.0) -> Owner:
        pid, epoch = self.cluster.init(name, timeout) if name else (self.cluster.new_pid(), 0)
        return Owner(name, pid, epoch)

    def add(self, owner: Owner, place: TopicPartition) -> str:
        return named(self.cluster.add(owner.pid, owner.epoch, place))

    def produce(self, owner: Owner, place: TopicPartition, sequence: int, *values: bytes) -> str:
        return named(self.cluster.produce(place, owner.pid, owner.epoch, sequence, values))

    def add_group(self, owner: Owner, group: str) -> str:
        return named(self.cluster.add_group(owner.pid, owner.epoch, self.cluster.group(group)))

    def send_offsets(self, owner: Owner, group: str, offsets: Offsets, member: str = "", generation: int = -1) -> str:
        stored = {place: Stored(offset) for place, offset in offsets.items()}
        found = self.cluster.group(group)
        return named(self.cluster.store_in_transaction(owner.pid, owner.epoch, found, member, generation, stored))

    def end(self, owner: Owner, *, commit: bool) -> str:
        return named(self.cluster.end(owner.pid, owner.epoch, commit))

    def commit(self, group: str, offsets: Offsets, member: str = "", generation: int = -1) -> str:
        stored = {place: Stored(offset) for place, offset in offsets.items()}
        return named(self.cluster.group(group).commit(member, generation, stored))

    def committed(self, group: str, *places: TopicPartition) -> list[int] | str:
        found = self.cluster.group(group)
        if found.unstable(places):
            return named(KafkaError.UNSTABLE_OFFSET_COMMIT)
        return [found.stored.get(place, Stored(-1)).offset for place in places]

    def ends(self, place: TopicPartition) -> tuple[int, int, int]:
        log = self.cluster.logs[place]
        return log.start, log.stable, len(log.entries)

    def seen(self, place: TopicPartition, offset: int = 0, *, committed: bool = True) -> list[bytes | str]:
        log = self.cluster.logs[place]
        if not committed:
            return [value for value, _transaction in log.entries[offset:] if value is not None]
        world = World(0, (), frozenset(), trace=False)
        world.cluster = self.cluster
        reader = SimConsumer(world, Process("reader"), Group("none"))
        reader.assign([LibraryPartition(*place, offset)])
        return read_to_the_end(reader)

    def delete_records(self, place: TopicPartition, before: int) -> None:
        self.cluster.logs[place].start = before

    def remake(self, topic: str) -> None:
        self.cluster.remake_topic(topic)

    def id_of(self, topic: str) -> str:
        return str(self.cluster.topics[topic])

    def member(self, group: str, topic: str) -> Member:
        found = self.cluster.group(group)
        found.places = self.cluster.places(topic)
        return ModelMember(found)

    def until_settled(self, place: TopicPartition) -> None:
        log = self.cluster.logs[place]
        while log.unstable:
            self.cluster.advance(0.1)
