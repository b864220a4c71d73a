"""Owns the course of a history: what a seed decides beforehand, the faults, the calm after them, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, EXACTLY_ONCE, Guarantee
from kdg.errors import PositionGone
from kdg.kafka.topic_ids import FRESH
from kdg.runs.session import Frame

from .cluster import NEVER, Transaction
from .faults import LONG, Fault
from .groups import Place, Protocol
from .invariants import Verdict, judge
from .opening import OPEN, Scene, group_name, plan_of, surroundings_of
from .process import Process
from .world import PATIENCE, World

F = Fault
NETWORK = (F.HOLD, F.HOLD, F.TWICE, F.SLOW, F.MUTE)
EVERYWHERE = (F.CRASH, F.CRASH, F.CRASH, F.SIGNAL, F.SLEEP, *NETWORK, F.LATE, F.LATE)
GROUPS = (F.FREEZE, F.FREEZE, F.OVERTAKE, F.OVERTAKE, F.OVERTAKE, F.EXPEL, F.MORE, F.GROW, F.REMAKE)
MOST_STEPS = 3000
MOST_PROCESSES = 3


@dataclass(frozen=True, slots=True)
class Case:
    """A command under a guarantee, and what may happen to it. share: how many of a hundred schedules are its."""

    command: str
    guarantee: Guarantee
    faults: tuple[Fault, ...]
    share: int

    @property
    def name(self) -> str:
        """As it is given on the command line."""
        return f"{self.guarantee.short} {self.command}"


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
    )
}
"""By name. Exactly-once `consume` is missing: kdg refuses it with a group, and its sinks are no part of the model."""


class History:
    """One schedule. `run` gives the verdict; `lines` tells what happened, if it was traced."""

    def __init__(self, case: Case, seed: int, suppressed: frozenset[int] = frozenset(), *, trace: bool = False) -> None:
        self.case = case
        self.world = World(seed, case.faults, suppressed, trace=trace)
        self.random = self.world.random
        self.sent: list[bytes] = []
        self.retained = False
        self._upstream: list[tuple[Place, Transaction]] = []
        self.scene = self._scene(self.random)

    def _scene(self, random: Random) -> Scene:
        world, case = self.world, self.case
        world.partitions = 1 + random.getrandbits(1)
        world.cluster.make_topic("target", world.partitions)
        group = world.cluster.group(group_name(case.command), protocol=tuple(Protocol)[int(random.random() * 3)])
        scene = Scene(world, case.guarantee, case.command, 1 + random.getrandbits(1), random.random() < 0.2, group)
        if scene.consumes:
            world.cluster.make_topic("source", 1 + random.getrandbits(1))
            group.places = world.cluster.places("source")
            for _ in range(2 + random.getrandbits(1)):
                self._feed()
            world.feed, world.grow, world.retain, world.remake = self._feed, self._grow, self._retain, self._remake
        else:
            self.sent = [b"%d:%d" % (i % 2, i) for i in range(1 + random.getrandbits(2))]
            scene.text = b"".join(value + b"\n" for value in self.sent)
        world.start = self._start
        # A produce makes few calls, the others many.
        world.set_gap(
            6 + random.getrandbits(5) if scene.consumes else 2 + random.getrandbits(3), 1 + random.getrandbits(3)
        )
        return scene

    # ── what happens around kdg ──

    def _feed(self) -> None:
        """Records come in; one of three times in a transaction, which may abort, and may stay open for a while."""
        places = self.world.cluster.places("source")
        place = places[int(self.random.random() * len(places))]
        fate, count = self.random.random(), 1 + self.random.getrandbits(1)
        transaction = Transaction(NEVER) if fate < 0.4 else None
        prefix = b"x" if fate < 0.2 else b""
        values = [b"%s%d:%d" % (prefix, place[1], len(self.sent) + i) for i in range(count)]
        self.world.cluster.append(place, values, transaction)
        if not prefix:
            self.sent += values
        if transaction is not None:
            transaction.places.add(place)
            transaction.committed = not prefix
            self._upstream.append((place, transaction))
            if fate < 0.15 or fate > 0.25:
                self._end_upstream()

    def _end_upstream(self) -> None:
        for place, transaction in self._upstream:
            transaction.open = False
            log = self.world.cluster.logs[place]
            log.unstable.pop(transaction, None)
            log.entries.append((None, transaction))
        self._upstream.clear()

    def _grow(self) -> None:
        number = len(self.world.cluster.places("source"))
        if number < 4:
            self.world.cluster.make_topic("source", number + 1)
            self.scene.group.grow(("source", number))

    def _retain(self) -> None:
        for place in self.world.cluster.places("source"):
            log = self.world.cluster.logs[place]
            if log.stable > log.start:
                log.start += 1
                self.retained = True

    def _remake(self) -> None:
        """The source is deleted and made again, with more in it at once; what nobody had read yet is gone with it."""
        self.scene.gone.update(self.sent)
        self._upstream.clear()
        self.world.cluster.advance(FRESH)  # it takes at least as long
        self.world.cluster.remake_topic("source")
        for _ in range(1 + self.random.getrandbits(2)):
            self._feed()

    # ── who runs ──

    def _process(self) -> Process:
        process = Process(f"p{len(self.world.processes) + 1}", self._frame, OPEN[self.case.command])
        self.world.processes.append(process)
        return process

    def _frame(self, process: Process) -> Frame:
        return Frame.of(plan_of(self.scene, process), process.signals, surroundings_of(self.scene, process))

    def _start(self) -> Process | None:
        """A further process, where the user would start one; None where there is none to be started."""
        if len(self.world.processes) >= MOST_PROCESSES:
            return None
        if self.case.command == "produce" and not self._again():
            return None
        return self._process()

    def _again(self) -> bool:
        """Whether `produce` is run again: after a failure, if the row says so and a look at the topic does not show it all."""
        processes = self.world.processes
        if not processes:
            return True
        if not processes[-1].over or self._succeeded(processes[-1]) or not self.case.guarantee.reads_again:
            return False
        return not (self.scene.cycle.whole and self._looks_done())

    def _looks_done(self) -> bool:
        """Once nothing is open any more: is all of it in the topic?"""
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
        """Faults, then calm, then fresh processes until all is done; what was lost, doubled or else broken."""
        self._disturbed()
        trouble = self._calm()
        return judge(self.case, self.scene, self.sent, self._output(), trouble)

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
        """The end of the faults: some late requests arrive now, the others when all else is done."""
        world = self.world
        world.calm()
        world.note(None, "calm")
        for process in world.processes:
            if not process.over and world.coin():
                process.over = process.crashed = True
                world.gone(process)
        self._end_upstream()
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
        """Those that are left go on to their end; then fresh ones, as many as it takes."""
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
        if self.retained and isinstance(process.error, PositionGone):
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
