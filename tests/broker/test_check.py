"""`kdg check` against a real broker: each configuration goes through faults; check says what is lost or duplicated.

The programs are plain confluent_kafka (careless.py), killed with SIGKILL; the broker is frozen and killed. Where a
configuration leaves it to the code, the program is the one that check asks for.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Message, Producer

from kdg.core.guarantees import GUARANTEES, Guarantee, Role
from kdg.sandbox import Sandbox
from kdg.sandbox.broker import Broker
from tests.support.kafka import Kafka
from tests.support.processes import lines

CARELESS = Path(__file__).with_name("careless.py")
AMO, ALO, EOS = GUARANTEES
COUNT = 25


@dataclass(frozen=True)
class Cluster:
    """A broker of this module's own: it is frozen and killed here."""

    kafka: Kafka
    broker: Broker


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Sandbox() as sandbox:
        yield Cluster(Kafka(sandbox.bootstrap), sandbox.brokers[0])


def reaches(cluster: Cluster, row: Guarantee, config: dict[str, str], role: Role) -> bool:
    """What check says of a configuration: exit 0 or 10."""
    pairs = [part for name, value in {"client.id": "x", **config}.items() for part in ("-X", f"{name}={value}")]
    done = cluster.kafka.kdg("check", "-g", row.name, "--client", "librdkafka", "--role", role.value, *pairs)
    assert done.code in (0, 10), done
    return done.code == 0


@dataclass
class Seen:
    """What was lost or duplicated in the faults so far."""

    lost: bool = False
    duplicated: bool = False
    detail: list[str] = field(default_factory=list)

    def add(self, fault: str, wanted: Iterable[bytes], found: Iterable[bytes | None]) -> None:
        """Count the records after one fault."""
        counts = Counter(value for value in found if value is not None)
        lost = [value for value in wanted if not counts[value]]
        duplicated = [value for value, number in counts.items() if number > 1]
        self.lost, self.duplicated = self.lost or bool(lost), self.duplicated or bool(duplicated)
        self.detail.append(f"{fault}: lost {len(lost)}, duplicated {len(duplicated)}")

    def breaks(self, row: Guarantee) -> bool:
        """Whether the guarantee does not permit that."""
        return (self.lost and not row.may_lose) or (self.duplicated and not row.may_duplicate)


# ── consumers ──


@dataclass(frozen=True)
class Case:
    """A consumer's configuration, the program around it, its faults, and the guarantees to be compared."""

    name: str
    config: dict[str, str]
    program: str
    faults: Sequence[str]
    rows: Sequence[Guarantee] = GUARANTEES


FROM_THE_BEGINNING = {"auto.offset.reset": "earliest"}
"""With `latest`, the default, records that came before the first commit are skipped: no guarantee is reached."""
BY_HAND = {"enable.auto.commit": "false", **FROM_THE_BEGINNING}
STORED_BY_HAND = {"auto.commit.interval.ms": "300", "enable.auto.offset.store": "false", **FROM_THE_BEGINNING}
CONSUMERS = [
    Case("as it comes", {"auto.commit.interval.ms": "300"}, "auto", ("working", "done")),
    Case("no timer, but close()", {"auto.commit.interval.ms": "0"}, "auto", ("close", "done")),
    Case("stored after the work", STORED_BY_HAND, "store", ("working", "done")),
    Case("committed after the work", BY_HAND, "after", ("working", "done"), (ALO,)),
    Case("committed before the work", BY_HAND, "before", ("working", "done"), (AMO,)),
]  # fmt: skip


def careless(cluster: Cluster, **arguments: Any) -> int:
    """The exit status of the program (careless.py) with these arguments."""
    config = {"bootstrap.servers": cluster.kafka.bootstrap, **arguments.pop("config")}
    argv = [sys.executable, str(CARELESS), json.dumps({"producer": None, "die": "", **arguments, "config": config})]
    done = subprocess.run(argv, capture_output=True, timeout=60, check=False)
    assert done.returncode in (0, -9), done.stderr.decode()
    return done.returncode


@pytest.mark.parametrize("case", CONSUMERS, ids=lambda case: case.name)
def test_a_consumer_loses_and_duplicates_what_check_says(cluster: Cluster, case: Case, tmp_path: Path) -> None:
    values = lines(COUNT)
    topic = cluster.kafka.filled(values)
    seen = Seen()
    for fault in case.faults:
        out, config = tmp_path / fault, {**case.config, "group.id": f"g-{secrets.token_hex(4)}"}
        program = {"config": config, "topic": topic, "out": str(out), "program": case.program}
        assert careless(cluster, **program, die=fault) == (0 if fault == "close" else -9)
        assert careless(cluster, **program) == 0
        seen.add(fault, values, out.read_bytes().splitlines())
    for row in case.rows:
        said = reaches(cluster, row, {**case.config, "group.id": "g"}, Role.CONSUMER)
        assert said is not seen.breaks(row), (row.name, seen.detail)


@pytest.mark.parametrize(
    ("consumer", "faults"),
    [
        ({**BY_HAND}, ("working", "done", "abort")),
        ({"enable.auto.commit": "true", "auto.commit.interval.ms": "100"}, ("abort",)),
    ],
    ids=["positions in the transaction", "auto-commit beside the transaction"],
)
def test_pipe_judged_without_auto_commit(cluster: Cluster, consumer: dict[str, str], faults: Sequence[str]) -> None:
    """A transactional pipe is exactly once only without auto commit."""
    values = lines(COUNT)
    topic = cluster.kafka.filled(values)
    seen = Seen()
    for fault in faults:
        out = cluster.kafka.topic()
        config = {**consumer, "group.id": f"g-{secrets.token_hex(4)}"}
        producer = {"bootstrap.servers": cluster.kafka.bootstrap, "transactional.id": f"x-{secrets.token_hex(4)}"}
        arguments = {"config": config, "producer": producer, "topic": topic, "out": out, "program": "transaction"}
        assert careless(cluster, **arguments, die=fault) == -9
        assert careless(cluster, **arguments) == 0
        seen.add(fault, values, cluster.kafka.settled_values(out))
    reader = reaches(cluster, EOS, {**consumer, "group.id": "g"}, Role.CONSUMER)
    writer = reaches(cluster, EOS, {"transactional.id": "x"}, Role.PRODUCER)
    assert (reader and writer) is not seen.breaks(EOS), seen.detail


@pytest.mark.parametrize("isolation", ["read_committed", "read_uncommitted"])
def test_a_reader_of_what_is_not_committed_undoes_exactly_once(cluster: Cluster, isolation: str) -> None:
    topic, values = cluster.kafka.topic(), lines(5)
    producer = cluster.kafka.transaction()
    for end in (producer.abort_transaction, producer.commit_transaction):
        for value in values:
            producer.produce(topic, value)
        producer.flush(30)
        end(30)
        if end == producer.abort_transaction:
            producer.begin_transaction()
    seen = Seen()
    seen.add("an abort, and sent anew", values, cluster.kafka.values(topic, isolation))
    config = {**BY_HAND, "group.id": "g", "isolation.level": isolation}
    assert reaches(cluster, EOS, config, Role.CONSUMER) is not seen.breaks(EOS), seen.detail


# ── producers ──

PRODUCERS: dict[str, dict[str, str]] = {
    "as it comes": {},
    "idempotent": {"enable.idempotence": "true"},
    "no retry": {"acks": "all", "message.send.max.retries": "0"},
    "unconfirmed": {"acks": "0"},
}


SOCKET_SECONDS = 1


@dataclass
class Sender:
    """A producer with one configuration, and the delivery reports that its program received."""

    config: dict[str, str]
    bootstrap: str
    topic: str
    reported: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        quick = {
            "socket.timeout.ms": str(1000 * SOCKET_SECONDS),
            "reconnect.backoff.max.ms": "200",
            "linger.ms": "0",
        }
        self.producer = Producer({"bootstrap.servers": self.bootstrap, **quick, **self.config})
        self.producer.list_topics(self.topic, timeout=30)

    def send(self, value: bytes) -> None:
        """Hand it over and let the library work."""
        self.producer.produce(self.topic, value, on_delivery=self._report)
        self.producer.poll(0)

    def _report(self, error: object, _message: Message) -> None:
        self.reported.append(error is None)


def test_a_producer_loses_and_duplicates_what_check_says(cluster: Cluster) -> None:
    """The broker is frozen with a request on its way and answers too late; it is killed with one and never answers.

    It also refuses a record that is too large.
    """
    values = [b"frozen", b"killed", b"x" * 2000]
    # The connection is up before the fault: the request is on its way when it comes.
    senders = {
        name: Sender(config, cluster.kafka.bootstrap, cluster.kafka.topic(max_message_bytes="1000"))
        for name, config in PRODUCERS.items()
    }
    for sender in senders.values():
        sender.send(b"first")
        assert sender.producer.flush(30) == 0
    _frozen(cluster, senders.values())
    _killed(cluster, senders.values())
    for sender in senders.values():
        sender.send(values[2])
        sender.producer.flush(30)
    for name, sender in senders.items():
        seen = Seen()
        found = [value[:6] for value in cluster.kafka.values(sender.topic) if value is not None]
        # The program may send a record again whose report has an error; it will not if the report has none.
        refused = [] if not sender.reported[-1] else [values[2][:6]]
        seen.add("frozen, killed, refused", [b"frozen", b"killed", *refused], found)
        if name == "idempotent":
            _restarted(cluster, sender, seen)
        for row in GUARANTEES:
            assert reaches(cluster, row, sender.config, Role.PRODUCER) is not seen.breaks(row), (name, row.name, seen)


def _frozen(cluster: Cluster, senders: Iterable[Sender]) -> None:
    cluster.broker.pause()
    try:
        for sender in senders:
            sender.send(b"frozen")
        # The library looks for overdue requests once a second; it does not report when it gives one up and repeats it.
        time.sleep(4 * SOCKET_SECONDS)
    finally:
        cluster.broker.resume()
    for sender in senders:
        sender.producer.flush(30)


def _killed(cluster: Cluster, senders: Iterable[Sender]) -> None:
    for sender in senders:  # connected again, to the leader
        sender.send(b"again")
        assert sender.producer.flush(30) == 0
    cluster.broker.pause()
    for sender in senders:
        sender.send(b"killed")
        sender.producer.poll(0.1)
    cluster.broker.kill()
    cluster.broker.start()
    cluster.broker.wait_ready()
    for sender in senders:
        sender.producer.flush(30)


def _restarted(cluster: Cluster, sender: Sender, seen: Seen) -> None:
    """A program that does not know whether it has sent a record sends it again."""
    again = Sender(sender.config, sender.bootstrap, sender.topic)
    again.send(b"first")
    assert again.producer.flush(30) == 0
    seen.add("restarted", [b"first"], cluster.kafka.values(sender.topic))
