"""kcat reads the records that kdg writes, and the other way round. kcat has to be on the PATH."""

from __future__ import annotations

import subprocess

from tests.broker.records import filled, told
from tests.support.kafka import Kafka
from tests.support.processes import lines, text

FORMAT = r"%t %p %o %T %K|%k|%S|%s|%h\n"


def kcat(kafka: Kafka, *args: str, input: bytes = b"") -> bytes:  # noqa: A002  # as subprocess calls it
    argv = ["kcat", "-q", "-b", kafka.bootstrap, *args]
    done = subprocess.run(argv, input=input, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_kcat_reads_what_kdg_wrote_in_transactions(kafka: Kafka) -> None:
    topic = kafka.topic()
    kafka.ok("produce", topic, "-g", "eos", "-K", ":", "-Z", input=b"k:v\n:\nk2:\n")
    shown = kcat(kafka, "-C", "-t", topic, "-e", "-Z", "-f", "%k=%s\n")
    assert shown == b"k=v\nNULL=NULL\nk2=NULL\n"


def test_kdg_reads_what_kcat_wrote(kafka: Kafka) -> None:
    topic = kafka.topic()
    kcat(kafka, "-P", "-t", topic, "-K", ":", "-Z", "-H", "h=1", input=b"k:v\nk2:\n")
    assert kafka.ok("consume", topic, "-e", "-Z", "-f", r"%k=%s %h\n").out == b"k=v h=1\nk2=NULL h=1\n"


def test_both_print_the_same_for_the_same_tokens(kafka: Kafka) -> None:
    """kcat and kdg print the same for the same tokens.

    The records have no header with a null value, which kcat cannot print.
    """
    topic = kafka.topic()
    kafka.produce(topic, lines(500), headers=[("a", b"1"), ("b", b"")], key=b"k", timestamp=1_700_000_000_000)
    ours = kafka.ok("consume", topic, "-e", "-f", FORMAT).out
    theirs = kcat(kafka, "-C", "-t", topic, "-e", "-f", FORMAT)
    assert ours == theirs


def test_lines_go_from_one_to_the_other(kafka: Kafka) -> None:
    topic, copy = kafka.filled(lines(2000)), kafka.topic()
    kafka.ok("produce", copy, input=kcat(kafka, "-C", "-t", topic, "-e"))
    assert kafka.values(copy) == lines(2000)
    again = kafka.topic()
    kcat(kafka, "-P", "-t", again, "-l", "/dev/stdin", input=kafka.ok("consume", topic, "-e").out)
    assert kcat(kafka, "-C", "-t", again, "-e") == text(lines(2000))


def test_the_configuration_of_kcat_is_understood(kafka: Kafka, tmp_path: object) -> None:
    file = f"{tmp_path}/kcat.conf"
    with open(file, "w") as out:  # noqa: PTH123  # one line
        out.write(f"bootstrap.servers={kafka.bootstrap}\nlinger.ms=1\n")
    topic = kafka.topic()
    assert kafka.kdg("produce", topic, "-F", file, input=b"a\n", env={"KDG_BROKERS": ""}).code == 0
    argv = ["kcat", "-q", "-F", file, "-C", "-t", topic, "-e"]
    assert subprocess.run(argv, capture_output=True, timeout=60, check=True).stdout == b"a\n"


def test_any_record_that_kdg_copied_is_the_same_for_kcat(kafka: Kafka) -> None:
    topic, copy = filled(kafka, 1000, 1), kafka.topic(retention_ms="-1")
    kafka.ok("pipe", topic, copy, "-G", "copy", "-e")
    assert told(kafka, copy) == told(kafka, topic)
    tokens = "%K %S %R%k%s%T\n"
    assert kcat(kafka, "-C", "-t", copy, "-e", "-f", tokens) == kcat(kafka, "-C", "-t", topic, "-e", "-f", tokens)
    assert kafka.ok("consume", copy, "-e", "-f", tokens).out == kcat(kafka, "-C", "-t", copy, "-e", "-f", tokens)
