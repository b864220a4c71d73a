"""SIGINT, SIGTERM and SIGHUP in every state of a run: it settles, and ends by the same signal within 10 s."""

from __future__ import annotations

import fcntl
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, GUARANTEES, Guarantee
from kdg.runtime.signals import CAUGHT
from tests.support.kafka import Kafka
from tests.support.machine import is_running
from tests.support.processes import QUICK_GROUP, lines, text
from tests.support.waiting import eventually

if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # the tests run under nohup, and kdg would ignore it, too
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
SIGNALS = pytest.mark.parametrize("signum", CAUGHT, ids=lambda signum: signum.name)
each_guarantee = pytest.mark.parametrize("guarantee", GUARANTEES, ids=[each.name for each in GUARANTEES])
with_group = pytest.mark.parametrize("guarantee", [AT_MOST_ONCE, AT_LEAST_ONCE], ids=lambda each: each.name)


@pytest.fixture
def silent_broker() -> Iterator[tuple[str, threading.Event]]:
    """An address where a server accepts connections and never answers. The event is set when a client has connected."""
    came = threading.Event()
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    taken.append(server.accept()[0])
                except OSError:
                    return
                came.set()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}", came
        server.shutdown(socket.SHUT_RDWR)
    thread.join(10)
    for connection in taken:
        connection.close()


def fill_of(pipe: int) -> int:
    """The number of bytes in a pipe."""
    return int(struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0])


def full(pipe: int) -> bool:
    """Whether nothing more fits in: how many bytes that are depends on the sizes of the writes."""
    before = fill_of(pipe)
    time.sleep(0.5)
    return fill_of(pipe) == before > 30_000


@SIGNALS
@with_group
def test_consume_ends_by_the_signal(kafka: Kafka, group: str, guarantee: Guarantee, signum: int) -> None:
    """A waiting consume ends by the signal; the records it printed are committed."""
    topic = kafka.filled(lines(100))
    with kafka.start("consume", topic, "-G", group, "-g", guarantee.name) as run:
        assert eventually(lambda: run.out == text(lines(100)))
        run.signal(signum)
        done = run.end(10)
    assert done.code == -signum
    assert done.out == text(lines(100))
    assert kafka.committed(group, topic) == {0: 100}


@SIGNALS
@with_group
def test_consume_interrupted_commits_what_it_printed(
    kafka: Kafka, group: str, guarantee: Guarantee, signum: int
) -> None:
    """A consume that is interrupted while records flow has committed exactly the records it printed."""
    topic = kafka.filled(lines(100_000))
    args = ["consume", topic, "-G", group, "-g", guarantee.name, "--batch-records", "100"]
    with kafka.start(*args) as run:
        assert eventually(lambda: len(run.out) > 14_000)
        run.signal(signum)
        done = run.end(10)
    assert done.code == -signum
    position = kafka.committed(group, topic)[0]
    assert position < 100_000, "the signal has to come while records flow"
    assert done.out == text(lines(position))


@SIGNALS
@each_guarantee
def test_pipe_interrupted_settles_what_it_wrote(kafka: Kafka, group: str, guarantee: Guarantee, signum: int) -> None:
    """A pipe that is interrupted while records flow has settled exactly the records it wrote."""
    sent = lines(60_000)
    source, target = kafka.filled(sent), kafka.topic()
    args = ["pipe", source, target, "-G", group, "-g", guarantee.name, "--batch-records", "100"]
    with kafka.start(*args) as run:
        assert eventually(lambda: kafka.ends(target)[0] > 100)
        run.signal(signum)
        done = run.end(10)
    assert done.code == -signum
    position = kafka.committed(group, source)[0]
    assert position < len(sent), "the signal has to come while records flow"
    assert kafka.ends(target, "read_committed") == kafka.ends(target), "no transaction is left open"
    assert kafka.values(target) == sent[:position]
    assert kafka.members(group) == 0


@SIGNALS
@each_guarantee
def test_produce_on_stdin_ends_by_the_signal(kafka: Kafka, guarantee: Guarantee, signum: int) -> None:
    """A produce that waits for stdin ends by the signal; an incomplete transaction is not visible."""
    topic = kafka.topic()
    with kafka.start("produce", topic, "-g", guarantee.name, stdin=subprocess.PIPE) as run:
        assert run.process.stdin
        run.process.stdin.write(b"a\nb\n")
        run.process.stdin.flush()
        # Under every guarantee the records reach the log at once, where a read_uncommitted reader sees them.
        assert eventually(lambda: kafka.values(topic, "read_uncommitted") == [b"a", b"b"])
        run.signal(signum)
        done = run.end(10)
    assert done.code == -signum
    assert kafka.ends(topic, "read_committed") == kafka.ends(topic)
    assert kafka.values(topic) == ([] if guarantee.transactional else [b"a", b"b"])


@SIGNALS
def test_produce_resume_interrupted_goes_on(kafka: Kafka, group: str, signum: int) -> None:
    """An interrupted produce --resume has committed the records it read; the next run continues after them."""
    topic = kafka.topic()
    args = ["produce", topic, "-g", "eos", "--resume", group]
    with kafka.start(*args, stdin=subprocess.PIPE) as run:
        assert run.process.stdin
        run.process.stdin.write(b"a\nb\n")
        run.process.stdin.flush()
        assert eventually(lambda: kafka.values(topic) == [b"a", b"b"])
        run.signal(signum)
        assert run.end(10).code == -signum
    kafka.ok(*args, input=b"a\nb\nc\n")
    assert kafka.values(topic) == [b"a", b"b", b"c"]


@SIGNALS
@pytest.mark.parametrize(("command", "guarantee"), list(zip(["produce", "consume", "pipe"], GUARANTEES, strict=True)))
def test_waiting_for_a_broker_ends_by_the_signal(
    kafka: Kafka, silent_broker: tuple[str, threading.Event], guarantee: Guarantee, signum: int, command: str
) -> None:
    address, came = silent_broker
    args = {"produce": ["t"], "consume": ["t"], "pipe": ["t", "u", "-G", "g"]}[command]
    with kafka.start(command, *args, "-g", guarantee.name, "-b", address) as run:
        assert came.wait(20)
        run.signal(signum)
        assert run.end(10).code == -signum


@SIGNALS
@pytest.mark.parametrize("with_a_group", [True, False], ids=["group", "no group"])
def test_blocked_stdout_ends_by_the_signal(kafka: Kafka, group: str, signum: int, with_a_group: bool) -> None:
    """A consume whose reader has stopped reading ends by the signal and commits only whole batches that it wrote."""
    topic = kafka.filled(lines(30_000))
    args = ["consume", topic, *(["-G", group, *QUICK_GROUP, "--batch-records", "1000"] if with_a_group else [])]
    with kafka.start(*args, stdout=subprocess.PIPE) as run:
        assert run.process.stdout
        pipe = run.process.stdout.fileno()
        assert eventually(lambda: full(pipe))
        run.signal(signum)
        done = run.end(10)
        taken = run.process.stdout.read()
    assert done.code == -signum
    if with_a_group:
        position = kafka.committed(group, topic)[0]
        assert position % 1000 == 0
        assert taken.startswith(text(lines(position)))


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_gives_up_at_once(kafka: Kafka, group: str, signum: int) -> None:
    """A second SIGHUP does not count: a terminal that closes sends it twice (tests/unit/test_signals.py)."""
    topic = kafka.filled(lines(30_000))
    with kafka.start("consume", topic, "-G", group, stdout=subprocess.PIPE) as run:
        assert run.process.stdout
        pipe = run.process.stdout.fileno()
        assert eventually(lambda: full(pipe))
        # After the first signal kdg waits 3 s for the reader. Two equal signals at the same time count as one.
        assert eventually(lambda: run.signal(signum) or not run.running, 2)  # type: ignore[func-returns-value]
        assert run.end().code == -signum


@SIGNALS
def test_consume_behind_an_open_transaction_is_ended(kafka: Kafka, signum: int) -> None:
    topic = kafka.topic()
    producer = kafka.transaction()
    producer.produce(topic, b"inside")
    producer.flush(30)
    with kafka.start("consume", topic, "-e") as run:
        assert eventually(lambda: "waiting for an open transaction" in run.err)
        run.signal(signum)
        assert run.end(10).code == -signum
    producer.abort_transaction(30)


@SIGNALS
def test_command_feeding_produce_ends_with_it(kafka: Kafka, tmp_path: Path, signum: int) -> None:
    """When produce ends by a signal, its command ends, too, and the records are not visible."""
    topic, pid = kafka.topic(), tmp_path / "pid"
    script = f"echo $$ > {pid}.part; mv {pid}.part {pid}; echo a; exec sleep 600"
    with kafka.start("produce", topic, "-g", "eos", "--", "sh", "-c", script) as run:
        assert eventually(lambda: pid.exists() and kafka.values(topic, "read_uncommitted") == [b"a"])
        run.signal(signum)
        assert run.end(10).code == -signum
    assert not is_running(int(pid.read_text()))
    assert kafka.settled_values(topic) == []


ANNOUNCED = (sys.executable, "-c", "import os, kdg.__main__ as kdg; os.write(1, b'.'); kdg.main()")
"""kdg, which prints a dot when the interpreter has started and kdg's own start begins."""


def test_interrupt_during_the_start_prints_no_traceback(kafka: Kafka) -> None:
    """SIGINT at any moment of the start prints no traceback."""
    topic = kafka.topic()
    for moment in range(8):
        with kafka.start("consume", topic, argv=ANNOUNCED) as run:
            assert eventually(lambda: run.out == b".")
            threading.Event().wait(moment * 0.05)  # moments of the start; nothing shows when they have come
            run.signal(signal.SIGINT)
            assert run.end(10).code == -signal.SIGINT
