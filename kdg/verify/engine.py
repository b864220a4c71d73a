"""Owns one fault run, from the first record to its result.

The package docstring has the steps; this module performs them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from time import sleep

from kdg.core.ports import Signals
from kdg.errors import Interrupted, NotMet
from kdg.kafka.admin import make_topics, remove
from kdg.runtime.deadline import Deadline, NoSignals
from kdg.sandbox import Broker
from kdg.verify import faults
from kdg.verify.clients.feeder import Feeder
from kdg.verify.clients.observer import Connection
from kdg.verify.clients.positions import PositionWatch
from kdg.verify.clients.queries import end_offsets, eventually, no_transaction_open
from kdg.verify.clients.readers import LiveReader
from kdg.verify.comparing import compare
from kdg.verify.faults import PlannedFault
from kdg.verify.injector import Injector
from kdg.verify.progress import Progress
from kdg.verify.result import Result
from kdg.verify.setup import Names, Setup, commands, environment
from kdg.verify.supervisor import ENDS_WITHIN, Supervisor
from kdg.verify.timeline import Timeline
from kdg.verify.workers import WorkerPool

TICK = 0.05
"""Seconds between two looks at everything."""
FLOW = 1.0
"""Seconds: records flow if the reader saw one in the last second."""
STARTS_WITHIN = 60.0
"""Seconds until the first record has to be in the target."""
VICTIM_WITHIN = 30.0
"""Seconds that a fault waits for something that it may hit."""
RECOVERS_WITHIN = 120.0
"""Seconds that workers and brokers have to come back after the last fault."""
SETTLES_WITHIN = 120.0
"""Seconds that the group has to reach the end of the source once everything runs again."""
VISIBLE_WITHIN = 60.0
"""Seconds until no transaction may be open in the target any more."""
QUIET = 3.0
"""Another program counts as finished if its positions are at the end and nothing new came for so many seconds."""
SILENT = 60.0
"""The same if its positions are elsewhere; longer than the session timeout of most clients."""


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
    """One run on a cluster.

    brokers: those of a sandbox, which may be disturbed and are removed with the sandbox. Without any, the cluster
    belongs to the user, and the topics and the group of the run are removed at the end. note: receives each line of the
    history. watch: receives the progress, 20 times a second. Raises KdgError or KafkaException if the run can have no
    result, and Interrupted.
    """
    names = names or Names.new()
    connection = {**setup.connection, "bootstrap.servers": bootstrap}
    with ExitStack() as stack:
        if not brokers:
            stack.callback(remove, connection, [names.source, names.target], [names.group])
        topics = [(names.source, setup.partitions), (names.target, setup.partitions)]
        make_topics(bootstrap, topics, Deadline(signals), setup.connection)
        workers = stack.enter_context(_pool(setup, names, bootstrap)).workers
        rate = setup.rate if setup.records is None else max(round(setup.records / setup.seconds), 1)
        feeder = stack.enter_context(Feeder(connection, names.source, setup.partitions, rate, setup.records))
        reader = stack.enter_context(LiveReader(connection, names.target, setup.partitions))
        positions = stack.enter_context(PositionWatch(connection, names.group, names.source, setup.partitions))
        timeline = Timeline(note)
        injector = Injector(workers, brokers, timeline, lambda: reader.flows(FLOW))
        supervisor = Supervisor(workers, setup, timeline, injector.recent)
        return _Run(
            setup, names, connection, timeline, injector, supervisor, feeder, reader, positions, watch, signals
        ).result()


def _pool(setup: Setup, names: Names, bootstrap: str) -> WorkerPool:
    return WorkerPool(commands(setup, names), environment(setup, names, bootstrap), setup.logs, setup.connection)


@dataclass(slots=True)
class _Run:
    """The phases of a run, between the start of its parts and the result."""

    setup: Setup
    names: Names
    connection: Connection
    timeline: Timeline
    injector: Injector
    supervisor: Supervisor
    feeder: Feeder
    reader: LiveReader
    positions: PositionWatch
    watch: Callable[[Progress], None]
    signals: Signals
    phase: str = "starting"
    stuck: list[str] = field(default_factory=list)

    def result(self) -> Result:
        """Perform the run."""
        self.supervisor.start()
        if not self._until(lambda: self.reader.flows(FLOW), STARTS_WITHIN):
            raise self._nothing_came()
        self.phase = "faults"
        self._inject_faults()
        self.phase = "settling"
        self._recover()
        self.feeder.stop()
        self._finish()
        self.phase = "counting"
        return self._count()

    def _nothing_came(self) -> NotMet:
        return NotMet(
            f"no record came out within {STARTS_WITHIN:g} s. The worker said: {self.supervisor.last_words()}",
            "It has to copy records from KDG_SOURCE to KDG_TARGET at the brokers KDG_BROKERS, as a member of "
            "KDG_GROUP.",
        )

    # ── waiting ──

    def _tick(self) -> None:
        """Wait a moment, and then look at everything: signals, actions that are due, workers, observers."""
        sleep(TICK)
        self._heed_signals()
        seen, injected = len(self.reader.values), self.injector.injected
        self.watch(Progress(self.phase, self.timeline.now, self.feeder.count, seen, injected))
        self.timeline.run_due()
        self.supervisor.look()
        self._raise_failures()

    def _until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Whether the condition becomes true within `seconds`; the run goes on meanwhile."""
        deadline = self.timeline.now + seconds
        while not condition():
            if self.timeline.now >= deadline:
                return False
            self._tick()
        return True

    def _heed_signals(self) -> None:
        if self.signals.received is not None:
            raise Interrupted(self.signals.received)

    def _raise_failures(self) -> None:
        for observer in (self.feeder, self.reader, self.positions):
            if observer.failure is not None:
                raise observer.failure

    # ── faults ──

    def _inject_faults(self) -> None:
        """Until the time is up, or until all records are fed where a number of records was given."""
        until = self.timeline.now + self.setup.seconds

        def over() -> bool:
            return self.timeline.now >= until if self.setup.records is None else self.feeder.finished

        planned = self._plan()
        while not over():
            fault = next(planned)
            self._until(over, fault.gap)
            if fault.patient:
                self._until(lambda: self.reader.flows(FLOW) or over(), self.setup.pace.flow_wait)
            self._until(partial(self._may_inject, fault), VICTIM_WITHIN)
            if not over():
                self.injector.inject(fault)

    def _may_inject(self, fault: PlannedFault) -> bool:
        return bool(self.injector.candidates(fault))

    def _plan(self) -> Iterator[PlannedFault]:
        brokers, transactional = len(self.injector.brokers), self.setup.guarantee.transactional
        kinds = faults.possible(self.setup.kinds, brokers, transactional=transactional)
        return faults.plan(self.setup.seed, kinds, self.setup.pace)

    # ── the end ──

    def _recover(self) -> None:
        """No more faults; wait until every worker and every broker runs again."""
        self.timeline.record("no more faults")
        self._until(lambda: self.injector.all_back, RECOVERS_WITHIN)

    def _finish(self) -> None:
        """Wait until the group has copied everything, end the workers, and wait until no transaction is open."""
        ends = self._source_ends()
        finished = self._seems_finished if self.setup.command else self._at_the_ends
        if not self._until(lambda: finished(ends), SETTLES_WITHIN) and not self.setup.command:
            self.stuck.append(f"the group did not reach the end: at {self.positions.positions} of {ends}")
        self.timeline.record(f"the group is at {self.positions.positions}")
        self.supervisor.terminate_all()
        self._until(lambda: self.supervisor.all_ended, ENDS_WITHIN + 5)
        if not eventually(self._all_visible, VISIBLE_WITHIN):
            self.stuck.append("a transaction stayed open in the target")

    def _at_the_ends(self, ends: Mapping[int, int]) -> bool:
        return self.positions.positions == ends

    def _seems_finished(self, ends: Mapping[int, int]) -> bool:
        """Whether another program seems to have copied everything, or to have given up.

        It may keep its positions elsewhere, or commit them long before or after its output.
        """
        if self.reader.flows(QUIET):
            return False
        if self._at_the_ends(ends) or not self.reader.flows(SILENT):
            return True
        return len(set(self.reader.values.values())) >= self.feeder.count

    def _all_visible(self) -> bool:
        self._heed_signals()
        return no_transaction_open(self.connection, self.names.target, self.setup.partitions)

    def _source_ends(self) -> dict[int, int]:
        found: dict[int, int] = {}

        def look() -> bool:
            self._heed_signals()
            found.update(end_offsets(self.connection, self.names.source, self.setup.partitions))
            return True

        eventually(look, 60.0)
        return found

    def _count(self) -> Result:
        """Stop the observers, compare both topics, and put the result together."""
        self.reader.stop()
        self.positions.stop()
        found = compare(
            self.connection, self.names, self.setup, self.feeder, self.reader, self.positions, self._heed_signals
        )
        for line in found.notes:
            self.timeline.record(line)
        injected = self.injector.injected
        counts = Counter(fault.kind for fault in injected)
        return Result(
            guarantee=self.setup.guarantee.name,
            protocol=self.setup.protocol,
            brokers=len(self.injector.brokers),
            seed=self.setup.seed,
            seconds=self.timeline.now,
            partitions=found.partitions,
            faults={kind.value: counts[kind] for kind in faults.ALL if kind in counts},
            while_flowing=sum(fault.while_flowing for fault in injected),
            exits=self.supervisor.exits,
            stuck=[*self.supervisor.late, *self.stuck, *found.stuck],
            wrong=found.wrong,
            history=self.timeline.history,
        )
