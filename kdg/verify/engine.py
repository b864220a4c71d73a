"""Owns one run: feeding, workers, faults, the end, and the count. What the numbers mean is decided in counting.py.

feed, read, watch ─► a fault every few seconds ─► all goes on again ─► the feeding stops
  ─► the group reaches the source's ends ─► the workers end ─► no transaction is open ─► both topics are read and compared
"""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from kdg.core.ports import Signals
from kdg.errors import Interrupted, NotMet
from kdg.kafka.topics import make_topics, remove
from kdg.runtime.deadline import Deadline, NoSignals
from kdg.sandbox import Broker
from kdg.verify import clients, faults
from kdg.verify.comparing import compare
from kdg.verify.faults import Fault, Kind
from kdg.verify.progress import Progress, Strike
from kdg.verify.result import Exit, Result
from kdg.verify.setup import Names, Setup, commands, environment
from kdg.verify.workers import Crew, Worker

TICK = 0.05
FLOW = 1.0
"""Seconds: records flowed before a fault when the reader saw one within them."""
STARTS_WITHIN = 60.0
"""Seconds in which the first record has to come out."""
ENDS_WITHIN = 11.0
"""Seconds after SIGTERM: kdg promises 10."""
SETTLES_WITHIN = 120.0
"""Seconds in which the group has to reach the ends once nothing is broken any more."""
QUIET = 3.0
"""Seconds of nothing new after which another program that stands at the ends is taken to be done; kdg says so itself."""
SILENT = 60.0
"""The same wherever it stands: longer than the sessions of most clients."""
AGAIN = 1.0
"""Seconds until a worker that ended by itself is started again."""


def run(
    setup: Setup,
    bootstrap: str,
    brokers: Sequence[Broker],
    note: Callable[[str], None] = lambda _line: None,
    *,
    names: Names | None = None,
    watch: Callable[[Progress], None] = lambda _progress: None,
    signals: Signals = NoSignals(),  # noqa: B008  # has no state
) -> Result:
    """One run on a cluster. brokers: ours, which may be disturbed and go with the run; without any, what was made is removed.

    watch: told where it stands, 20 times a second. Raises KdgError when the cluster or the observers fail, Interrupted.
    """
    names = names or Names.new()
    where = {**setup.where, "bootstrap.servers": bootstrap}
    kinds = faults.possible(setup.kinds, len(brokers), transactional=setup.row.transactional)
    crew = Crew(commands(setup, names), environment(setup, names, bootstrap), setup.logs, setup.where)
    with ExitStack() as stack:
        if not brokers:
            stack.callback(remove, where, [names.source, names.target], [names.group])
        topics = [(names.source, setup.partitions), (names.target, setup.partitions)]
        make_topics(bootstrap, topics, Deadline(signals), setup.where)
        stack.enter_context(crew)
        rate = setup.rate if setup.records is None else max(round(setup.records / setup.seconds), 1)
        feeder = stack.enter_context(clients.Feeder(where, names.source, setup.partitions, rate, setup.records))
        reader = stack.enter_context(clients.LiveReader(where, names.target, setup.partitions))
        positions = stack.enter_context(clients.PositionWatch(where, names.group, names.source, setup.partitions))
        planned = faults.plan(setup.seed, kinds, setup.pace)
        return _Run(
            setup, names, where, brokers, crew.workers, feeder, reader, positions, planned, note, watch, signals
        ).result()


@dataclass(slots=True)
class _Run:
    """The state of a run, between its beginning and its result."""

    setup: Setup
    names: Names
    where: clients.Where
    brokers: Sequence[Broker]
    workers: Sequence[Worker]
    feeder: clients.Feeder
    reader: clients.LiveReader
    positions: clients.PositionWatch
    planned: Iterator[Fault]
    note: Callable[[str], None]
    watch: Callable[[Progress], None]
    signals: Signals
    began: float = field(default_factory=time.monotonic)
    history: list[str] = field(default_factory=list)
    exits: list[Exit] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    strikes: list[Strike] = field(default_factory=list)
    phase: str = "starting"
    _agenda: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    _away: list[Broker] = field(default_factory=list)
    _over: list[tuple[float, Kind]] = field(default_factory=list)
    """When each fault is over, as far as is known, for what it excuses."""
    _finishing: bool = False

    def result(self) -> Result:
        """Run it."""
        for worker in self.workers:
            worker.start()
        if not self._until(lambda: self.reader.flows(FLOW), STARTS_WITHIN):
            raise self._nothing_came()
        self.phase = "faults"
        self._disturb()
        self.phase = "settling"
        self._mend()
        self.feeder.stop()
        self._finish()
        self.phase = "counting"
        return self._count()

    def _nothing_came(self) -> NotMet:
        said = next((words for worker in self.workers if (words := worker.last_words())), "nothing")
        return NotMet(
            f"no record came out within {STARTS_WITHIN:g} s. The worker said: {said}",
            "It has to copy records from KDG_SOURCE to KDG_TARGET at the brokers KDG_BROKERS, as a member of KDG_GROUP.",
        )

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
        self._heed_signals()
        self.watch(Progress(self.phase, self.now, self.feeder.count, len(self.reader.rows), self.strikes))
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

    def _heed_signals(self) -> None:
        if self.signals.received is not None:
            raise Interrupted(self.signals.received)

    def _raise_failures(self) -> None:
        for thread in (self.feeder, self.reader, self.positions):
            if thread.failure is not None:
                raise thread.failure

    def _tell(self, line: str) -> None:
        line = f"{self.now:7.2f} {line}"
        self.history.append(line)
        self.note(line)

    # ── faults ──

    def _disturb(self) -> None:
        """Until the time is up, or all records are fed where a number was given."""
        until = self.now + self.setup.seconds

        def over() -> bool:
            return self.now >= until if self.setup.records is None else self.feeder.through

        while not over():
            fault = next(self.planned)
            self._until(over, fault.gap)
            if fault.patient:
                self._until(lambda: self.reader.flows(FLOW) or over(), self.setup.pace.flow_wait)
            self._until(lambda fault=fault: bool(self._victims(fault)), 30.0)  # type: ignore[misc]  # bound at once
            if not over() and (victims := self._victims(fault)):
                self._strike(fault, victims[int(fault.victim * len(victims))])

    def _victims(self, fault: Fault) -> Sequence[Worker | Broker]:
        """Workers that run; brokers when all of them do: the cluster is to lose one at a time."""
        if fault.kind in faults.ON_BROKERS:
            return () if self._away else self.brokers
        return [worker for worker in self.workers if worker.at_work]

    def _strike(self, fault: Fault, victim: Worker | Broker) -> None:
        bites = self.reader.flows(FLOW)
        self.strikes.append(Strike(self.now, fault.kind, bites))
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
            late = f"{worker.name} did not end within {ENDS_WITHIN:g} s of SIGTERM at {worker.ending:.0f} s"
            self.stuck += [] if self.setup.command else [late]
            self._tell(f"{late}: {worker.last_words()}")
            worker.kill()
            if not self._finishing:
                self._later(AGAIN, worker.start)

    def _note_exit(self, worker: Worker, code: int) -> None:
        recent = self._recent()
        fine = code in self.setup.pace.given_up or faults.excused(code, recent)
        fine = fine or bool(self.setup.command)  # how another program ends is its own affair
        found = Exit(worker.number, code, self.now, recent, worker.last_words(), fine)
        self.exits.append(found)
        self._tell(f"{worker.name} ended by itself with {code}{'' if found.expected else ', UNEXPECTED'}: {found.said}")

    # ── the end ──

    def _mend(self) -> None:
        """No more faults; everything runs again."""
        self._tell("no more faults")
        self._until(lambda: not self._away and all(worker.at_work for worker in self.workers), 120.0)

    def _finish(self) -> None:
        ends = self._source_ends()
        done = self._seems_done if self.setup.command else self._stands_at
        if not self._until(lambda: done(ends), SETTLES_WITHIN) and not self.setup.command:
            self.stuck.append(f"the group did not reach the end: at {self.positions.positions} of {ends}")
        self._tell(f"the group is at {self.positions.positions}")
        self._finishing = True
        for worker in self.workers:
            worker.ending = self.now
            worker.send(signal.SIGTERM)
        self._until(lambda: not any(worker.alive for worker in self.workers), ENDS_WITHIN + 5)
        if not clients.eventually(self._all_visible, 60.0):
            self.stuck.append("a transaction stayed open in the target")

    def _stands_at(self, ends: Mapping[int, int]) -> bool:
        return self.positions.positions == ends

    def _seems_done(self, ends: Mapping[int, int]) -> bool:
        """It may keep its positions elsewhere, move them before or long after its output, or have given up."""
        if self.reader.flows(QUIET):
            return False
        return self._stands_at(ends) or not self.reader.flows(SILENT) or len(set(self.reader.rows.values())) >= self.feeder.count  # fmt: skip

    def _all_visible(self) -> bool:
        self._heed_signals()
        return clients.no_transaction_open(self.where, self.names.target, self.setup.partitions)

    def _source_ends(self) -> dict[int, int]:
        found: dict[int, int] = {}

        def look() -> bool:
            self._heed_signals()
            found.update(clients.ends(self.where, self.names.source, self.setup.partitions))
            return True

        clients.eventually(look, 60.0)
        return found

    def _count(self) -> Result:
        self.reader.stop()
        self.positions.stop()
        found = compare(self.where, self.names, self.setup, self.feeder, self.reader, self.positions, self._heed_signals)  # fmt: skip
        for line in found.notes:
            self._tell(line)
        struck = Counter(strike.kind for strike in self.strikes)
        return Result(
            guarantee=self.setup.row.name,
            protocol=self.setup.protocol,
            brokers=len(self.brokers),
            seed=self.setup.seed,
            seconds=self.now,
            partitions=found.partitions,
            faults={kind.value: struck[kind] for kind in faults.ALL if kind in struck},
            biting=sum(strike.bites for strike in self.strikes),
            exits=self.exits,
            stuck=[*self.stuck, *found.stuck],
            wrong=found.wrong,
            history=self.history,
        )


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
