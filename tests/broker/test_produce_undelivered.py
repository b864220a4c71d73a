"""`kdg produce` on a real broker: records that do not arrive are named, counted and kept."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from confluent_kafka import KafkaException

from kdg.core.ports import carry_out
from kdg.core.records import Batch
from kdg.errors import Aborted
from kdg.kafka.library import ProducerClient
from kdg.kafka.producer import ProducerHandle
from kdg.kafka.target import KafkaTarget
from kdg.kafka.transaction import KafkaTransaction
from kdg.kafka.undelivered_records import abort_on_undelivered
from kdg.runs.clients import LibraryClients
from kdg.runtime.deadline import Deadline, NoSignals
from kdg.sandbox import Sandbox
from tests.support.kafka import Kafka, configure
from tests.support.processes import KDG, Fed, lines, text
from tests.support.waiting import eventually

NOBODY = "127.0.0.1:1"


def test_record_too_large_for_the_client_is_kept(kafka: Kafka, tmp_path: Path) -> None:
    """At-least-once: a record that is too large for the client is named and kept; the others arrive."""
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
    """At-least-once: the records that the broker refuses are kept as they were read, and can be sent again."""
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


def test_at_most_once_record_too_large_is_named(kafka: Kafka) -> None:
    """At-most-once: a record that is too large is named as well; the others arrive."""
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
    """Exactly-once: a record that is too large is named, and its transaction is aborted."""
    topic = kafka.topic()
    options = tuple(group if option == "NAME" else option for option in options)
    done = kafka.kdg("produce", topic, "-g", "eos", *options, *limit, input=text([b"a", b"x" * 2_000_000, b"b"]))
    assert done.code == 4
    assert "2000000 bytes" in done.err
    # With --resume, the records before it may have been in a transaction of their own.
    assert kafka.settled_values(topic) in ([], [b"a"] if options else [])


def refuses(producer: ProducerClient, topic: str) -> bool:
    """Whether produce() fails."""
    try:
        producer.produce(topic, b"a", None, -1)
    except KafkaException:
        return True
    return False


def test_record_too_large_is_named_by_the_next_record(kafka: Kafka, group: str) -> None:
    """The record that the broker has refused is named, also if produce() of a later record fails first."""
    settings = {"bootstrap.servers": kafka.bootstrap, "transactional.id": group, "linger.ms": "0"}
    handle = ProducerHandle({**settings, "message.max.bytes": "3000000"}, LibraryClients())
    deadline = Deadline(NoSignals())
    target = KafkaTarget(handle, kafka.topic(), deadline, abort_on_undelivered)
    transaction = KafkaTransaction(handle, deadline, 60.0)
    transaction.start()
    transaction.begin()
    carry_out(target.write(Batch(values=[b"x" * 2_000_000])))
    assert eventually(lambda: refuses(handle.producer, target.topic))  # the broker has answered; no report was read
    with pytest.raises(Aborted, match="2000000 bytes"):
        carry_out(target.write(Batch(values=[b"b"])))
    transaction.abort()


def test_without_a_broker_the_input_is_kept(kafka: Kafka, tmp_path: Path) -> None:
    """Without a broker the whole input is kept, and can be sent later."""
    topic, kept = kafka.topic(), tmp_path / "kept"
    sent = text(lines(1000))
    done = kafka.kdg("produce", topic, "-b", NOBODY, "--timeout", "1s", "--undelivered", str(kept), input=sent)
    assert done.code == 8
    assert kept.read_bytes() == sent
    kafka.ok("produce", topic, str(kept))
    assert kafka.values(topic) == lines(1000)


def test_without_a_broker_json_lines_are_kept(kafka: Kafka, tmp_path: Path) -> None:
    """Without a broker lines of JSON are kept as they are."""
    kept = tmp_path / "kept"
    sent = b'{"value":"a","headers":[["h",null]]}\n{"key":{"base64":"/w=="}}'
    done = kafka.kdg("produce", "t", "-J", "-b", NOBODY, "--timeout", "1s", "--undelivered", str(kept), input=sent)
    assert done.code == 8
    assert kept.read_bytes() == sent


def test_undelivered_file_is_empty_after_success(kafka: Kafka, tmp_path: Path) -> None:
    """The file of --undelivered is empty if every record is delivered."""
    kept = tmp_path / "kept"
    kafka.ok("produce", kafka.topic(), "--undelivered", str(kept), input=b"a\n")
    assert kept.read_bytes() == b""


def test_undelivered_file_is_not_the_input(kafka: Kafka, tmp_path: Path) -> None:
    """The input itself is refused as the file of --undelivered, and stays as it is."""
    file = tmp_path / "f"
    file.write_bytes(b"a\n")
    done = kafka.kdg("produce", kafka.topic(), str(file), "--undelivered", str(file))
    assert done.code == 2
    assert file.read_bytes() == b"a\n"


FRAMINGS = {
    "-K": (("-K", ":"), b"k1:v1\nk2:v2\nv3\n"),
    "-D": (("-D", r"\0", "-K", " "), b"k 1\0k a\nb\0"),
    "-J": (("-J",), b'{"key":"k","value":null,"headers":[["h","1"],["h",null]],"timestamp":1700000000000}\n'),
    "-J-p": (("-J", "--keep-partition"), b'{"partition":1,"value":"v","timestamp":5}\n'),
    "-k-H": (("-k", "it's", "-H", "n=a b", "-H", "m"), b"v1\nv2\n"),
    "-Z": (("-Z", "-K", ":", "--value-encoding", "hex"), b"k:\nk:6162\n:61\n"),
    "-b-X": (("-p", "1", "-z", "gzip", "-X", "client.id=a b"), b"v\n"),
}


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("broker", ["away", "refuses"])
def test_command_of_the_message_sends_them_again(kafka: Kafka, tmp_path: Path, framing: str, broker: str) -> None:
    """The command that the message prints makes the same records, whether no broker or no acknowledgement came."""
    options, sent = FRAMINGS[framing]
    wanted, topic, kept = kafka.topic(2), kafka.topic(2), tmp_path / "it's kept"
    kafka.ok("produce", wanted, *options, input=sent)
    if broker == "away":
        env, more = {"KDG_BROKERS": NOBODY}, ["--timeout", "1s"]
    else:
        env, more = {}, []
        configure(kafka, topic, "max.message.bytes", "10")
    done = kafka.kdg("produce", topic, *options, *more, "--undelivered", str(kept), input=sent, env=env, timeout=90)
    assert done.code == (8 if broker == "away" else 3), done
    assert kafka.values(topic) == []
    configure(kafka, topic, "max.message.bytes", "1000000")
    again = shlex.split(done.err.split("again with `")[1].split("`")[0])
    assert again[0] == "kdg"
    kafka.ok(*again[1:])
    assert content(kafka, topic, options) == content(kafka, wanted, options)


def content(kafka: Kafka, topic: str, options: tuple[str, ...]) -> list[tuple[object, ...]]:
    """Each record; its partition and timestamp if the options say what they are."""
    timed = "-J" in options
    placed = timed or "-p" in options
    return sorted(
        (repr(r.key), repr(r.value), repr(r.headers), r.timestamp if timed else 0, r.partition if placed else 0)
        for r in kafka.records(topic)
    )


IMPATIENT = ("-X", "message.timeout.ms=8000")


@pytest.mark.parametrize("guarantee", ["alo", "eos"])
def test_failure_is_said_while_the_input_goes_on(tmp_path: Path, guarantee: str) -> None:
    """The broker goes away while produce waits for input: that is said when the delivery fails, and records are kept.

    A transaction cannot be completed any more: exactly-once ends by itself, with exit 4.
    """
    kept = tmp_path / "kept"
    keeps = [] if guarantee == "eos" else ["--undelivered", str(kept)]
    with Sandbox() as sandbox:
        kafka = Kafka(sandbox.bootstrap)
        topic = kafka.topic()
        args = [KDG, "produce", topic, "-g", guarantee, *IMPATIENT, *keeps]
        with Fed(args, kafka.environment(), subprocess.PIPE, None) as run:
            run.feed(lines(1))
            assert eventually(lambda: kafka.values(topic, "read_uncommitted") == lines(1))
            sandbox.brokers[0].kill()
            run.feed(lines(3, 1))
            if guarantee == "eos":
                done = run.end(40)  # its input is still open
                assert done.code == 4
                assert "3 records of it could not be delivered, such as line 2" in done.err
                return
            assert eventually(lambda: "3 records were not delivered so far, such as line 2" in run.err, 12)
            assert run.running
            assert kept.read_bytes() == text(lines(3, 1))
            done = run.done()
            assert done.code == 3
            assert done.err.count("not delivered so far") == 1
            assert kept.read_bytes() == text(lines(3, 1))


def test_refused_record_is_said_while_the_input_goes_on(kafka: Kafka, tmp_path: Path) -> None:
    """A record that the broker refuses: those around it arrive, and it is kept, while produce waits for input."""
    topic, kept = kafka.topic(max_message_bytes="1000"), tmp_path / "kept"
    args = [KDG, "produce", topic, "--undelivered", str(kept)]
    with Fed(args, kafka.environment(), subprocess.PIPE, None) as run:
        run.feed([b"a", b"x" * 5000, b"b"])
        assert eventually(lambda: "1 record was not delivered so far, such as line 2" in run.err, 20)
        assert kept.read_bytes() == text([b"x" * 5000])
        assert kafka.values(topic) == [b"a", b"b"]
        run.feed([b"c"])
        assert run.done().code == 3
        assert kafka.values(topic) == [b"a", b"b", b"c"]


def test_failure_is_said_while_a_command_works(group: str, tmp_path: Path) -> None:
    """`pipe -- CMD`: records of an earlier chunk fail while CMD takes long over the next one: the run ends."""
    with Sandbox() as sandbox:
        kafka = Kafka(sandbox.bootstrap)
        source, target = kafka.filled(lines(40_000)), kafka.topic()
        freezes = f"if [ -e $0 ]; then sleep 100; else touch $0; kill -STOP {sandbox.brokers[0].pid}; fi; cat"
        args = ["pipe", source, target, "-G", group, "--batch-records", "40000", *IMPATIENT, "--lines"]
        with kafka.start(*args, "--", "sh", "-c", freezes, str(tmp_path / "flag")) as run:
            done = run.end(60)
        sandbox.brokers[0].resume()
        assert done.code == 3, done
        assert "were not delivered" in done.err
