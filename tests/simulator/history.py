"""Owns the course of a history: its beginning, the time with faults, the time without, the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, EXACTLY_ONCE, Guarantee
from kdg.errors import PositionGone
from kdg.runs.session import Frame

from .faults import LONG, Fault
from .groups import Protocol
from .invariants import Verdict, judge
from .opening import OPEN, Scene, group_name, plan_of, surroundings_of
from .process import Process
from .upstream import Upstream
from .world import PATIENCE, World

F = Fault
NETWORK = (F.HOLD, F.HOLD, F.TWICE, F.SLOW, F.MUTE)
EVERYWHERE = (F.CRASH, F.CRASH, F.CRASH, F.SIGNAL, F.SLEEP, *NETWORK, F.LATE, F.LATE)
GROUPS = (F.FREEZE, F.FREEZE, F.OVERTAKE, F.OVERTAKE, F.OVERTAKE, F.EXPEL, F.MORE, F.GROW, F.REMAKE)
MOST_STEPS = 3000
MOST_PROCESSES = 3


@dataclass(frozen=True, slots=True)
class Case:
    """A command under a guarantee, and the faults that may strike it.

    share: how many of a hundred schedules run it, if no case is left out. works: it has a command that takes long.
    """

    command: str
    guarantee: Guarantee
    faults: tuple[Fault, ...]
    share: int
    works: bool = False

    @property
    def name(self) -> str:
        """As it is given on the command line."""
        return f"{self.guarantee.short} {self.opens}"

    @property
    def opens(self) -> str:
        """What is opened: a name in OPEN."""
        return f"{self.command} -- CMD" if self.works else self.command


CASES = {
    case.name: case
    for case in (
        Case("produce", AT_MOST_ONCE, EVERYWHERE, 7),
        Case("produce", AT_LEAST_ONCE, (*EVERYWHERE, F.STICK), 7),
        Case("produce", EXACTLY_ONCE, (*EVERYWHERE, F.STICK, F.FREEZE), 12),
        Case("produce --resume", EXACTLY_ONCE, (*EVERYWHERE, F.STICK, F.STICK, F.FREEZE, F.OVERTAKE), 16),
        Case("consume", AT_MOST_ONCE, (*EVERYWHERE, *GROUPS), 9),
        Case("consume", AT_LEAST_ONCE, (*EVERYWHERE, *GROUPS), 9),
        Case("pipe", AT_MOST_ONCE, (*EVERYWHERE, *GROUPS), 7),
        Case("pipe", AT_LEAST_ONCE, (*EVERYWHERE, *GROUPS, F.STICK), 9),
        Case("pipe", EXACTLY_ONCE, (*EVERYWHERE, *GROUPS, F.STICK, F.STICK), 24),
        Case("consume", AT_MOST_ONCE, (*EVERYWHERE, *GROUPS), 3, works=True),
        Case("consume", AT_LEAST_ONCE, (*EVERYWHERE, *GROUPS), 4, works=True),
        Case("pipe", AT_MOST_ONCE, (*EVERYWHERE, *GROUPS), 3, works=True),
        Case("pipe", AT_LEAST_ONCE, (*EVERYWHERE, *GROUPS), 4, works=True),
        Case("pipe", EXACTLY_ONCE, (*EVERYWHERE, *GROUPS), 8, works=True),
    )
}
"""By name. Exactly-once `consume` is missing: kdg refuses it with a group, and the model has no sinks."""


class History:
    """One schedule. `run` returns the verdict; `lines` are the events of a history with `trace`."""

    def __init__(self, case: Case, seed: int, suppressed: frozenset[int] = frozenset(), *, trace: bool = False) -> None:
        self.case = case
        self.world = World(seed, case.faults, suppressed, trace=trace)
        self.random = self.world.random
        self.upstream = Upstream(self.world)
        self.scene = self._scene(self.random)

    def _scene(self, random: Random) -> Scene:
        world, case = self.world, self.case
        world.partitions = 1 + random.getrandbits(1)
        world.cluster.make_topic("target", world.partitions)
        group = world.cluster.group(group_name(case.command), protocol=tuple(Protocol)[int(random.random() * 3)])
        scene = Scene(world, case.guarantee, case.command, 1 + random.getrandbits(1), random.random() < 0.2, group)
        if case.works:
            scene.slices = (1, 3, 16)[int(random.random() * 3)]
        if scene.consumes:
            world.cluster.make_topic("source", 1 + random.getrandbits(1))
            group.places = world.cluster.places("source")
            for _ in range(2 + random.getrandbits(1)):
                self.upstream.feed()
            world.upstream = self.upstream
        else:
            self.upstream.sent = [b"%d:%d" % (i % 2, i) for i in range(1 + random.getrandbits(2))]
            scene.text = b"".join(value + b"\n" for value in self.upstream.sent)
        world.start = self._start
        # A produce makes few calls, the others many.
        world.set_gap(
            6 + random.getrandbits(5) if scene.consumes else 2 + random.getrandbits(3), 1 + random.getrandbits(3)
        )
        return scene

    # ── who runs ──

    def _process(self) -> Process:
        process = Process(f"p{len(self.world.processes) + 1}", self._frame, OPEN[self.case.opens])
        self.world.processes.append(process)
        return process

    def _frame(self, process: Process) -> Frame:
        return Frame.of(plan_of(self.scene, process), process.signals, surroundings_of(self.scene, process))

    def _start(self) -> Process | None:
        """Start another process, if the user would start one; else None."""
        if len(self.world.processes) >= MOST_PROCESSES:
            return None
        if self.case.command == "produce" and not self._again():
            return None
        return self._process()

    def _again(self) -> bool:
        """Whether the user would run `produce` again: it failed, may be repeated, and the topic lacks the input."""
        processes = self.world.processes
        if not processes:
            return True
        if not processes[-1].over or self._succeeded(processes[-1]) or not self.case.guarantee.reads_again:
            return False
        return not (self.scene.cycle.whole and self._looks_done())

    def _looks_done(self) -> bool:
        """Whether the whole input is in the topic, once no transaction is open any more."""
        self.world.cluster.advance(LONG)
        return bool(self._output())

    def _succeeded(self, process: Process) -> bool:
        failed = process.crashed or process.error is not None or process.signals.received is not None
        return process.over and not failed

    def _output(self) -> list[bytes]:
        if self.case.command == "consume":
            return self.scene.printed
        logs = self.world.cluster.logs
        return [value for place in self.world.cluster.places("target") for value in logs[place].committed()]

    # ── the course ──

    def run(self) -> Verdict:
        """Run with faults, then without, then with fresh processes until everything is done. The verdict."""
        self._disturbed()
        trouble = self._calm()
        return judge(self.case, self.scene, self.upstream, self._output(), trouble)

    def _disturbed(self) -> None:
        world, random = self.world, self.random
        world.start()
        if self.scene.consumes and random.random() < 0.4:
            world.start()
        for _ in range(40 + random.getrandbits(6)):
            alive = [process for process in world.processes if not process.over]
            if world.budget <= 0 or world.idle > PATIENCE:
                return
            if not alive:
                if (started := world.start()) is None:
                    return
                alive = [started]
            process = alive[int(random.random() * len(alive))]
            for _ in range(1 + random.getrandbits(2)):
                if not process.over:
                    world.step(process)

    def _calm(self) -> list[str]:
        """No more faults. Some late requests arrive now, the others when everything else is done."""
        world = self.world
        world.calm()
        world.note(None, "calm")
        for process in world.processes:
            if not process.over and world.coin():
                process.over = process.crashed = True
                world.gone(process)
        self.upstream.end_transactions()
        if world.coin():
            while world.network.late:
                world.network.deliver_late()
        if world.coin():
            world.cluster.advance(LONG)
        trouble = self._finish()
        while world.network.late:
            world.network.deliver_late()
        world.cluster.advance(LONG)
        return trouble

    def _finish(self) -> list[str]:
        """Let the living processes come to their end, then start fresh ones until one succeeds.

        Returns what went wrong.
        """
        world = self.world
        if not self._to_the_end([process for process in world.processes if not process.over]):
            return ["it does not come to an end"]
        for _ in range(4):
            if self.case.command == "produce" and not self._again():
                return []
            process = self._process()
            if not self._to_the_end([process]):
                return ["it does not come to an end"]
            if self._succeeded(process):
                return []
        if self.upstream.retained and isinstance(process.error, PositionGone):
            return []
        return [f"a run without faults fails: {process.error}"]

    def _to_the_end(self, processes: list[Process]) -> bool:
        for _ in range(MOST_STEPS):
            processes = [process for process in processes if not process.over]
            if not processes:
                return True
            for process in processes:
                self.world.step(process)
        return False

    def lines(self) -> list[str]:
        """What happened, in order."""
        return self.world.history or []
