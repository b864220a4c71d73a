"""Owns what the runs of a history are given: their plans and options, and surroundings made of the model.

The runs themselves are opened by kdg.runs, as real ones are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import TypeVar

from kdg.core.crash.world import SHAPES
from kdg.core.destinations import DestinationKind
from kdg.core.guarantees import Guarantee, Role
from kdg.core.ports import Work
from kdg.core.progress import Limits
from kdg.core.records import Batch
from kdg.core.state import Cycle
from kdg.formats import Encoder
from kdg.formats.lines import LineDecoder, LineEncoder
from kdg.kafka.client import Watch
from kdg.kafka.library import OnDelivery
from kdg.runs import consume, pipe, produce
from kdg.runs.clients import Surroundings
from kdg.runs.destination import Destination
from kdg.runs.plan import Plan, ReadingPlan
from kdg.runs.resume import group_of
from kdg.runs.session import OpenSession
from kdg.runtime.child import BatchCommand, Span
from kdg.runtime.deadline import Deadline
from kdg.runtime.signals import SignalWaiter
from kdg.settings.resolve import Layer, resolve
from kdg.sources.start_offsets import BEGINNING

from .admin import SimAdmin
from .consumer import SimConsumer
from .groups import Group, Protocol
from .membership import MOST_POLL_SECONDS
from .process import Process
from .producer import SimProducer
from .world import World

T = TypeVar("T")
TIMEOUT = 3.0
"""transaction.timeout.ms in seconds."""
RESUME = "input"
"""The NAME of `produce --resume`."""
GROUP = "g"
"""The group of consume and pipe."""
PROTOCOLS = {
    Protocol.EAGER: {"partition.assignment.strategy": "range"},
    Protocol.COOPERATIVE: {"partition.assignment.strategy": "cooperative-sticky"},
    Protocol.CONSUMER: {"group.protocol": "consumer"},
}


@dataclass(slots=True)
class Scene:
    """What the runs of a history share.

    text: the input of produce. printed: the records that consume has written to stdout, or given to its command.
    slices: how many waits the command of a batch takes; 0 if there is no command.
    """

    world: World
    guarantee: Guarantee
    command: str
    batch: int
    fixed_id: bool
    group: Group
    text: bytes = b""
    printed: list[bytes] = field(default_factory=list)
    slices: int = 0

    @property
    def cycle(self) -> Cycle:
        """The cycle that the command runs under the guarantee."""
        return SHAPES[self.command].cycle(self.guarantee)

    @property
    def consumes(self) -> bool:
        """Whether the command reads through a group."""
        return not self.command.startswith("produce")


def group_name(command: str) -> str:
    """The group in which a command keeps its position."""
    return group_of(RESUME) if command.startswith("produce") else GROUP


# ── what was asked for ──

READING = ReadingPlan(group=GROUP, start=BEGINNING, start_given=False, exit_at_end=True, until=None, limits=Limits())
CONSUME = consume.Options(
    topics=("source",), partitions=(), destination=Destination(DestinationKind.STDOUT), dedup=None
)
PIPE = pipe.Options(
    source="source",
    target="target",
    keep_partition=False,
    cmd=(),
    bare=False,
    ok_exit=frozenset({0}),
    dedup=None,
)
PRODUCE = produce.Options(
    topic="target",
    file=None,
    cmd=(),
    resume=None,
    restart=False,
    undelivered=None,
    allow_unterminated=False,
    partition=-1,
    keep_partition=False,
    count=None,
    again="kdg produce target FILE",
)
CMD = ("work",)
WORKING = replace(CONSUME, destination=Destination(DestinationKind.COMMAND, cmd=CMD))
FILTERING = replace(PIPE, cmd=CMD, bare=True)
RESUMED = replace(PRODUCE, resume=RESUME)
OPEN: Mapping[str, OpenSession] = {
    "consume": partial(consume.open_session, reading=READING, options=CONSUME, encoder=LineEncoder(b"\n")),
    "consume -- CMD": partial(consume.open_session, reading=READING, options=WORKING, encoder=LineEncoder(b"\n")),
    "pipe": partial(pipe.open_session, reading=READING, options=PIPE),
    "pipe -- CMD": partial(pipe.open_session, reading=READING, options=FILTERING),
    "produce": partial(produce.open_session, options=PRODUCE, decoder=LineDecoder(b"\n")),
    "produce --resume": partial(produce.open_session, options=RESUMED, decoder=LineDecoder(b"\n")),
}
"""By command: the function of kdg.runs that opens it."""
ROLES = {"consume": (Role.CONSUMER,), "pipe": (Role.CONSUMER, Role.PRODUCER), "produce": (Role.PRODUCER,)}


def plan_of(scene: Scene, process: Process) -> Plan:
    """The plan of a process: `--strict`, without output on stderr."""
    fixed = scene.fixed_id or scene.command == "produce --resume"
    identity = ("kdg.id" if fixed else f"kdg.{process.name}") if scene.guarantee.transactional else None
    command = scene.command.partition(" ")[0]
    plan = _plan(scene.guarantee, command, scene.batch, scene.group.protocol, identity, works=scene.slices > 0)
    return replace(plan, own_id=True) if identity is not None and not fixed else plan


@lru_cache(maxsize=1024)
def _plan(
    guarantee: Guarantee, command: str, batch: int, protocol: Protocol, identity: str | None, *, works: bool
) -> Plan:
    poll = {"max.poll.interval.ms": str(int(MOST_POLL_SECONDS * 1000))} if works else {}
    if works and protocol is not Protocol.CONSUMER:
        poll["session.timeout.ms"] = poll["max.poll.interval.ms"]
    settings = {
        Role.CONSUMER: {"group.id": GROUP, **PROTOCOLS[protocol], **poll},
        Role.PRODUCER: {}
        if identity is None
        else {"transactional.id": identity, "transaction.timeout.ms": str(int(TIMEOUT * 1000))},
    }
    return Plan(
        command=command,
        guarantee=guarantee,
        clients={
            role: resolve(guarantee, role, command, [Layer("the simulator", settings[role])]) for role in ROLES[command]
        },
        brokers="model",
        batch_records=batch,
        batch_seconds=1.0,
        timeout=None,
        crash_at=None,
        report=None,
        quiet=True,
        verbose=False,
        strict=True,
        dry_run=False,
        progress=False,
    )


# ── what surrounds a run ──


def surroundings_of(scene: Scene, process: Process) -> Surroundings:
    """The model around one process."""
    return Surroundings(
        clients=SimClients(scene.world, process),
        clock=scene.world.cluster.clock,
        background=at_once,
        stdin=lambda: 0,
        read=Tape(scene.text).read,
        stdout=partial(Screen, scene, process),
        command=partial(SimCommand, scene=scene, process=process),
    )


@dataclass(slots=True)
class SimClients:
    """The clients of one process over the model; see kdg.kafka.library.Clients."""

    world: World
    process: Process

    def producer(self, settings: Mapping[str, str], watch: Watch, on_delivery: OnDelivery) -> SimProducer:
        """A producer of the model."""
        return SimProducer(self.world, self.process, settings, watch, on_delivery)

    def consumer(self, settings: Mapping[str, str], _watch: Watch) -> SimConsumer:
        """A consumer of the model."""
        return SimConsumer(self.world, self.process, self.world.cluster.group(settings["group.id"]))

    def admin(self, _settings: Mapping[str, str], _watch: Watch) -> SimAdmin:
        """An admin client of the model."""
        return SimAdmin(self.world.cluster)


class Tape:
    """The input of produce, read as os.read reads a descriptor."""

    def __init__(self, text: bytes) -> None:
        self._left = text

    def read(self, _descriptor: int, size: int) -> bytes:
        """The next bytes, at most `size`; none at the end."""
        data, self._left = self._left[:size], self._left[size:]
        return data


@dataclass(slots=True)
class Screen:
    """The stdout of consume. Records arrive one by one, so that a crash leaves a part of a batch."""

    scene: Scene
    process: Process
    encoder: Encoder
    signals: SignalWaiter
    durable: bool
    deadline: Deadline
    is_pipe: bool = False

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


@dataclass(frozen=True, slots=True)
class SimCommand(BatchCommand):
    """The command of `-- CMD`: it passes records on as they are, one by one, and takes its time."""

    scene: Scene
    process: Process

    def run(self, data: bytes, spans: Sequence[Span]) -> Work[tuple[int, bytes]]:
        """See BatchCommand."""
        world, values = self.scene.world, data.splitlines()
        for slice_ in range(self.scene.slices):
            world.works(self.process)
            yield
            if not self.captured and slice_ < len(values) - 1:
                self.scene.printed.append(values.pop(0))
        world.pass_by(self.process)
        if not self.captured:
            self.scene.printed += values
        return 0, data


def at_once(call: Callable[[], T], /) -> Future[T]:
    """The Background of a run over the model, whose calls return by themselves."""
    outcome: Future[T] = Future()
    try:
        outcome.set_result(call())
    except Exception as exc:  # noqa: BLE001  # the exception, whatever it is, belongs to the caller
        outcome.set_exception(exc)
    return outcome
