"""`kdg produce` on a real broker: which records arrive, from every form of input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kdg.core.guarantees import GUARANTEES, Guarantee
from tests.support.kafka import Kafka

IDS = [row.name for row in GUARANTEES]


def test_a_line_is_a_value(kafka: Kafka) -> None:
    """A line is a value, an empty line is an empty value, and the key is null."""
    topic = kafka.topic()
    kafka.ok("produce", topic, input=b"a\n\n\xff\xfe\nlast without its end")
    assert kafka.values(topic) == [b"a", b"", b"\xff\xfe", b"last without its end"]
    assert {record.key for record in kafka.records(topic)} == {None}


def test_a_file_is_read_like_stdin_and_a_dash_is_stdin(kafka: Kafka, tmp_path: Path) -> None:
    topic, file = kafka.topic(), tmp_path / "f"
    file.write_bytes(b"a\nb\n")
    kafka.ok("produce", topic, str(file), input=b"not read\n")
    kafka.ok("produce", topic, "-", input=b"c\n")
    assert kafka.values(topic) == [b"a", b"b", b"c"]


def test_key_delimiter_and_null(kafka: Kafka) -> None:
    """-K splits a line once; with -Z an empty key or value is null."""
    topic = kafka.topic()
    kafka.ok("produce", topic, "-K", ":", "-Z", input=b"k:v:w\n:v\nk:\nno key\n")
    seen = [(record.key, record.value) for record in kafka.records(topic)]
    assert seen == [(b"k", b"v:w"), (None, b"v"), (b"k", None), (None, b"no key")]


def test_one_key_and_headers_for_every_record(kafka: Kafka) -> None:
    topic = kafka.topic()
    kafka.ok("produce", topic, "-k", "user", "-H", "a=1", "-H", "b=x=y", "-H", "a=", "-H", "none", input=b"v\nw\n")
    headers = [("a", b"1"), ("b", b"x=y"), ("a", b""), ("none", None)]
    assert [(record.key, record.headers) for record in kafka.records(topic)] == [(b"user", headers)] * 2


def test_partition_delimiter_and_count(kafka: Kafka) -> None:
    """-p chooses the partition, -D the delimiter, and -c ends after so many records."""
    topic = kafka.topic(3)
    kafka.ok("produce", topic, "-p", "2", "-D", r"\0", "-c", "2", input=b"a\n\0b\0c\0")
    assert [(record.partition, record.value) for record in kafka.records(topic)] == [(2, b"a\n"), (2, b"b")]


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_compressed_record_may_be_larger(kafka: Kafka, codec: str) -> None:
    """A record that is too large for the topic fits if it is compressed."""
    topic = kafka.topic(max_message_bytes="50000")
    value = b"0" * 300_000
    assert kafka.kdg("produce", topic, input=value + b"\n").code == 3
    kafka.ok("produce", topic, "-z", codec, input=value + b"\n")
    assert kafka.values(topic) == [value]


def murmur2(data: bytes) -> int:
    """Java's org.apache.kafka.common.utils.Utils.murmur2, from its description; unsigned."""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    h = 0x9747B28C ^ len(data)
    whole = len(data) // 4 * 4
    for start in range(0, whole, 4):
        k = int.from_bytes(data[start : start + 4], "little") * m & mask
        h = (h * m & mask) ^ ((k ^ k >> 24) * m & mask)
    if rest := data[whole:]:
        h = (h ^ int.from_bytes(rest, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


def test_keys_are_partitioned_as_in_java(kafka: Kafka) -> None:
    """A record with a key goes to the partition that a Java client would choose."""
    topic = kafka.topic(7)
    keys = [b"key-%d" % number for number in range(60)] + [b"a", b"ab", b"abc", "ключ".encode()]
    kafka.ok("produce", topic, "-K", ":", input=b"".join(key + b":v\n" for key in keys))
    placed = {record.key: record.partition for record in kafka.records(topic)}
    assert placed == {key: (murmur2(key) & 0x7FFFFFFF) % 7 for key in keys}
    # From Kafka's own UtilsTest: the function above is checked against Kafka, and not only against itself.
    assert murmur2(b"21") == -973932308 & 0xFFFFFFFF
    assert murmur2(b"foobar") == -790332482 & 0xFFFFFFFF


def test_json_fields_of_produce(kafka: Kafka) -> None:
    """-J reads key, value, headers and timestamp; the partition only with --keep-partition."""
    topic = kafka.topic(4)
    record = {"topic": "x", "partition": 3, "offset": 9, "key": "k", "value": "v", "timestamp": 1_700_000_000_000}
    record["headers"] = [["h", "1"], ["h", None], ["b", {"base64": "/w=="}]]
    kafka.ok("produce", topic, "-J", "--keep-partition", input=json.dumps(record).encode() + b"\n")
    (kept,) = kafka.records(topic)
    assert kept == (3, 0, b"k", b"v", [("h", b"1"), ("h", None), ("b", b"\xff")], 1_700_000_000_000)
    other = kafka.topic(4)
    kafka.ok("produce", other, "-J", input=json.dumps(record).encode() + b"\n{}\n")
    by_key = {record.key: record for record in kafka.records(other)}
    assert by_key[b"k"].partition == (murmur2(b"k") & 0x7FFFFFFF) % 4
    assert by_key[None].value is None


@pytest.mark.parametrize("row", GUARANTEES, ids=IDS)
def test_wrong_json_line_is_named(kafka: Kafka, row: Guarantee) -> None:
    """A wrong line of JSON is named by its number; exactly-once then sends nothing."""
    topic = kafka.topic()
    done = kafka.kdg("produce", topic, "-J", "-g", row.name, input=b'{"value":"a"}\nnot json\n{"value":"b"}\n')
    assert done.code != 0
    assert "line 2" in done.err
    if row.transactional:
        assert kafka.values(topic) == []


@pytest.mark.parametrize("row", GUARANTEES, ids=IDS)
def test_no_input_is_no_error_and_no_record(kafka: Kafka, row: Guarantee) -> None:
    topic = kafka.topic()
    kafka.ok("produce", topic, "-g", row.name, input=b"")
    assert kafka.values(topic) == []
