"""Owns a history while it runs: the random choices of a seed, and who runs when.

Every call of a client library passes by here, before and after it takes effect. Then the process may crash, freeze, be
overtaken by others, or meet a fault of the network. That is all the interleaving there is, without threads and without
coroutines: another process runs on top of the caller's stack, and a process is frozen as long as its caller has not
returned.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from kdg.runs.session import Frame, close, finish, opened

from .cluster import Cluster
from .conduct import Conduct
from .faults import STRIKE, Fault
from .network import Net, Network
from .process import Crashed, Process
from .upstream import Upstream

WORK_SECONDS = 0.5
"""How long a command works before it yields."""
PATIENCE = 3
"""The number of reads in a row without a record, after which no other process takes steps."""


class World:
    """The cluster, the network, the processes, and the choices of a history.

    faults: those that may strike; one that is listed twice strikes twice as often. budget: how many may still strike.
    fuse: the number of calls until the next one. suppressed: faults that do not strike, by number. idle: reads in a row
    without a record.
    """

    def __init__(self, seed: int, faults: tuple[Fault, ...], suppressed: frozenset[int], *, trace: bool) -> None:
        self.random = Random(seed)  # noqa: S311  # a seed is to give the same history
        self.cluster = Cluster()
        self.conduct = Conduct()
        self.network: Network = Network(self.random, self.cluster, self.note, self._hasten)
        self.processes: list[Process] = []
        self.partitions = 1
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
        self.upstream: Upstream | None = None
        self.remaking = False

    # ── choices ──

    def coin(self) -> bool:
        """True or False."""
        return self.random.random() < 0.5

    def target_partition(self, value: bytes) -> int:
        """The partition that a value goes to: records of one source partition stay together."""
        return value[0] % self.partitions

    def note(self, process: Process | None, text: str) -> None:
        """Add a line to the history, if it is traced."""
        if self.history is not None:
            self.history.append(f"{self.cluster.clock.now:8.3f}  {process.name if process else '-':4} {text}")

    def _hasten(self) -> None:
        """Let a late request arrive soon: a copy that is held up does most harm in the transaction that follows."""
        if self.budget > 0 and self.coin():
            self.next, self.fuse = Fault.LATE, 1 + self.random.getrandbits(4)

    # ── faults ──

    def pass_by(self, process: Process) -> None:
        """Called when a call of the client library begins, and when it has taken effect."""
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
        STRIKE[fault](self, process)

    def reads(self, process: Process) -> None:
        """The process reads. If its topic is to be made again, that happens now.

        No request is on its way then: a position that arrives afterwards would be stored for the new topic, and nobody
        could see that it belongs to the old one.
        """
        if not self.remaking or self.upstream is None or self._storing(process):
            return
        self.remaking = False
        while self.network.late:
            self.network.deliver_late()
        self.note(process, "its topic is made again")
        self.upstream.remake()

    def works(self, process: Process) -> None:
        """The command of the process works for a while. Meanwhile others go on, and partitions may move."""
        self.pass_by(process)
        self.cluster.advance(WORK_SECONDS)
        if self.budget > 0 and self.coin():
            self.let_others_go_on(process, 1 + self.random.getrandbits(1))
        self.idle = 0
        if process.consumer is not None:
            process.consumer.leave_if_silent()

    def _storing(self, process: Process) -> bool:
        others = any(other.running for other in self.processes if other is not process)
        return others or any(group.pending for group in self.cluster.groups.values())

    def let_others_go_on(self, process: Process, steps: int) -> None:
        """Other processes take steps; a new one is started if there is no other."""
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
        """One action of a process; the first one includes the opening."""
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
        """The process was killed. The requests that it had sent, or was sending, may still arrive."""
        self.note(process, "is dead")
        if process.consumer is not None:
            process.consumer.vanish()
        for producer in process.producers:
            if producer.queue and self.coin():
                producer.abandon()

    def set_gap(self, gap: int, budget: int) -> None:
        """gap: the most calls between two faults. budget: the number of faults."""
        self.gap, self.budget = gap, budget
        self.fuse = 1 + int(self.random.random() * gap)

    def calm(self) -> None:
        """From now on there are no faults."""
        self.budget = 0
        self.fuse = -1
        self.remaking = False
        for process in self.processes:
            process.net, process.stick = None, False
