"""Owns a history: the random choices of a seed, the network, the faults, and who runs when.

Every call of a client library passes by here, before and after it takes effect: then the process may crash, freeze, be
overtaken by others or meet a fault of the network. That is all the interleaving there is; no threads, no coroutines: whoever
overtakes runs on top of the caller's stack, and a frozen process is one whose caller has not returned yet.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from random import Random
from typing import TYPE_CHECKING, NoReturn

from confluent_kafka import KafkaError

from kdg.core.pump import Pump
from kdg.errors import KdgError
from kdg.runs.session import Frame, OpenSession, Session, close, finish, opened

from .cluster import Cluster, Request
from .conduct import Conduct
from .groups import Place

if TYPE_CHECKING:
    from .consumer import SimConsumer
    from .producer import SimProducer

_TIMED_OUT = KafkaError._TIMED_OUT  # noqa: SLF001  # the library's own name
LONG = 4.0
"""Seconds after which every session and every transaction of a silent process is over."""

PATIENCE = 3
"""Reads in a row that bring nothing, after which nobody is waited for."""


class Crashed(BaseException):
    """The process was killed here."""


class Net(Enum):
    """What the network does to the next request of a process."""

    HOLD = "is cut off and sent again; the first copy arrives later"
    TWICE = "is answered, the answer is cut off, and it is sent again"
    SLOW = "is on its way for long"
    MUTE = "takes effect, and no answer comes"


class Fault(Enum):
    """What may happen at a call of a client library."""

    CRASH = "is killed"
    FREEZE = "is frozen, and expelled"
    SLEEP = "is frozen for a moment"
    OVERTAKE = "is overtaken"
    EXPEL = "is expelled although it runs"
    SIGNAL = "gets a SIGTERM"
    HOLD = Net.HOLD
    TWICE = Net.TWICE
    SLOW = Net.SLOW
    MUTE = Net.MUTE
    STICK = "gets no answer to what it produces"
    LATE = "sees a late request arrive"
    MORE = "sees more input"
    GROW = "sees a new partition"
    RETAIN = "sees old records deleted"
    REMAKE = "will find its topic made again"


class SimSignals:
    """The signals of a process; see kdg.runtime.signals.SignalWaiter."""

    def __init__(self) -> None:
        self.received: int | None = None

    def wait_for(self, descriptor: int, timeout: float, *, writing: bool = False) -> bool:
        """Input is always there."""
        return True


def _no_run(_of: object) -> NoReturn:
    raise AssertionError


class Process:
    """One run of kdg. begin: makes the frame of the run, at its first step. open_session: what kdg.runs opens it with."""

    def __init__(
        self, name: str, begin: Callable[[Process], Frame] = _no_run, open_session: OpenSession = _no_run
    ) -> None:
        self.name = name
        self.signals = SimSignals()
        self.consumer: SimConsumer | None = None
        self.producers: list[SimProducer] = []
        self.begin = begin
        self.open_session = open_session
        self.frame: Frame | None = None
        self.session: Session | None = None
        self.running = False
        self.over = False
        self.crashed = False
        self.net: Net | None = None
        self.cut = False
        self.stick = False

    @property
    def pump(self) -> Pump | None:
        """The loop of the run, once it is open."""
        return None if self.session is None else self.session.pump

    @property
    def error(self) -> KdgError | None:
        """What the run would report."""
        return None if self.frame is None else self.frame.outcome.error


class World:
    """What a history is made of.

    faults: which may happen, each as often as it stands there. budget: how many in all. idle: reads in a row without anything.
    """

    def __init__(self, seed: int, faults: tuple[Fault, ...], suppressed: frozenset[int], *, trace: bool) -> None:
        self.random = Random(seed)  # noqa: S311  # a seed is to give the same history
        self.cluster = Cluster()
        self.conduct = Conduct()
        self.late: list[Request] = []
        self.processes: list[Process] = []
        self.partitions = 1
        self.late_commits = False
        self.faults = faults
        self.budget = 0
        self.struck = 0
        self.bitten: set[Fault] = set()
        self.suppressed = suppressed
        self.history: list[str] | None = [] if trace else None
        self.fuse = 0
        self.gap = 20
        self.idle = 0
        self.next: Fault | None = None
        self.start: Callable[[], Process | None] = lambda: None
        self.feed: Callable[[], None] = lambda: None
        self.grow: Callable[[], None] = lambda: None
        self.retain: Callable[[], None] = lambda: None
        self.remake: Callable[[], None] | None = None
        self.remaking = False

    # ── choices ──

    def coin(self) -> bool:
        """Either."""
        return self.random.random() < 0.5

    def target_partition(self, value: bytes) -> int:
        """The partition that a value goes to: records of one source partition stay together."""
        return value[0] % self.partitions

    def note(self, process: Process | None, text: str) -> None:
        """For the history of a seed that failed."""
        if self.history is not None:
            self.history.append(f"{self.cluster.clock.now:8.3f}  {process.name if process else '-':4} {text}")

    # ── the network ──

    def send(self, process: Process, name: str, call: Callable[[], int], request: Request | None = None) -> int:
        """A request and its answer; `_TIMED_OUT` when there is none yet. request: the same one, asked about again."""
        net, process.net = process.net, None
        if request is not None and (request.mute or request.code is not None):
            return self._answer(request)
        if request is not None and request in self.late:
            self.late.remove(request)
        if net is None:
            return call()
        self.note(process, f"{name} {net.value}")
        return self._disturb(net, process, request or Request(name, call))

    def _answer(self, request: Request) -> int:
        if request.mute or request.code is None:
            request.mute -= 1
            self.cluster.advance(1.0)
            return _TIMED_OUT
        return request.code

    def _disturb(self, net: Net, process: Process, request: Request) -> int:
        if net is Net.SLOW:
            process.cut = process.cut or request.name.startswith("Produce")
            self.late.append(request)
            process.net = Net.SLOW if self.coin() else None
            self.cluster.advance(1.0)
            return _TIMED_OUT
        if net is Net.MUTE:
            request.deliver()
            request.mute = 1 + self.random.getrandbits(3)
            return self._answer(request)
        process.cut = True
        if net is Net.TWICE:
            request.call()
        elif self.late_commits or request.name != "OffsetCommit":
            self.late.append(Request(request.name, request.call))
            self._arrives_soon()
        return request.call()

    def send_blindly(self, process: Process, request: Request) -> None:
        """A request whose answer nobody waits for (acks=0): it may be lost, or late, and is never sent again."""
        net, process.net = process.net, None
        if net is None or net is Net.MUTE:
            request.deliver()
            return
        self.note(process, f"{request.name} {'is lost' if net is Net.TWICE else net.value}")
        if net is not Net.TWICE:
            self.late.append(request)

    def _arrives_soon(self) -> None:
        """A copy that is held up does its worst in the transaction that follows."""
        if self.budget > 0 and self.coin():
            self.next, self.fuse = Fault.LATE, 1 + self.random.getrandbits(4)

    def sticks(self, process: Process) -> bool:
        """Whether the answer to what it produces stays out."""
        stick, process.stick = process.stick, False
        if stick:
            self.note(process, "gets no answer")
        return stick

    def deliver_late(self) -> None:
        """One late request arrives."""
        if self.late:
            request = self.late.pop(self.random.randrange(len(self.late)))
            code = request.deliver()
            self.note(None, f"late {request.name}: {KafkaError(code).name() if code else 'ok'}")

    # ── faults ──

    def pass_by(self, process: Process) -> None:
        """A call of a client library begins, or has taken effect."""
        self.cluster.clock.now += 0.001
        self.fuse -= 1
        if not self.fuse:
            self._strike(process)

    def _strike(self, process: Process) -> None:
        if self.budget <= 0:
            return
        self.fuse = 1 + int(self.random.random() * self.gap)
        self.budget -= 1
        self.struck += 1
        fault, self.next = self.next or self.faults[int(self.random.random() * len(self.faults))], None
        if self.struck in self.suppressed:
            return
        self.note(process, f"#{self.struck} {fault.value.value if isinstance(fault.value, Net) else fault.value}")
        self.bitten.add(fault)
        _STRIKE[fault](self, process)

    def crash(self, process: Process) -> None:
        """It is killed."""
        raise Crashed

    def freeze(self, process: Process) -> None:
        """It is frozen for so long that its group expels it, and perhaps its transaction times out."""
        if process.consumer is not None:
            process.consumer.group.leave(process.consumer.member)
        if self.coin():
            self.cluster.advance(LONG)
        self._others(process, 5 + self.random.getrandbits(5))
        self.note(process, "thaws")

    def sleep(self, process: Process) -> None:
        """It is frozen for a moment."""
        self._others(process, self.random.getrandbits(5))
        self.note(process, "thaws")

    def overtake(self, process: Process) -> None:
        """Others go on, a little."""
        self._others(process, 1 + self.random.getrandbits(2))

    def expel(self, process: Process) -> None:
        """Its heartbeats do not get through."""
        if process.consumer is not None:
            process.consumer.group.leave(process.consumer.member)

    def signal(self, process: Process) -> None:
        """SIGTERM."""
        process.signals.received = 15

    def reads(self, process: Process) -> None:
        """A topic is made again between two reads, with nothing on its way: a position that is being stored under its name at that
        very moment nobody could tell from one in the new topic."""
        if not self.remaking or self.remake is None or self._storing(process):
            return
        self.remaking = False
        while self.late:
            self.deliver_late()
        self.note(process, "its topic is made again")
        self.remake()

    def _storing(self, process: Process) -> bool:
        others = any(other.running for other in self.processes if other is not process)
        return others or any(group.pending for group in self.cluster.groups.values())

    def remake_soon(self, _process: Process) -> None:
        """When it reads next."""
        self.remaking = True

    def stick(self, process: Process) -> None:
        """What it produces next is not answered, and soon its group is done with it, or its patience over."""
        process.stick = True
        if self.budget > 0 and self.coin():
            self.next = Fault.EXPEL if process.consumer is not None and process.consumer.callbacks else None

    def _others(self, process: Process, steps: int) -> None:
        """Somebody else goes on; a new process, when there is nobody."""
        self.idle = 0
        for _ in range(steps):
            if self.idle > PATIENCE:
                return
            others = [other for other in self.processes if not other.over and not other.running]
            if not others:
                started = self.start()
                if started is None:
                    return
                others = [started]
            self.step(others[int(self.random.random() * len(others))])

    # ── processes ──

    def step(self, process: Process) -> None:
        """One action of a process, or its opening."""
        process.running = True
        try:
            self._step(process)
        except Crashed:
            process.over = process.crashed = True
            self.gone(process)
        finally:
            process.running = False

    def _step(self, process: Process) -> None:
        """As kdg.runs.session.perform, but one action at a time, and without closing what a crash leaves behind."""
        frame = process.frame = process.frame or process.begin(process)
        if process.session is None:
            process.session = opened(frame, process.open_session)
            if process.session is None:
                self._close(process, frame)
                return
            process.session.pump.start()
        pump = process.session.pump
        if not pump.step():
            pump.finish()
            finish(frame, process.session)
            self._close(process, frame)

    def _close(self, process: Process, frame: Frame) -> None:
        process.over = True
        self.note(process, f"ends: {process.error or 'all done'}")
        close(frame)

    def gone(self, process: Process) -> None:
        """Killed: what it had sent or was sending may still arrive."""
        self.note(process, "is dead")
        if process.consumer is not None:
            process.consumer.vanish()
        for producer in process.producers:
            if producer.queue and self.coin():
                producer.abandon()

    def set_gap(self, gap: int, budget: int) -> None:
        """How many calls lie between two faults at most, and how many faults there are."""
        self.gap, self.budget = gap, budget
        self.fuse = 1 + int(self.random.random() * gap)

    def calm(self) -> None:
        """No more faults."""
        self.budget = 0
        self.fuse = -1
        self.remaking = False
        for process in self.processes:
            process.net, process.stick = None, False


def _net(net: Net) -> Callable[[World, Process], None]:
    def strike(_world: World, process: Process) -> None:
        process.net = net

    return strike


_STRIKE: dict[Fault, Callable[[World, Process], None]] = {
    Fault.CRASH: World.crash,
    Fault.FREEZE: World.freeze,
    Fault.SLEEP: World.sleep,
    Fault.OVERTAKE: World.overtake,
    Fault.EXPEL: World.expel,
    Fault.SIGNAL: World.signal,
    Fault.HOLD: _net(Net.HOLD),
    Fault.TWICE: _net(Net.TWICE),
    Fault.SLOW: _net(Net.SLOW),
    Fault.MUTE: _net(Net.MUTE),
    Fault.STICK: World.stick,
    Fault.LATE: lambda world, _process: world.deliver_late(),
    Fault.MORE: lambda world, _process: world.feed(),
    Fault.GROW: lambda world, _process: world.grow(),
    Fault.RETAIN: lambda world, _process: world.retain(),
    Fault.REMAKE: World.remake_soon,
}

__all__ = ["LONG", "Crashed", "Fault", "Net", "Place", "Process", "SimSignals", "World"]
