"""Owns opening a run of kdg over the model: the real loop, the real ports, and the library below them replaced.

It follows kdg/cli/commands/produce.py, consume.py and pipe.py; what they call before the loop begins is called here too.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kdg.core.crash.world import SHAPES
from kdg.core.cycle import Cycle
from kdg.core.guarantees import Guarantee, Role
from kdg.core.interval import Interval
from kdg.core.ports import NoTransaction
from kdg.core.progress import Limits
from kdg.core.pump import Pump
from kdg.core.records import Batch
from kdg.formats.lines import LineDecoder
from kdg.kafka.client import Watch
from kdg.kafka.consumer import KafkaConsumer
from kdg.kafka.library import OnDelivery
from kdg.kafka.resume import ResumeStore
from kdg.kafka.source import KafkaSource
from kdg.kafka.stop_offsets import StopOffsets
from kdg.kafka.target import KafkaTarget, ProducerHandle, UndeliveredRecord, abort_on_failure, stop_on_failure
from kdg.kafka.topic_ids import TopicIds
from kdg.kafka.transaction import KafkaTransaction
from kdg.runs import kafka_source
from kdg.runtime.deadline import Deadline
from kdg.sources.descriptor import Input
from kdg.sources.start_offsets import BEGINNING

from .consumer import SimConsumer
from .groups import Group, Place
from .producer import SimProducer
from .world import Process, World

T = TypeVar("T")
TIMEOUT = 3.0
"""transaction.timeout.ms in seconds."""


@dataclass(slots=True)
class Scene:
    """What the runs of a history share.

    printed: what `consume` wrote out; gone: what was deleted with its topic; unsent: what `produce` reported as undelivered.
    """

    world: World
    row: Guarantee
    command: str
    batch: int
    fixed_id: bool
    group: Group
    text: bytes = b""
    printed: list[bytes] = field(default_factory=list)
    gone: set[bytes] = field(default_factory=set)
    unsent: dict[Process, list[UndeliveredRecord]] = field(default_factory=dict)

    @property
    def cycle(self) -> Cycle:
        """The cycle that the command runs under the row."""
        return SHAPES[self.command].cycle(self.row)

    @property
    def consumes(self) -> bool:
        """Whether it reads through a group."""
        return not self.command.startswith("produce")


@dataclass(slots=True)
class SimClients:
    """The Clients of one process over the model."""

    world: World
    process: Process
    group: Group

    def producer(self, settings: Mapping[str, str], watch: Watch, on_delivery: OnDelivery) -> Any:
        """A producer of the model."""
        return SimProducer(self.world, self.process, settings, watch, on_delivery)

    def consumer(self, _settings: Mapping[str, str], _watch: Watch) -> Any:
        """A consumer of the model."""
        return SimConsumer(self.world, self.process, self.group)

    def admin(self, _settings: Mapping[str, str], _watch: Watch) -> Any:
        """An admin client of the model."""
        return SimAdmin(self.world)


@dataclass(slots=True)
class SimLookup:
    """Stands in for kdg.kafka.lookup.Lookup."""

    world: World

    def ends(self, places: Iterable[Place]) -> dict[Place, int]:
        """As a read_uncommitted reader sees them."""
        return {place: len(self.world.cluster.logs[place].entries) for place in places}

    def may_use(self, _group: str) -> None:
        """It may."""

    def starts(self, places: Iterable[Place], _start: object) -> dict[Place, int]:
        """The beginning."""
        return {place: self.world.cluster.logs[place].start for place in places}


@dataclass(slots=True)
class SimAdmin:
    """Stands in for AdminClient where a topic's id is asked."""

    world: World

    def describe_topics(self, _topics: Any, **_options: Any) -> dict[str, Future[Any]]:
        """As AdminClient.describe_topics, of all topics."""
        found: dict[str, Future[Any]] = {}
        for topic, number in self.world.cluster.topics.items():
            found[topic] = Future()
            found[topic].set_result(types.SimpleNamespace(topic_id=number))
        return found


@dataclass(slots=True)
class Sink:
    """Where `consume` prints: record by record, so that a crash leaves a part."""

    scene: Scene
    process: Process

    def write(self, batch: Batch) -> None:
        """See Target."""
        for value in batch.values:
            self.scene.world.pass_by(self.process)
            if value is not None:
                self.scene.printed.append(value)

    def flush(self) -> None:
        """See Target."""
        self.scene.world.pass_by(self.process)

    def close(self) -> None:
        """See Target."""


def settings_of(scene: Scene, process: Process) -> dict[str, str]:
    """The producer's settings, as the row has them."""
    settings = {setting.name: setting.value for setting in scene.row.settings(Role.PRODUCER)}
    if not scene.row.transactional:
        return {name: value for name, value in settings.items() if name != "transactional.id"}
    fixed = scene.fixed_id or scene.command == "produce --resume"
    name = "kdg.id" if fixed else f"kdg.{process.name}"
    return settings | {"transactional.id": name, "transaction.timeout.ms": str(int(TIMEOUT * 1000))}


def _target(scene: Scene, process: Process, deadline: Deadline) -> KafkaTarget:
    handle = ProducerHandle(settings_of(scene, process), SimClients(scene.world, process, scene.group))
    unsent = scene.unsent.setdefault(process, [])
    on_failure: Any = unsent.extend
    if scene.row.transactional:
        on_failure = abort_on_failure
    elif scene.consumes and not scene.row.may_lose:
        on_failure = stop_on_failure
    return KafkaTarget(handle, "target", deadline, on_failure, settle_seconds=TIMEOUT if scene.row.transactional else None)  # fmt: skip


def _transaction(scene: Scene, target: KafkaTarget, deadline: Deadline) -> Any:
    if not scene.row.transactional:
        return NoTransaction()
    transaction = KafkaTransaction(target.handle, deadline, TIMEOUT)
    transaction.start()
    return transaction


def _pump(scene: Scene, process: Process, source: Any, target: Any, transaction: Any) -> Pump:
    return Pump(
        cycle=scene.cycle,
        source=source,
        target=target,
        transaction=transaction,
        interval=Interval(scene.batch, 1.0),
        limits=Limits(whole_within=0.9 * TIMEOUT if scene.cycle.whole else None),
        signals=process.signals,
        clock=scene.world.cluster.clock.monotonic,
    )


def open_reader(scene: Scene, process: Process) -> Pump:
    """`kdg consume -G`, `kdg pipe`: both with `-e`."""
    world = scene.world
    deadline = Deadline(process.signals, clock=world.cluster.clock, background=_at_once)
    target: Any = Sink(scene, process)
    transaction: Any = NoTransaction()
    if scene.command == "pipe":
        target = _target(scene, process, deadline)
        transaction = _transaction(scene, target, deadline)
    consumer: Any = SimConsumer(world, process, scene.group)
    lookup: Any = SimLookup(world)
    ends = StopOffsets(lookup, lambda _line: None, deadline.clock)
    admin: Any = SimAdmin(world)
    topic_ids = TopicIds(admin, {"source"}, deadline.clock)
    topic_ids.check()
    places = world.cluster.places("source")
    ends.at_end_now(places)
    cooperative = "cooperative-sticky" if scene.group.protocol.value != "eager" else "range"
    frame: Any = types.SimpleNamespace(note=lambda _line: None, value=lambda _role, _name: cooperative)
    plan: Any = types.SimpleNamespace(start=BEGINNING, start_given=False)
    wanted = kafka_source.Wanted(["source"], frozenset())
    reader = KafkaConsumer(consumer, Watch(), deadline, lookup, scene.group.name, lambda _line: None)
    reading = kafka_source._reading(frame, plan, wanted, places, reader)  # noqa: SLF001  # what the commands call
    source = KafkaSource(reader, reading, ends, topic_ids, wanted.columns)
    if scene.row.transactional:
        transaction.group_metadata = source.group_metadata
    pump = _pump(scene, process, source, target, transaction)
    source.begin(pump.on_rebalance)
    return pump


def open_writer(scene: Scene, process: Process) -> Pump:
    """`kdg produce`, with `--resume` where the command says so."""
    world = scene.world
    deadline = Deadline(process.signals, clock=world.cluster.clock, background=_at_once)
    target = _target(scene, process, deadline)
    signals: Any = process.signals
    source = Input(0, "input", LineDecoder(b"\n"), signals, scene.row.transactional, read_bytes=Tape(scene.text).read)
    transaction = _transaction(scene, target, deadline)
    if scene.command == "produce --resume":
        consumer: Any = SimConsumer(world, process, scene.group)
        store = ResumeStore(consumer, consumer, scene.group.name, "target", deadline)
        transaction.group_metadata = store.group_metadata
        source.store = store
        if (mark := store.load()) is not None:
            source.skip(mark)
    return _pump(scene, process, source, target, transaction)


class Tape:
    """The input of `produce`, read as os.read reads a descriptor."""

    def __init__(self, text: bytes) -> None:
        self._left = text

    def read(self, _descriptor: int, size: int) -> bytes:
        """The next bytes, at most `size`; none at the end."""
        data, self._left = self._left[:size], self._left[size:]
        return data


def _at_once(call: Callable[[], T], /) -> Future[T]:
    """The Background of a run over the model, whose calls return by themselves."""
    outcome: Future[T] = Future()
    try:
        outcome.set_result(call())
    except Exception as exc:  # noqa: BLE001  # the exception, whatever it is, belongs to the caller
        outcome.set_exception(exc)
    return outcome
