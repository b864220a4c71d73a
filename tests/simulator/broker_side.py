"""Owns a real broker as a side of the scripts in test_against_broker.py: it is asked by single requests."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence

from confluent_kafka import Consumer, TopicCollection
from confluent_kafka import TopicPartition as LibraryPartition

from kdg.core.records import TopicPartition
from tests.support.kafka import Kafka
from tests.support.waiting import eventually

from . import wire
from .groups import Protocol
from .sides import TOO_EARLY, Member, Offsets, Owner, Side, named, read_to_the_end
from .wire import Answer, Api, Connection, i8, i16, i32, i64

SESSION = 20_000


class BrokerMember(Member):
    """A member of a real group, on a connection of its own."""

    def __init__(self, side: Broker, group: str, topic: str) -> None:
        self._side, self._group, self._topic = side, group, topic
        self._line = side.connect()

    def asks_to_join(self) -> None:
        subscription = wire.blob(i16(0) + wire.array([wire.text(self._topic)]) + i32(-1))
        body = wire.text(self._group) + i32(SESSION) + i32(SESSION) + wire.text(self.id) + wire.text("consumer")
        self._line.send(Api.JOIN_GROUP, body + wire.array([wire.text("range") + subscription]))

    def joins(self) -> None:
        answer = self._line.receive()
        answer.number(4)
        assert named(answer.number(2)) == "ok"
        self.generation, _protocol, leader, self.id = answer.number(4), answer.text(), answer.text(), answer.text()
        members = answer.array(lambda: (answer.text(), answer.blob())[0])
        shares = [wire.text(member) + wire.blob(b"") for member in members] if leader == self.id else []
        body = wire.text(self._group) + i32(self.generation) + wire.text(self.id) + wire.array(shares)
        assert self._code(self._line.ask(Api.SYNC_GROUP, body)) == "ok"

    @staticmethod
    def _code(answer: Answer) -> str:
        answer.number(4)
        return named(answer.number(2))

    def is_asked_to_rejoin(self) -> bool:
        body = wire.text(self._group) + i32(self.generation) + wire.text(self.id)
        return eventually(lambda: self._code(self._line.ask(Api.HEARTBEAT, body)) == "REBALANCE_IN_PROGRESS")

    def beats(self, owned: Sequence[TopicPartition] = ()) -> list[TopicPartition]:
        joining = not self.id
        topic_id = base64.urlsafe_b64decode(self._side.id_of(self._topic) + "==")
        has = [topic_id + wire.compact_array([i32(number) for _topic, number in owned]) + wire.TAGS] if owned else []
        body = wire.compact(self._group) + wire.compact(self.id) + i32(max(self.generation, 0))
        body += wire.NULL + wire.NULL + i32(SESSION)
        body += wire.compact_array([wire.compact(self._topic)]) + wire.NULL
        body += wire.compact_array([] if joining else has) + wire.TAGS
        return self._answered(self._line.ask(Api.CONSUMER_GROUP_HEARTBEAT, body))

    def _answered(self, answer: Answer) -> list[TopicPartition]:
        answer.number(4)
        code, message = answer.number(2), answer.compact()
        assert code == 0, f"{named(code)}: {message}"
        self.id, self.generation = answer.compact(), answer.number(4)
        answer.number(4)
        places: list[TopicPartition] = []

        def topic() -> None:
            answer.take(16)
            places.extend((self._topic, number) for number in answer.compact_array(lambda: answer.number(4)))
            answer.tags()

        if answer.number(1) >= 0:
            answer.compact_array(topic)
        return places

    def leaves(self) -> None:
        body = wire.text(self._group) + wire.text(self.id)
        assert self._code(self._line.ask(Api.LEAVE_GROUP, body)) == "ok"


class Broker(Side):
    """A real broker, asked by single requests. Only reading uses the client library."""

    def __init__(self, kafka: Kafka) -> None:
        self.kafka = kafka
        self._lines: list[Connection] = []
        self._line = self.connect()

    def connect(self) -> Connection:
        """Open a connection."""
        self._lines.append(Connection(self.kafka.bootstrap))
        return self._lines[-1]

    def close(self) -> None:
        """Close all connections."""
        for line in self._lines:
            line.close()

    def topic(self, partitions: int = 1) -> str:
        return self.kafka.topic(partitions)

    def group(self, protocol: Protocol = Protocol.EAGER) -> str:
        return f"g-{secrets.token_hex(5)}"

    def init(self, name: str = "", timeout: float = 60.0) -> Owner:
        body = wire.text(name or None) + i32(int(timeout * 1000))
        found: list[Answer] = []

        def asked() -> bool:
            """Ask once. The coordinator may still be starting, and a fenced epoch has to be asked for again."""
            answer = self._line.ask(Api.INIT_PRODUCER_ID, body)
            answer.number(4)
            found.append(answer)
            return named(answer.number(2)) == "ok"

        assert eventually(asked)
        return Owner(name, found[-1].number(8), found[-1].number(2))

    def _who(self, owner: Owner) -> bytes:
        return wire.text(owner.name) + i64(owner.pid) + i16(owner.epoch)

    def add(self, owner: Owner, place: TopicPartition) -> str:
        body = self._who(owner) + wire.in_topic(place[0], [i32(place[1])])
        # The markers of the previous transaction may still be on their way to the log.
        return self._once(Api.ADD_PARTITIONS_TO_TXN, body, per_partition=True)

    def _once(self, api: Api, body: bytes, *, per_partition: bool = False) -> str:
        """Ask until the answer is not one of TOO_EARLY."""
        found: list[str] = []

        def asked() -> bool:
            answer = self._line.ask(api, body)
            if per_partition:
                code = wire.codes(answer, flexible=api.value[2])[0]
            else:
                answer.number(4)
                code = answer.number(2)
            found.append(named(code))
            return found[-1] not in TOO_EARLY

        assert eventually(asked)
        return found[-1]

    def produce(self, owner: Owner, place: TopicPartition, sequence: int, *values: bytes) -> str:
        batch = wire.record_batch(values, owner.pid, owner.epoch, sequence, transactional=bool(owner.name))
        body = wire.text(owner.name or None) + i16(-1) + i32(30_000)
        body += wire.in_topic(place[0], [i32(place[1]) + wire.blob(batch)])
        found: list[str] = []

        def asked() -> bool:
            answer = self._line.ask(Api.PRODUCE, body)
            assert answer.number(4) == 1
            answer.text()
            assert (answer.number(4), answer.number(4)) == (1, place[1])
            found.append(named(answer.number(2)))
            return found[-1] not in TOO_EARLY

        assert eventually(asked)
        return found[-1]

    def add_group(self, owner: Owner, group: str) -> str:
        return self._once(Api.ADD_OFFSETS_TO_TXN, self._who(owner) + wire.text(group))

    def send_offsets(self, owner: Owner, group: str, offsets: Offsets, member: str = "", generation: int = -1) -> str:
        body = wire.compact(owner.name) + wire.compact(group) + i64(owner.pid) + i16(owner.epoch)
        body += i32(generation) + wire.compact(member) + wire.NULL + wire.positions(offsets) + wire.TAGS
        return self._once(Api.TXN_OFFSET_COMMIT, body, per_partition=True)

    def end(self, owner: Owner, *, commit: bool) -> str:
        return self._once(Api.END_TXN, self._who(owner) + i8(commit))

    def commit(self, group: str, offsets: Offsets, member: str = "", generation: int = -1) -> str:
        body = wire.compact(group) + i32(generation) + wire.compact(member) + wire.NULL
        return self._once(Api.OFFSET_COMMIT, body + wire.positions(offsets) + wire.TAGS, per_partition=True)

    def committed(self, group: str, *places: TopicPartition) -> list[int] | str:
        topic = places[0][0]
        numbers = wire.compact_array([i32(number) for _topic, number in places])
        body = wire.compact(group) + wire.compact_array([wire.compact(topic) + numbers + wire.TAGS]) + i8(1) + wire.TAGS
        answer = self._line.ask(Api.OFFSET_FETCH, body)
        found: list[tuple[int, int]] = []

        def partition() -> None:
            answer.number(4)
            offset = answer.number(8)
            answer.number(4), answer.compact()
            found.append((offset, answer.number(2)))
            answer.tags()

        def in_topic() -> None:
            answer.compact()
            answer.compact_array(partition)
            answer.tags()

        answer.number(4)
        answer.compact_array(in_topic)
        errors = [named(code) for _offset, code in found if code]
        return errors[0] if errors else [offset for offset, _code in found]

    def ends(self, place: TopicPartition) -> tuple[int, int, int]:
        return self._offset(place, -2, 0), self._offset(place, -1, 1), self._offset(place, -1, 0)

    def _offset(self, place: TopicPartition, time: int, isolation: int) -> int:
        body = i32(-1) + i8(isolation) + wire.in_topic(place[0], [i32(place[1]) + i64(time)])
        answer = self._line.ask(Api.LIST_OFFSETS, body)
        answer.number(4), answer.number(4), answer.text(), answer.number(4), answer.number(4)
        assert named(answer.number(2)) == "ok"
        answer.number(8)
        return answer.number(8)

    def seen(self, place: TopicPartition, offset: int = 0, *, committed: bool = True) -> list[bytes | str]:
        reader = Consumer(
            {
                "bootstrap.servers": self.kafka.bootstrap,
                "group.id": "reader",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "error",
                "fetch.wait.max.ms": 20,
                "isolation.level": "read_committed" if committed else "read_uncommitted",
            }
        )
        reader.assign([LibraryPartition(*place, offset)])
        try:
            return read_to_the_end(reader)
        finally:
            reader.close()

    def delete_records(self, place: TopicPartition, before: int) -> None:
        asked = self.kafka.admin.delete_records([LibraryPartition(*place, before)])
        for future in asked.values():
            future.result(30)

    def remake(self, topic: str) -> None:
        before = self.id_of(topic)
        self.kafka.admin.delete_topics([topic])[topic].result(30)
        assert eventually(lambda: not self.kafka.exists(topic))
        self.kafka.make(topic)
        assert eventually(lambda: self.id_of(topic) != before)

    def id_of(self, topic: str) -> str:
        asked = self.kafka.admin.describe_topics(TopicCollection([topic]), request_timeout=30)
        return str(asked[topic].result(30).topic_id)

    def member(self, group: str, topic: str) -> Member:
        return BrokerMember(self, group, topic)

    def until_settled(self, place: TopicPartition) -> None:
        assert eventually(lambda: self.ends(place)[1] == self.ends(place)[2])
