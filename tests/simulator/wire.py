"""Owns single requests to a real broker, byte by byte, in versions like those of librdkafka 2.16.

A client library decides by itself what to send, when, and as whom; a rule of the broker is seen by asking it directly,
late and as somebody who is long gone included. https://kafka.apache.org/protocol; nothing here retries.
"""

from __future__ import annotations

import enum
import itertools
import socket
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")
BOUND = 30.0
"""Seconds that a broker may take for an answer."""


class Api(enum.Enum):
    """What can be asked: key, version, and whether that version is a flexible one (KIP-482)."""

    PRODUCE = 0, 7, False
    LIST_OFFSETS = 2, 3, False
    OFFSET_COMMIT = 8, 9, True
    OFFSET_FETCH = 9, 7, True
    JOIN_GROUP = 11, 3, False
    HEARTBEAT = 12, 1, False
    LEAVE_GROUP = 13, 1, False
    SYNC_GROUP = 14, 1, False
    INIT_PRODUCER_ID = 22, 1, False
    ADD_PARTITIONS_TO_TXN = 24, 1, False
    ADD_OFFSETS_TO_TXN = 25, 1, False
    END_TXN = 26, 1, False
    TXN_OFFSET_COMMIT = 28, 3, True
    CONSUMER_GROUP_HEARTBEAT = 68, 0, True


# ── writing ──


def i8(number: int) -> bytes:
    """One byte."""
    return struct.pack(">b", number)


def i16(number: int) -> bytes:
    """Two bytes."""
    return struct.pack(">h", number)


def i32(number: int) -> bytes:
    """Four bytes."""
    return struct.pack(">i", number)


def i64(number: int) -> bytes:
    """Eight bytes."""
    return struct.pack(">q", number)


def uvarint(number: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def varint(number: int) -> bytes:
    """Signed, zigzag."""
    return uvarint(number << 1 if number >= 0 else (-number << 1) - 1)


def text(value: str | None) -> bytes:
    """STRING, or NULLABLE_STRING."""
    return i16(-1) if value is None else i16(len(value.encode())) + value.encode()


def compact(value: str | None) -> bytes:
    """COMPACT_STRING, or COMPACT_NULLABLE_STRING."""
    return uvarint(0) if value is None else uvarint(len(value.encode()) + 1) + value.encode()


def blob(value: bytes) -> bytes:
    """BYTES."""
    return i32(len(value)) + value


def array(items: Sequence[bytes]) -> bytes:
    """ARRAY."""
    return i32(len(items)) + b"".join(items)


def compact_array(items: Sequence[bytes]) -> bytes:
    """COMPACT_ARRAY."""
    return uvarint(len(items) + 1) + b"".join(items)


TAGS = uvarint(0)
"""No tagged fields."""
NULL = uvarint(0)
"""A compact string or array that is not there."""


def _crc32c_table() -> list[int]:
    table = []
    for number in range(256):
        for _ in range(8):
            number = number >> 1 ^ (0x82F63B78 if number & 1 else 0)  # noqa: PLW2901  # the algorithm
        table.append(number)
    return table


_CRC = _crc32c_table()


def crc32c(data: bytes) -> int:
    """As record batches have it (Castagnoli)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


_TRANSACTIONAL = 0x10


def record_batch(values: Sequence[bytes], pid: int, epoch: int, sequence: int, *, transactional: bool) -> bytes:
    """A RecordBatch of values without keys."""
    records = [
        i8(0) + varint(0) + varint(number) + varint(-1) + varint(len(value)) + value + varint(0)
        for number, value in enumerate(values)
    ]
    body = i16(_TRANSACTIONAL if transactional else 0) + i32(len(values) - 1) + i64(0) + i64(0)
    body += i64(pid) + i16(epoch) + i32(sequence) + array([varint(len(record)) + record for record in records])
    whole = i32(-1) + i8(2) + struct.pack(">I", crc32c(body)) + body
    return i64(0) + i32(len(whole)) + whole


# ── reading ──


class Answer:
    """The bytes of an answer, read from front to back."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        """So many bytes."""
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self, size: int) -> int:
        """INT8 to INT64, by its size in bytes."""
        return int.from_bytes(self.take(size), "big", signed=True)

    def uvarint(self) -> int:
        """UNSIGNED_VARINT."""
        number = 0
        for shift in itertools.count(0, 7):
            byte = self.take(1)[0]
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
        return number

    def text(self) -> str:
        """STRING; a null is empty."""
        return self.take(max(self.number(2), 0)).decode()

    def compact(self) -> str:
        """COMPACT_STRING; a null is empty."""
        return self.take(max(self.uvarint() - 1, 0)).decode()

    def blob(self) -> bytes:
        """BYTES."""
        return self.take(max(self.number(4), 0))

    def array(self, item: Callable[[], T]) -> list[T]:
        """ARRAY."""
        return [item() for _ in range(self.number(4))]

    def compact_array(self, item: Callable[[], T]) -> list[T]:
        """COMPACT_ARRAY; a null is empty."""
        return [item() for _ in range(self.uvarint() - 1)]

    def tags(self) -> None:
        """Tagged fields: there are none that matter here."""
        for _ in range(self.uvarint()):
            self.uvarint()
            self.take(self.uvarint())


class Connection:
    """One connection to a broker. `send` without `receive` is for a question that the broker keeps for a while."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), BOUND)
        self._flexible: list[bool] = []

    def ask(self, api: Api, body: bytes) -> Answer:
        """A request and its answer."""
        self.send(api, body)
        return self.receive()

    def send(self, api: Api, body: bytes) -> None:
        """A request."""
        key, version, flexible = api.value
        head = i16(key) + i16(version) + i32(0) + text("wire") + (TAGS if flexible else b"")
        self._socket.sendall(blob(head + body))
        self._flexible.append(flexible)

    def receive(self) -> Answer:
        """The answer to the first request that has none yet."""
        answer = Answer(self._read(Answer(self._read(4)).number(4)))
        answer.number(4)
        if self._flexible.pop(0):
            answer.tags()
        return answer

    def _read(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            if not (piece := self._socket.recv(size - len(data))):
                raise EOFError("the broker closed the connection: it does not understand the request")
            data += piece
        return bytes(data)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


# ── what several requests have in common ──


def in_topic(topic: str, partitions: Iterable[bytes]) -> bytes:
    """Partitions of one topic."""
    return array([text(topic) + array(list(partitions))])


def positions(offsets: Mapping[tuple[str, int], int]) -> bytes:
    """Topics and positions of OffsetCommit and TxnOffsetCommit; one topic."""
    (topic,) = {topic for topic, _partition in offsets}
    parts = [i32(number) + i64(offset) + i32(-1) + compact("") + TAGS for (_, number), offset in offsets.items()]
    return compact_array([compact(topic) + compact_array(parts) + TAGS])


def codes(answer: Answer, *, flexible: bool) -> list[int]:
    """The error codes of an answer that has one for each partition."""
    found: list[int] = []

    def partition() -> None:
        answer.number(4)
        found.append(answer.number(2))
        if flexible:
            answer.tags()

    def topic() -> None:
        if flexible:
            answer.compact()
            answer.compact_array(partition)
            answer.tags()
        else:
            answer.text()
            answer.array(partition)

    answer.number(4)
    (answer.compact_array if flexible else answer.array)(topic)
    return found
