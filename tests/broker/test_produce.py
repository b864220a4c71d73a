"""`kdg produce` on a real broker: what arrives, what does not and is kept, and what exactly-once does with its input."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from confluent_kafka import KafkaException

from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, EXACTLY_ONCE, GUARANTEES, Guarantee
from kdg.core.records import Batch
from kdg.errors import Aborted
from kdg.kafka.library import ProducerClient
from kdg.kafka.producer import ProducerHandle
from kdg.kafka.target import KafkaTarget
from kdg.kafka.transaction import KafkaTransaction
from kdg.kafka.undelivered_records import abort_on_undelivered
from kdg.runs.clients import LibraryClients
from kdg.runtime.deadline import Deadline, NoSignals
from tests.support.kafka import Kafka
from tests.support.processes import lines, text
from tests.support.waiting import eventually

IDS = [row.name for row in GUARANTEES]
NOBODY = "127.0.0.1:1"


# ── what arrives ──


def test_a_line_is_a_value(kafka: Kafka) -> None:
    """A line is a value and an empty line an empty value and the key is null."""
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
    """A key delimiter splits once and null is made of empty when asked."""
    topic = kafka.topic()
    kafka.ok("produce", topic, "-K", ":", "-Z", input=b"k:v:w\n:v\nk:\nno key\n")
    seen = [(record.key, record.value) for record in kafka.records(topic)]
    assert seen == [(b"k", b"v:w"), (None, b"v"), (b"k", None), (None, b"no key")]


def test_one_key_and_headers_for_every_record(kafka: Kafka) -> None:
    topic = kafka.topic()
    kafka.ok("produce", topic, "-k", "user", "-H", "a=1", "-H", "b=x=y", "-H", "a=", "-H", "none", input=b"v\nw\n")
    headers = [("a", b"1"), ("b", b"x=y"), ("a", b""), ("none", None)]
    assert [(record.key, record.headers) for record in kafka.records(topic)] == [(b"user", headers)] * 2


def test_a_partition_and_a_delimiter_of_ones_own_and_a_count(kafka: Kafka) -> None:
    topic = kafka.topic(3)
    kafka.ok("produce", topic, "-p", "2", "-D", r"\0", "-c", "2", input=b"a\n\0b\0c\0")
    assert [(record.partition, record.value) for record in kafka.records(topic)] == [(2, b"a\n"), (2, b"b")]


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_a_compressed_record_fits_where_the_plain_one_does_not(kafka: Kafka, codec: str) -> None:
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
    """Keys go to the partitions that a Java client would choose."""
    topic = kafka.topic(7)
    keys = [b"key-%d" % number for number in range(60)] + [b"a", b"ab", b"abc", "ключ".encode()]
    kafka.ok("produce", topic, "-K", ":", input=b"".join(key + b":v\n" for key in keys))
    placed = {record.key: record.partition for record in kafka.records(topic)}
    assert placed == {key: (murmur2(key) & 0x7FFFFFFF) % 7 for key in keys}
    # From Kafka's own UtilsTest, so that the line above is no proof in a circle.
    assert murmur2(b"21") == -973932308 & 0xFFFFFFFF
    assert murmur2(b"foobar") == -790332482 & 0xFFFFFFFF


def test_json_fields_of_produce(kafka: Kafka) -> None:
    """JSON takes key value headers and timestamp and the partition only when asked."""
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
    """A wrong line of JSON is named and nothing else is lost without being named."""
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


# ── what does not arrive ──


def test_record_too_large_for_the_client_is_kept(kafka: Kafka, tmp_path: Path) -> None:
    """At least once a record too large for the client is named and kept and the others arrive."""
    topic, kept = kafka.topic(), tmp_path / "kept"
    large = b"x" * 2_000_000
    sent = [*lines(5), large, *lines(5, 5)]
    done = kafka.kdg("produce", topic, "--undelivered", str(kept), "--report", "-", input=text(sent))
    assert done.code == 3
    assert "2000000 bytes" in done.err
    assert "1 record was not delivered" in done.err
    assert kafka.values(topic) == lines(10)
    assert kept.read_bytes() == text([large])


@pytest.mark.parametrize("json_lines", [False, True], ids=["lines", "-J"])
def test_record_refused_by_the_broker_is_kept(kafka: Kafka, tmp_path: Path, json_lines: bool) -> None:
    """At least once what the broker refuses is kept exactly and can be sent again."""
    topic, kept = kafka.topic(), tmp_path / "kept"
    values = [*lines(3), b"y" * 1_500_000, *lines(3, 3)]
    rows = [{"value": v.decode(), "key": "k", "headers": [["n", str(i)], ["n", None]]} for i, v in enumerate(values)]
    sent = text(json.dumps(row).encode() for row in rows) if json_lines else text(values)
    form = ["-J"] if json_lines else []
    limit = ("-X", "message.max.bytes=3000000", "-X", "linger.ms=0")
    done = kafka.kdg("produce", topic, *form, *limit, "--undelivered", str(kept), input=sent)
    assert done.code == 3
    arrived = kafka.values(topic)
    again = kafka.kdg("produce", topic, str(kept), *form)  # the client refuses the large one alone
    assert again.code == 3
    assert Counter(kafka.values(topic)) == Counter(value for value in values if len(value) < 1000)
    assert len(arrived) + len(kept.read_bytes().splitlines()) == len(values)
    if json_lines:
        headers = {record.value: record.headers for record in kafka.records(topic)}
        assert headers == {v: [("n", str(i).encode()), ("n", None)] for i, v in enumerate(values) if len(v) < 1000}


def test_at_most_once_a_record_too_large_is_named(kafka: Kafka) -> None:
    topic = kafka.topic()
    done = kafka.kdg("produce", topic, "-g", "amo", input=text([b"a", b"x" * 2_000_000, b"b"]))
    assert "2000000 bytes" in done.err
    assert done.code == 3
    assert kafka.values(topic) == [b"a", b"b"]


@pytest.mark.parametrize("options", [(), ("--resume", "NAME")], ids=["whole", "resume"])
@pytest.mark.parametrize("limit", [(), ("-X", "message.max.bytes=3000000")], ids=["client", "broker"])
def test_exactly_once_record_too_large_is_named(
    kafka: Kafka, group: str, options: tuple[str, ...], limit: tuple[str, ...]
) -> None:
    """Exactly once a record too large is named and nothing is visible."""
    topic = kafka.topic()
    options = tuple(group if option == "NAME" else option for option in options)
    done = kafka.kdg("produce", topic, "-g", "eos", *options, *limit, input=text([b"a", b"x" * 2_000_000, b"b"]))
    assert done.code == 4
    assert "2000000 bytes" in done.err
    # With --resume, what was read before it may have been a transaction of its own.
    assert kafka.settled_values(topic) in ([], [b"a"] if options else [])


def refuses(producer: ProducerClient, topic: str) -> bool:
    """Whether it takes no record any more."""
    try:
        producer.produce(topic, b"a", None, -1)
    except KafkaException:
        return True
    return False


def test_record_too_large_is_named_by_the_next_record(kafka: Kafka, group: str) -> None:
    """A record too large is named though the refusal shows first at the next record."""
    settings = {"bootstrap.servers": kafka.bootstrap, "transactional.id": group, "linger.ms": "0"}
    handle = ProducerHandle({**settings, "message.max.bytes": "3000000"}, LibraryClients())
    deadline = Deadline(NoSignals())
    target = KafkaTarget(handle, kafka.topic(), deadline, abort_on_undelivered)
    transaction = KafkaTransaction(handle, deadline, 60.0)
    transaction.start()
    transaction.begin()
    target.write(Batch(values=[b"x" * 2_000_000]))
    assert eventually(lambda: refuses(handle.producer, target.topic))  # the broker has answered, and nobody was told
    with pytest.raises(Aborted, match="2000000 bytes"):
        target.write(Batch(values=[b"b"]))
    transaction.abort()


def test_without_a_broker_the_input_is_kept(kafka: Kafka, tmp_path: Path) -> None:
    """Without a broker the whole input is kept and can be sent later."""
    topic, kept = kafka.topic(), tmp_path / "kept"
    sent = text(lines(1000))
    done = kafka.kdg("produce", topic, "-b", NOBODY, "--timeout", "1s", "--undelivered", str(kept), input=sent)
    assert done.code == 8
    assert kept.read_bytes() == sent
    kafka.ok("produce", topic, str(kept))
    assert kafka.values(topic) == lines(1000)


def test_without_a_broker_json_lines_are_kept_as_they_are(kafka: Kafka, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    sent = b'{"value":"a","headers":[["h",null]]}\n{"key":{"base64":"/w=="}}'
    done = kafka.kdg("produce", "t", "-J", "-b", NOBODY, "--timeout", "1s", "--undelivered", str(kept), input=sent)
    assert done.code == 8
    assert kept.read_bytes() == sent


def test_undelivered_file_is_empty_after_success(kafka: Kafka, tmp_path: Path) -> None:
    """The file for the undelivered is empty when all is delivered."""
    kept = tmp_path / "kept"
    kafka.ok("produce", kafka.topic(), "--undelivered", str(kept), input=b"a\n")
    assert kept.read_bytes() == b""


def test_the_input_cannot_be_its_own_file_for_the_undelivered(kafka: Kafka, tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"a\n")
    done = kafka.kdg("produce", kafka.topic(), str(file), "--undelivered", str(file))
    assert done.code == 2
    assert file.read_bytes() == b"a\n"


# ── exactly-once: the whole input or nothing ──


def test_exactly_once_refuses_a_cut_off_input(kafka: Kafka) -> None:
    """Exactly once input cut off before its last delimiter is not taken unless allowed."""
    topic = kafka.topic()
    done = kafka.kdg("produce", topic, "-g", "eos", input=b"a\nb")
    assert done.code == 4
    assert "--allow-unterminated" in done.err
    assert kafka.values(topic) == []
    kafka.ok("produce", topic, "-g", "eos", "--allow-unterminated", input=b"a\nb")
    assert kafka.values(topic) == [b"a", b"b"]


def test_exactly_once_slow_input_is_exit_4(
    kafka: Kafka,
) -> None:
    """Exactly once input slower than the transaction ends with 4 names resume and nothing is visible."""
    topic = kafka.topic()
    with kafka.start("produce", topic, "-g", "eos", "-X", "transaction.timeout.ms=2000", stdin=subprocess.PIPE) as run:
        assert run.process.stdin
        run.process.stdin.write(b"a\nb\n")
        run.process.stdin.flush()
        done = run.end(10)
    assert done.code == 4
    assert "--resume" in done.err
    assert kafka.settled_values(topic) == []


@pytest.mark.parametrize(("status", "code", "seen"), [(0, 0, [b"a", b"b"]), (3, 4, [])])
def test_exactly_once_command_must_exit_0(kafka: Kafka, status: int, code: int, seen: list[bytes]) -> None:
    """Exactly once a commands output is committed only when it exits 0."""
    topic = kafka.topic()
    done = kafka.kdg("produce", topic, "-g", "eos", "--", "sh", "-c", f"echo a; echo b; exit {status}")
    assert done.code == code
    assert kafka.values(topic) == seen
    assert status == 0 or f"status {status}" in done.err


@pytest.mark.parametrize("row", [AT_MOST_ONCE, AT_LEAST_ONCE], ids=lambda row: row.name)
def test_failed_command_is_named(kafka: Kafka, row: Guarantee) -> None:
    """A failed command is named under the other guarantees too."""
    done = kafka.kdg("produce", kafka.topic(), "-g", row.name, "--", "sh", "-c", "echo a; exit 3")
    assert done.code != 0
    assert "status 3" in done.err


# ── exactly-once: --resume ──


@pytest.mark.parametrize("by_file", [True, False], ids=["file", "stdin"])
def test_resume_sends_only_the_tail(kafka: Kafka, group: str, tmp_path: Path, by_file: bool) -> None:
    """Resume sends the same input once and of a longer one the tail."""
    topic, file = kafka.topic(), tmp_path / "f"

    def produce(values: list[bytes]) -> None:
        file.write_bytes(text(values))
        args = ["produce", topic, "-g", "eos", "--resume", group, "--batch-records", "10"]
        kafka.ok(*args, *([str(file)] if by_file else []), input=b"" if by_file else text(values))

    produce(lines(25))
    produce(lines(25))
    assert kafka.values(topic) == lines(25)
    produce(lines(40))
    assert kafka.values(topic) == lines(40)


@pytest.mark.parametrize("by_file", [True, False], ids=["file", "stdin"])
@pytest.mark.parametrize("other", [lines(20), [*lines(24), b"record 999999"]], ids=["shorter", "another"])
def test_resume_refuses_another_input(
    kafka: Kafka, group: str, tmp_path: Path, by_file: bool, other: list[bytes]
) -> None:
    """Resume refuses another or a shorter input and names restart."""
    topic, file = kafka.topic(), tmp_path / "f"
    args = ["produce", topic, "-g", "eos", "--resume", group]
    kafka.ok(*args, input=text(lines(25)))
    file.write_bytes(text(other))
    done = kafka.kdg(*args, *([str(file)] if by_file else []), input=b"" if by_file else text(other))
    assert done.code == 2
    assert "--restart" in done.err
    assert kafka.values(topic) == lines(25)
    kafka.ok(*args, "--restart", input=text(other))
    assert kafka.values(topic) == [*lines(25), *other]
    kafka.ok(*args, input=text([*other, b"more"]))
    assert kafka.values(topic) == [*lines(25), *other, b"more"]


def test_resume_goes_on_after_an_allowed_unterminated_record(kafka: Kafka, group: str) -> None:
    topic = kafka.topic()
    args = ["produce", topic, "-g", "eos", "--resume", group, "--allow-unterminated"]
    kafka.ok(*args, input=b"a\nb")
    kafka.ok(*args, input=b"a\nb\nc\n")
    assert kafka.values(topic) == [b"a", b"b", b"c"]
    assert kafka.kdg(*args, input=b"a\nbc\n").code == 2


def test_resume_keeps_a_cut_off_tail_for_the_next_run(kafka: Kafka, group: str) -> None:
    topic = kafka.topic()
    args = ["produce", topic, "-g", "eos", "--resume", group, "--batch-records", "1"]
    assert kafka.kdg(*args, input=b"a\nb\nhal").code == 4
    kafka.ok(*args, input=b"a\nb\nhalf\n")
    assert kafka.values(topic) == [b"a", b"b", b"half"]


def test_resume_commits_each_interval(kafka: Kafka, group: str) -> None:
    """Resume of slow input commits each interval so that readers see it while it runs."""
    topic = kafka.topic()
    args = ["produce", topic, "-g", "eos", "--resume", group]
    with kafka.start(*args, stdin=subprocess.PIPE) as run:
        assert run.process.stdin
        for number in (1, 2):
            run.process.stdin.write(b"line %d\n" % number)
            run.process.stdin.flush()
            assert eventually(lambda: len(kafka.values(topic)) == number, 10)  # noqa: B023  # called at once
        run.process.stdin.close()
        run.process.stdin = None
        assert run.end().code == 0


def test_second_run_of_a_resume_name_fences_the_first(kafka: Kafka, group: str) -> None:
    """The second of two runs with one resume name takes over and the first exits 6."""
    topic = kafka.topic()
    args = ["produce", topic, "-g", "eos", "--resume", group]
    with kafka.start(*args, stdin=subprocess.PIPE) as first:
        assert first.process.stdin
        first.process.stdin.write(b"a\n")
        first.process.stdin.flush()
        assert eventually(lambda: kafka.values(topic) == [b"a"])
        kafka.ok(*args, input=b"a\nb\n")
        first.process.stdin.write(b"from the first\n")
        first.process.stdin.flush()
        assert first.end(15).code == 6
    assert kafka.settled_values(topic) == [b"a", b"b"]


def test_resume_with_several_partitions(kafka: Kafka, group: str) -> None:
    """Exactly once and resume is safe when a topic has several partitions."""
    topic = kafka.topic(4)
    args = ["produce", topic, "-g", EXACTLY_ONCE.name, "--resume", group, "--batch-records", "7", "-K", " "]
    kafka.kdg(*args, "--crash-at", "record-position:3", input=text(lines(50)))
    kafka.ok(*args, input=text(lines(50)))
    assert sorted(record.value or b"" for record in kafka.records(topic)) == [b"%06d" % n for n in range(50)]
