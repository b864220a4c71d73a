"""Owns the injection of faults: what a fault may hit, what is done to it, and when it comes back."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from kdg.sandbox import Broker
from kdg.verify import faults
from kdg.verify.faults import FaultKind, PlannedFault
from kdg.verify.progress import InjectedFault
from kdg.verify.timeline import Timeline
from kdg.verify.workers import Worker

BROKER_LOOKS = 0.05
"""Seconds after a broker was started or thawed until it is asked for the first time whether it is ready."""
BROKER_LOOKS_AGAIN = 0.3


@dataclass(slots=True)
class Injector:
    """Injects faults into workers and brokers.

    flows: whether records flow at the moment. injected: the faults so far. At most one broker is away at a time,
    because a cluster of three with a replication factor of three tolerates one failure.
    """

    workers: Sequence[Worker]
    brokers: Sequence[Broker]
    timeline: Timeline
    flows: Callable[[], bool]
    injected: list[InjectedFault] = field(default_factory=list)
    _away: list[Broker] = field(default_factory=list)
    _over: list[tuple[float, FaultKind]] = field(default_factory=list)
    """When each fault is over, as far as that is known: an exit shortly afterwards may be caused by the fault."""

    @property
    def all_back(self) -> bool:
        """Whether every worker and every broker runs."""
        return not self._away and all(worker.at_work for worker in self.workers)

    def candidates(self, fault: PlannedFault) -> Sequence[Worker | Broker]:
        """What the fault may hit now: the workers that run, or the brokers if all of them run."""
        if fault.kind in faults.ON_BROKERS:
            return () if self._away else self.brokers
        return [worker for worker in self.workers if worker.at_work]

    def inject(self, fault: PlannedFault) -> None:
        """Choose a worker or a broker and disturb it; nothing is done if there is no candidate."""
        if not (candidates := self.candidates(fault)):
            return
        victim = candidates[int(fault.victim * len(candidates))]
        flowed = self.flows()
        self.injected.append(InjectedFault(self.timeline.now, fault.kind, flowed))
        self._over.append((self.timeline.now + fault.hold, fault.kind))
        name = victim.name if isinstance(victim, Worker) else f"broker {victim.id}"
        self.timeline.record(f"{fault.kind} {name}, {fault.hold:g} s{'' if flowed else ', nothing flowed'}")
        if isinstance(victim, Worker):
            _ON_WORKER[fault.kind](self, fault, victim)
        else:
            self._away.append(victim)
            _ON_BROKER[fault.kind](self, fault, victim)

    def recent(self) -> tuple[FaultKind, ...]:
        """The kinds of the faults that may still explain the exit of a worker."""
        now = self.timeline.now
        return tuple(dict.fromkeys(kind for over, kind in self._over if now - over <= faults.EXCUSED_FOR))

    def kill(self, fault: PlannedFault, worker: Worker) -> None:
        """SIGKILL; the worker is started again after the hold."""
        worker.kill()
        self.timeline.later(fault.hold, worker.start)

    def terminate(self, _fault: PlannedFault, worker: Worker) -> None:
        """SIGTERM; the supervisor waits for the end and starts the worker again."""
        worker.ending = self.timeline.now
        worker.send(signal.SIGTERM)

    def pause(self, fault: PlannedFault, worker: Worker) -> None:
        """SIGSTOP, and SIGCONT after the hold."""
        worker.pause()
        self.timeline.later(fault.hold, worker.resume)

    def kill_broker(self, fault: PlannedFault, broker: Broker) -> None:
        """SIGKILL; the broker is started again after the hold."""
        broker.kill()
        self.timeline.later(fault.hold, broker.start)
        self._await_broker(broker, fault.kind, fault.hold + BROKER_LOOKS)

    def pause_broker(self, fault: PlannedFault, broker: Broker) -> None:
        """SIGSTOP, and SIGCONT after the hold."""
        broker.pause()
        self.timeline.later(fault.hold, broker.resume)
        self._await_broker(broker, fault.kind, fault.hold + BROKER_LOOKS)

    def _await_broker(self, broker: Broker, kind: FaultKind, seconds: float) -> None:
        self.timeline.later(seconds, lambda: self._look_for_broker(broker, kind))

    def _look_for_broker(self, broker: Broker, kind: FaultKind) -> None:
        if not broker.is_ready():
            self._await_broker(broker, kind, BROKER_LOOKS_AGAIN)
            return
        self._away.remove(broker)
        self._over.append((self.timeline.now, kind))
        self.timeline.record(f"broker {broker.id} is back")


_ON_WORKER: Mapping[FaultKind, Callable[[Injector, PlannedFault, Worker], None]] = {
    FaultKind.KILL: Injector.kill,
    FaultKind.TERM: Injector.terminate,
    FaultKind.PAUSE_SHORT: Injector.pause,
    FaultKind.PAUSE_LONG: Injector.pause,
}
_ON_BROKER: Mapping[FaultKind, Callable[[Injector, PlannedFault, Broker], None]] = {
    FaultKind.BROKER_KILL: Injector.kill_broker,
    FaultKind.BROKER_PAUSE: Injector.pause_broker,
}
