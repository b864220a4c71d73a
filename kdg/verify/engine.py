"""Owns one run: feeding, workers, faults, the end, and the count. What the numbers mean is decided in counting.py.

feed, read, watch ─► a fault every few seconds ─► all goes on again ─► the feeding stops
  ─► the group reaches the source's ends ─► the workers end ─► no transaction is open ─► both topics are read and compared
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from kdg.guarantees import Guarantee
from kdg.kafka import observe
from kdg.kafka.topics import make_topics
from kdg.patience import Patience
from kdg.sandbox import Broker
from kdg.verify import faults
from kdg.verify.counting import Tally, aborted_seen, name_wrong, tally_all
from kdg.verify.faults import Fault, Kind
from kdg.verify.result import Exit, Result
from kdg.verify.workers import Crew, Worker

TICK = 0.05
FLOW = 1.0
"""Seconds: records flowed before a fault when the reader saw one within them."""
ENDS_WITHIN = 11.0
"""Seconds after SIGTERM: kdg promises 10."""
SETTLES_WITHIN = 120.0
"""Seconds in which the group has to reach the ends once nothing is broken any more."""
AGAIN = 1.0
"""Seconds until a worker that ended by itself is started again."""

SESSION_MS, TRANSACTION_MS = 6000, 8000
"""So short that a pause of 9 s outlasts both."""

CLUSTER: Mapping[str, str] = {
    # KIP-848 keeps the session on the broker: 45 s by default.
    "group.consumer.session.timeout.ms": str(SESSION_MS),
    "group.consumer.min.session.timeout.ms": "1000",
    "group.consumer.heartbeat.interval.ms": "1000",
    "group.consumer.min.heartbeat.interval.ms": "500",
}
"""What the cluster of a run is to be configured with."""

_CLASSIC = ("-X", f"session.timeout.ms={SESSION_MS}", "-X", "heartbeat.interval.ms=1000")
PROTOCOLS: Mapping[str, tuple[str, ...]] = {
    "range": _CLASSIC,
    "cooperative-sticky": (*_CLASSIC, "-X", "partition.assignment.strategy=cooperative-sticky"),
    "consumer": ("-X", "group.protocol=consumer"),
}
"""How workers share a group: kdg's options for each; `consumer` is KIP-848."""

KDG = (sys.executable, "-m", "kdg")


@dataclass(frozen=True, slots=True)
class Setup:
    """What is run. rate: records a second, over all partitions; program: what `pipe` is run with; logs: keeps workers' stderr."""

    row: Guarantee
    protocol: str = "range"
    seed: int = 0
    seconds: float = 60.0
    kinds: Sequence[Kind] = faults.ALL
    gap: tuple[float, float] = faults.GAP
    workers: int = 3
    partitions: int = 4
    rate: int = 700
    program: Sequence[str] = KDG
    extra: Sequence[str] = ()
    logs: Path | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """The topics and the group of a run."""

    source: str
    target: str
    group: str


def pipe(setup: Setup, names: Names, number: int) -> list[str]:
    """The command of a worker. Of the transactional workers the first gets a new id with each start, the others keep theirs."""
    options = ["-g", setup.row.name, "-G", names.group, "--keep-partition", "--batch-records", "500", "--batch-interval", "200ms"]  # fmt: skip
    options += PROTOCOLS[setup.protocol]
    if setup.row.transactional:
        options += ["-X", f"transaction.timeout.ms={TRANSACTION_MS}"]
        options += ["--transactional-id", f"{names.group}-{number}"] if number > 1 else []
    return [*setup.program, "pipe", names.source, names.target, *options, *setup.extra]


class _Undisturbed:
    """No signal is noted: Ctrl-C raises, and whoever runs the engine clears up."""

    received: int | None = None


def run(
    setup: Setup, bootstrap: str, brokers: Sequence[Broker], note: Callable[[str], None] = lambda _line: None
) -> Result:
    """One run on a cluster, whose brokers may be disturbed. Raises KdgError when the cluster or the observers fail."""
    name = f"verify-{secrets.token_hex(4)}"
    names = Names(f"{name}-source", f"{name}-target", f"{name}-group")
    topics = [(names.source, setup.partitions), (names.target, setup.partitions)]
    make_topics(bootstrap, topics, Patience(_Undisturbed()))
    kinds = faults.possible(setup.kinds, len(brokers), transactional=setup.row.transactional)
    commands = [pipe(setup, names, number) for number in range(1, setup.workers + 1)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("KDG_")} | {
        "KDG_BROKERS": bootstrap,
        "KDG_TRACEBACK": "1",
    }
    with ExitStack() as stack:
        crew = stack.enter_context(Crew(commands, environment, setup.logs))
        feeder = stack.enter_context(observe.Feeder(bootstrap, names.source, setup.partitions, setup.rate))
        reader = stack.enter_context(observe.LiveReader(bootstrap, names.target, setup.partitions))
        watch = stack.enter_context(observe.PositionWatch(bootstrap, names.group, names.source, setup.partitions))
        planned = faults.plan(setup.seed, kinds, setup.gap)
        return _Run(setup, names, bootstrap, brokers, crew.workers, feeder, reader, watch, planned, note).result()


@dataclass(slots=True)
class _Run:
    """The state of a run, between its beginning and its result."""

    setup: Setup
    names: Names
    bootstrap: str
    brokers: Sequence[Broker]
    workers: Sequence[Worker]
    feeder: observe.Feeder
    reader: observe.LiveReader
    watch: observe.PositionWatch
    planned: Iterator[Fault]
    note: Callable[[str], None]
    began: float = field(default_factory=time.monotonic)
    history: list[str] = field(default_factory=list)
    exits: list[Exit] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    struck: Counter[Kind] = field(default_factory=Counter)
    biting: int = 0
    _agenda: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    _away: list[Broker] = field(default_factory=list)
    _over: list[tuple[float, Kind]] = field(default_factory=list)
    """When each fault is over, as far as is known, for what it excuses."""
    _finishing: bool = False

    def result(self) -> Result:
        """Run it."""
        for worker in self.workers:
            worker.start()
        self._until(lambda: self.reader.flows(FLOW), 60.0)
        self._disturb()
        self._mend()
        self.feeder.stop()
        self._finish()
        return self._count()

    # ── time ──

    @property
    def now(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.began

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        self._agenda.append((self.now + seconds, what))

    def _tick(self) -> None:
        """What is due, who has ended, who should have."""
        time.sleep(TICK)
        due = [entry for entry in self._agenda if entry[0] <= self.now]
        self._agenda = [entry for entry in self._agenda if entry not in due]
        for _when, what in due:
            what()
        for worker in self.workers:
            self._look_at(worker)
        self._raise_failures()

    def _until(self, what: Callable[[], bool], seconds: float) -> bool:
        deadline = self.now + seconds
        while not what():
            if self.now >= deadline:
                return False
            self._tick()
        return True

    def _raise_failures(self) -> None:
        for thread in (self.feeder, self.reader, self.watch):
            if thread.failure is not None:
                raise thread.failure

    def _tell(self, line: str) -> None:
        line = f"{self.now:7.2f} {line}"
        self.history.append(line)
        self.note(line)

    # ── faults ──

    def _disturb(self) -> None:
        while self.now < self.setup.seconds:
            fault = next(self.planned)
            self._until(lambda: False, fault.gap)
            if fault.patient:
                self._until(lambda: self.reader.flows(FLOW), faults.FLOW_WAIT)
            self._until(lambda fault=fault: bool(self._victims(fault)), 30.0)  # type: ignore[misc]  # bound at once
            if victims := self._victims(fault):
                self._strike(fault, victims[int(fault.victim * len(victims))])

    def _victims(self, fault: Fault) -> Sequence[Worker | Broker]:
        """Workers that run; brokers when all of them do: the cluster is to lose one at a time."""
        if fault.kind in faults.ON_BROKERS:
            return () if self._away else self.brokers
        return [worker for worker in self.workers if worker.at_work]

    def _strike(self, fault: Fault, victim: Worker | Broker) -> None:
        bites = self.reader.flows(FLOW)
        self.struck[fault.kind] += 1
        self.biting += bites
        self._over.append((self.now + fault.hold, fault.kind))
        name = victim.name if isinstance(victim, Worker) else f"broker {victim.id}"
        self._tell(f"{fault.kind} {name}, {fault.hold:g} s{'' if bites else ', nothing flowed'}")
        if isinstance(victim, Worker):
            _ON_WORKER[fault.kind](self, fault, victim)
        else:
            self._away.append(victim)
            _ON_BROKER[fault.kind](self, fault, victim)

    def kill(self, fault: Fault, worker: Worker) -> None:
        worker.kill()
        self._later(fault.hold, worker.start)

    def terminate(self, _fault: Fault, worker: Worker) -> None:
        worker.ending = self.now
        worker.send(signal.SIGTERM)

    def pause(self, fault: Fault, worker: Worker) -> None:
        worker.pause()
        self._later(fault.hold, worker.resume)

    def kill_broker(self, fault: Fault, broker: Broker) -> None:
        broker.kill()
        self._later(fault.hold, broker.start)
        self._later(fault.hold + TICK, lambda: self._await_broker(broker, fault.kind))

    def pause_broker(self, fault: Fault, broker: Broker) -> None:
        broker.pause()
        self._later(fault.hold, broker.resume)
        self._later(fault.hold + TICK, lambda: self._await_broker(broker, fault.kind))

    def _await_broker(self, broker: Broker, kind: Kind) -> None:
        if broker.is_ready():
            self._away.remove(broker)
            self._over.append((self.now, kind))
            self._tell(f"broker {broker.id} is back")
        else:
            self._later(0.3, lambda: self._await_broker(broker, kind))

    def _recent(self) -> tuple[Kind, ...]:
        kinds = [kind for over, kind in self._over if self.now - over <= faults.EXCUSED_FOR]
        return tuple(dict.fromkeys(kinds))

    # ── ends of workers ──

    def _look_at(self, worker: Worker) -> None:
        code = worker.reap()
        if code is not None:
            told, worker.ending = worker.ending is not None, None
            if not told or code not in (-signal.SIGTERM, 128 + signal.SIGTERM):
                self._note_exit(worker, code)
            if not self._finishing:
                self._later(AGAIN, worker.start)
        elif worker.ending is not None and self.now - worker.ending > ENDS_WITHIN:
            self.stuck.append(f"{worker.name} did not end within {ENDS_WITHIN:g} s of SIGTERM at {worker.ending:.0f} s")
            self._tell(f"{self.stuck[-1]}: {worker.last_words()}")
            worker.ending = None
            worker.kill()
            if not self._finishing:
                self._later(AGAIN, worker.start)

    def _note_exit(self, worker: Worker, code: int) -> None:
        recent = self._recent()
        found = Exit(worker.number, code, self.now, recent, worker.last_words(), faults.excused(code, recent))
        self.exits.append(found)
        self._tell(f"{worker.name} ended by itself with {code}{'' if found.expected else ', UNEXPECTED'}: {found.said}")

    # ── the end ──

    def _mend(self) -> None:
        """No more faults; everything runs again."""
        self._tell("no more faults")
        self._until(lambda: not self._away and all(worker.at_work for worker in self.workers), 120.0)

    def _finish(self) -> None:
        ends = self._source_ends()
        if not self._until(lambda: self.watch.positions == ends, SETTLES_WITHIN):
            self.stuck.append(f"the group did not reach the end: at {self.watch.positions} of {ends}")
        self._tell(f"the group is at {self.watch.positions}")
        self._finishing = True
        for worker in self.workers:
            worker.ending = self.now
            worker.send(signal.SIGTERM)
        self._until(lambda: not any(worker.alive for worker in self.workers), ENDS_WITHIN + 5)
        partitions = self.setup.partitions
        if not observe.eventually(
            lambda: observe.no_transaction_open(self.bootstrap, self.names.target, partitions), 60.0
        ):
            self.stuck.append("a transaction stayed open in the target")

    def _source_ends(self) -> dict[int, int]:
        found: dict[int, int] = {}

        def look() -> bool:
            found.update(observe.ends(self.bootstrap, self.names.source, self.setup.partitions))
            return True

        observe.eventually(look, 60.0)
        return found

    def _count(self) -> Result:
        self.reader.stop()
        self.watch.stop()
        sent = observe.sequences(observe.read_all(self.bootstrap, self.names.source, self.setup.partitions))
        final = observe.read_all(self.bootstrap, self.names.target, self.setup.partitions)
        seen = observe.sequences(final)
        found = tally_all(sent, seen)
        found += Tally(aborted_seen=aborted_seen(self.reader.rows, final), went_back=len(self.watch.back))
        for partition, before, after in self.watch.back:
            self._tell(f"the position of partition {partition} went back from {before} to {after}")
        self._note_feeding(sent)
        return Result(
            guarantee=self.setup.row.name,
            protocol=self.setup.protocol,
            brokers=len(self.brokers),
            seed=self.setup.seed,
            seconds=self.now,
            tally=found,
            faults={kind.value: count for kind, count in sorted(self.struck.items())},
            biting=self.biting,
            exits=self.exits,
            stuck=self.stuck,
            wrong=name_wrong(sent, seen),
            history=self.history,
        )

    def _note_feeding(self, sent: Mapping[int, Sequence[int]]) -> None:
        """What was acknowledged has to be in the source: else the cluster lost it before any worker could."""
        fed = replace(tally_all(self.feeder.acknowledged, sent), foreign=0)  # stored, yet not acknowledged
        if fed.lost or fed.doubled:
            self.stuck.append(f"the source itself: lost {fed.lost}, doubled {fed.doubled} of what was acknowledged")
        if self.feeder.refused:
            self._tell(f"the feeder's records were refused: {dict(self.feeder.refused)}")


_ON_WORKER: Mapping[Kind, Callable[[_Run, Fault, Worker], None]] = {
    Kind.KILL: _Run.kill,
    Kind.TERM: _Run.terminate,
    Kind.PAUSE_SHORT: _Run.pause,
    Kind.PAUSE_LONG: _Run.pause,
}
_ON_BROKER: Mapping[Kind, Callable[[_Run, Fault, Broker], None]] = {
    Kind.BROKER_KILL: _Run.kill_broker,
    Kind.BROKER_PAUSE: _Run.pause_broker,
}
