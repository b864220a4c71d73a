"""Owns what a crash does to a guarantee, found out by trying: no outcome in here is asserted by hand.

The cycle runs as `kdg/core/cycle.py` decides it, against an ideal world of a few records: an input read in chunks, a
durable position, a target, a transaction. It crashes at a point, starts again from what is durable, runs to its end,
and each record's fate is looked up in the result. `kdg explain` prints `crash_table`; the unit tests run the same model
over every point; and `--crash-at` makes the same rows true on a real broker. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from functools import lru_cache
from typing import Literal, NamedTuple

from kdg.core.cycle import Action, Control, Cycle, Did, Failed, Failure, State, Stop, StopReason, advance, plan
from kdg.core.guarantees import Guarantee, Step

Moment = Literal["in", "after"]


class CrashRow(NamedTuple):
    """What a crash in or after a step may do, the first time the step comes or any other."""

    step: Step
    moment: Moment
    may_lose: bool
    may_duplicate: bool
    sentence: str


class Shape(NamedTuple):
    """A command, as far as a crash is concerned.

    has: the steps that do something in it. stored: its input has a durable position. buffered: what is written arrives
    by FLUSH, and perhaps before. binds: its target can join a transaction. flag: a guarantee must take this flag.
    held: what is written arrives with FLUSH and not before, unless the position is committed first.
    dedup: marks outlive the crash (`--dedup-store`). joined: they become durable together with the records.
    """

    command: str
    has: frozenset[Step]
    stored: bool
    buffered: bool
    binds: bool
    flag: str = ""
    held: bool = False
    dedup: bool = False
    joined: bool = False

    def serves(self, row: Guarantee) -> bool:
        """Whether the command exists under this guarantee."""
        return (self.binds or not row.transactional) and (not self.flag or self.flag in row.flags)

    def under(self, row: Guarantee) -> Shape:
        """The same in a guarantee's cycle."""
        return self._replace(held=False, buffered=False) if self.held and row.commits_first else self

    def cycle(self, row: Guarantee) -> Cycle:
        """The cycle that this command runs; an input without a position is one transaction, or none."""
        return Cycle.of(row, settles=self.stored, whole=row.transactional and not self.stored)


_PRODUCE = frozenset({Step.READ, Step.BEGIN, Step.WRITE, Step.FLUSH, Step.COMMIT_TRANSACTION})
_CONSUME = frozenset({Step.READ, Step.DEDUP, Step.WRITE, Step.FLUSH, Step.MARK, Step.COMMIT})

_SINK = _CONSUME | {Step.BEGIN, Step.RECORD_POSITION, Step.COMMIT_TRANSACTION}
_PIPE = frozenset(Step)

# Exactly-once `consume` needs a sink that keeps positions: a group and a pipe cannot be bound together.
_PLAIN = (
    Shape("produce", _PRODUCE, stored=False, buffered=True, binds=True),
    Shape(
        "produce --resume", _PRODUCE | {Step.RECORD_POSITION}, stored=True, buffered=True, binds=True, flag="--resume"
    ),
    Shape("consume", _CONSUME, stored=True, buffered=False, binds=False),
    Shape("consume --output", _SINK, stored=True, buffered=False, binds=True),
    Shape("consume --sqlite", _SINK, stored=True, buffered=True, held=True, binds=True),
    Shape("consume -- CMD", _CONSUME, stored=True, buffered=True, held=True, binds=False),
    Shape("pipe", _PIPE, stored=True, buffered=True, binds=True),
)
_WITH_STORE = tuple(
    shape._replace(
        command=" ".join((*shape.command.split()[:1], "--dedup-store", *shape.command.split()[1:])),
        flag="--dedup-store",
        dedup=True,
        joined=shape.command == "consume --sqlite",
    )
    for shape in _PLAIN
    if Step.DEDUP in shape.has
)
SHAPES = {shape.command: shape for shape in _PLAIN + _WITH_STORE}
"""By command."""


class Restart(Enum):
    """Where a second run begins."""

    STORED = "at the position that is durable"
    AGAIN = "at the beginning of the input"
    NEVER = "nowhere: nothing reads the input again"
    LOOKED_UP = "at the beginning, unless a look at the target shows all of it"

    @classmethod
    def of(cls, row: Guarantee, shape: Shape) -> Restart:
        """How a row treats a command's input after a crash."""
        if shape.stored:
            return cls.STORED
        if row.transactional:
            return cls.LOOKED_UP
        return cls.AGAIN if row.reads_again else cls.NEVER


class Fate(Enum):
    """What became of a record, between the crash and the end of the second run."""

    UNTOUCHED = "nothing happened; read again"
    ABORTED = "aborted; read again"
    SETTLED = "settled"
    LOST = "lost"
    DUPLICATED = "written twice"


class World(NamedTuple):
    """An ideal cluster and one process. Records are numbers; a position is how many of them lie behind it.

    at, hand, last, settled, buffer and staged die with the process; durable, visible and marked do not.
    """

    shape: Shape
    restart: Restart
    total: int
    chunk: int
    at: int = 0
    hand: tuple[int, ...] = ()
    last: tuple[int, ...] = ()
    settled: int = 0
    buffer: tuple[int, ...] = ()
    staged: tuple[int, ...] = ()
    staged_position: int | None = None
    open: bool = False
    durable: int = 0
    visible: tuple[int, ...] = ()
    marked: int = 0

    def crashed(self) -> Iterator[World]:
        """What may be left of it: of the writes under way none, some or all have arrived, unless in a transaction."""
        for arrived in range(1 if self.open or self.shape.held else len(self.buffer) + 1):
            yield self._replace(visible=self.visible + self.buffer[:arrived], buffer=self.buffer[arrived:])

    def restarted(self) -> World:
        """The next process, at its start."""
        seen = set(range(self.total)) <= set(self.visible)
        start = {
            Restart.STORED: self.durable,
            Restart.AGAIN: 0,
            Restart.NEVER: self.total,
            Restart.LOOKED_UP: self.total if seen else 0,
        }[self.restart]
        return World(
            self.shape, self.restart, self.total, self.chunk, start, settled=start,
            durable=self.durable, visible=self.visible, marked=self.marked,
        )  # fmt: skip


def _read(world: World) -> World:
    hand = tuple(range(world.at, min(world.at + world.chunk, world.total)))
    return world._replace(hand=hand, last=hand or world.last, at=world.at + len(hand))


def _dedup(world: World) -> World:
    if not world.shape.dedup:
        return world
    return world._replace(hand=tuple(record for record in world.hand if record >= world.marked))


def _write(world: World) -> World:
    if world.shape.buffered:
        return world._replace(buffer=world.buffer + world.hand)
    if world.open:
        return world._replace(staged=world.staged + world.hand)
    return world._replace(visible=world.visible + world.hand)


def _flush(world: World) -> World:
    if world.open:
        return world._replace(staged=world.staged + world.buffer, buffer=())
    flushed = world._replace(visible=world.visible + world.buffer, buffer=())
    return _mark(flushed) if world.shape.joined else flushed


def _mark(world: World) -> World:
    return world._replace(marked=max(world.marked, world.at))


def _commit(world: World) -> World:
    return world._replace(durable=world.at if world.shape.stored else world.durable, settled=world.at)


def _begin(world: World) -> World:
    if world.open:
        raise ValueError("a transaction is open")
    return world._replace(open=True)


def _record_position(world: World) -> World:
    if not world.shape.stored:
        return world
    return world._replace(staged_position=world.at) if world.open else world._replace(durable=world.at)


def _commit_transaction(world: World) -> World:
    if not world.open:
        raise ValueError("no transaction is open")
    durable = world.durable if world.staged_position is None else world.staged_position
    after = world._replace(visible=world.visible + world.staged, durable=durable, settled=world.at)
    return after._replace(open=False, staged=(), staged_position=None)


def _abort(world: World) -> World:
    return world._replace(open=False, staged=(), staged_position=None, buffer=())


def _rewind(world: World) -> World:
    return world._replace(at=world.settled, hand=(), last=())


def _reload(world: World) -> World:
    return _rewind(world._replace(settled=world.durable))


_EFFECT: dict[Action, Callable[[World], World]] = {
    Step.READ: _read,
    Step.FILTER: lambda world: world,
    Step.DEDUP: _dedup,
    Step.BEGIN: _begin,
    Step.WRITE: _write,
    Step.FLUSH: _flush,
    Step.MARK: _mark,
    Step.COMMIT: _commit,
    Step.RECORD_POSITION: _record_position,
    Step.COMMIT_TRANSACTION: _commit_transaction,
    Control.ABORT: _abort,
    Control.RECYCLE: _abort,
    Control.REWIND: _rewind,
    Control.RELOAD: _reload,
    Control.RELEASE: lambda world: world,
}


class Fault(NamedTuple):
    """The `number`th action of a run (from 0) fails; `took_effect` tells whether it was done all the same."""

    number: int
    failure: Failure
    took_effect: bool = False


class Act(NamedTuple):
    """One action of a run: the world before and after it, and how often it had been done by then."""

    action: Action
    times: int
    before: World
    after: World

    def interrupted(self) -> Iterator[World]:
        """The worlds that a crash inside the action may find: as before, as after, or with a part of it written."""
        yield self.before
        yield self.after
        if self.action is Step.WRITE:
            for part in range(1, len(self.before.hand)):
                yield _write(self.before._replace(hand=self.before.hand[:part]))


_LONGEST = 1000
"""Actions of a run; the model's inputs are small."""


class History(NamedTuple):
    """What a run did, in order; ended_early: it gave up."""

    acts: tuple[Act, ...]
    world: World
    ended_early: bool


def run(cycle: Cycle, world: World, settle_every: int, faults: Sequence[Fault] = ()) -> History:
    """Let the cycle run to its end. It settles after `settle_every` chunks; a fault is an action that fails."""
    by_number = {fault.number: fault for fault in faults}
    state, acts, done = State(), list[Act](), Counter[Action]()
    waiting = 0
    while True:
        if not state.todo:
            state = plan(cycle, state, due=waiting >= settle_every)
        if not state.todo or len(acts) > _LONGEST:
            raise ValueError("the cycle does not come to an end")
        action = state.todo[0]
        if action is Control.FINISH:
            return History(tuple(acts), world, state.stop_reason is StopReason.EARLY)
        before, fault = world, by_number.get(len(acts))
        if fault is None:
            world = _EFFECT[action](world)
        elif fault.took_effect:  # and the process does not know it
            world = _EFFECT[action](world)._replace(settled=before.settled)
        done[action] += 1
        acts.append(Act(action, done[action], before, world))
        if fault is not None:
            state, waiting = advance(cycle, state, Failed(action, fault.failure)), 0
            continue
        waiting = 0 if action in (Step.COMMIT, Step.COMMIT_TRANSACTION) else waiting + (action is Step.READ)
        state = _advance(cycle, state, action, world)


def _advance(cycle: Cycle, state: State, action: Action, world: World) -> State:
    records = len(world.hand) if action is Step.READ else 0
    if action is Step.READ and not records:
        state = advance(cycle, state, Stop(StopReason.COMPLETE))
    return advance(cycle, state, Did(action, records=records))


class Outcome(NamedTuple):
    """One possible end of a crash and what follows it, by record."""

    fates: tuple[Fate, ...]

    @property
    def lost(self) -> bool:
        """Whether a record is missing."""
        return Fate.LOST in self.fates

    @property
    def duplicated(self) -> bool:
        """Whether a record came more than once."""
        return Fate.DUPLICATED in self.fates


class Point(NamedTuple):
    """A crash, and every way in which it can end. hand: the records of the chunk it struck; earlier: those before."""

    action: Action
    moment: Moment
    times: int
    hand: tuple[int, ...]
    earlier: tuple[int, ...]
    outcomes: frozenset[Outcome]


def crash_points(
    row: Guarantee, shape: Shape, total: int, chunk: int, settle_every: int, crashes: int = 1
) -> Iterator[Point]:
    """Every point at which a run can crash; with `crashes` > 1, the runs that follow crash at every point as well."""
    shape = shape.under(row)
    cycle = shape.cycle(row)
    start = World(shape, Restart.of(row, shape), total, chunk)
    known: dict[World, frozenset[Outcome]] = {}
    for act in run(cycle, start, settle_every).acts:
        for moment, worlds in (("in", act.interrupted()), ("after", iter((act.after,)))):
            outcomes = frozenset[Outcome]()
            for world in worlds:
                if world not in known:
                    known[world] = frozenset(_outcomes(cycle, world, settle_every, crashes))
                outcomes |= known[world]
            hand = act.after.hand if act.action is Step.READ else act.after.last
            earlier = tuple(range(min(hand, default=act.after.at)))
            yield Point(act.action, "in" if moment == "in" else "after", act.times, hand, earlier, outcomes)


def _outcomes(cycle: Cycle, world: World, settle_every: int, crashes: int) -> Iterator[Outcome]:
    for left in world.crashed():
        for visible in _ends(cycle, left, settle_every, crashes - 1):
            yield Outcome(tuple(_fate(record, left, visible) for record in range(world.total)))


def _ends(cycle: Cycle, left: World, settle_every: int, crashes: int) -> Iterator[tuple[int, ...]]:
    """What is visible when the next run is over and, with more crashes to come, when those after it are."""
    start = left.restarted()
    yield left.visible + _undisturbed(cycle, start._replace(visible=()), settle_every)
    if crashes:
        worlds = {world for act in run(cycle, start, settle_every).acts for world in act.after.crashed()}
        for world in worlds:
            yield from _ends(cycle, world, settle_every, crashes - 1)


@lru_cache(maxsize=1024)
def _undisturbed(cycle: Cycle, start: World, settle_every: int) -> tuple[int, ...]:
    """What a whole run adds to the target; most crashes leave one of a few beginnings."""
    return run(cycle, start, settle_every).world.visible


def outcomes_of_faults(
    row: Guarantee, shape: Shape, total: int, chunk: int, settle_every: int, faults: Sequence[Fault]
) -> Iterator[Outcome]:
    """How a run ends in which actions fail; one that gives up is started again, as after a crash."""
    shape = shape.under(row)
    cycle = shape.cycle(row)
    history = run(cycle, World(shape, Restart.of(row, shape), total, chunk), settle_every, faults)
    if history.ended_early:
        yield from _outcomes(cycle, history.world, settle_every, 1)
    else:
        yield Outcome(tuple(_fate(record, history.world, history.world.visible) for record in range(total)))


def _fate(record: int, left: World, visible: Sequence[int]) -> Fate:
    """left: the world as the crash left it. visible: in the target when the last run is over."""
    count = visible.count(record)
    if count != 1:
        return Fate.DUPLICATED if count else Fate.LOST
    if record in left.visible:
        return Fate.SETTLED
    return Fate.ABORTED if left.open and record in left.staged + left.buffer else Fate.UNTOUCHED


_F, _R = Fate, Restart
SENTENCES: dict[tuple[frozenset[Fate], Restart | None], str] = {
    (frozenset({_F.UNTOUCHED}), None): "nothing happened; read again",
    (frozenset({_F.ABORTED}), None): "the transaction is aborted; read again",
    (frozenset({_F.ABORTED, _F.SETTLED}), _R.STORED): "committed or aborted as a whole; the next start finds out which",
    (frozenset({_F.ABORTED, _F.SETTLED}), _R.LOOKED_UP): "committed or aborted as a whole; look before a second run",
    (frozenset({_F.SETTLED}), _R.STORED): "settled; the next start goes on after it",
    (frozenset({_F.SETTLED}), _R.LOOKED_UP): "committed as a whole; look before a second run",
    (frozenset({_F.SETTLED}), _R.NEVER): "all of it was sent",
    (frozenset({_F.LOST}), _R.STORED): "committed but not yet written: lost",
    (frozenset({_F.LOST}), _R.NEVER): "not yet sent, and the input is not read again: lost",
    (frozenset({_F.LOST, _F.SETTLED}), _R.STORED): "committed, perhaps not yet arrived: what has not is lost",
    (frozenset({_F.LOST, _F.SETTLED}), _R.NEVER): "what has not arrived is lost; the input is not read again",
    (frozenset({_F.LOST, _F.UNTOUCHED}), None): "if committed, lost; if not, read again",
    (frozenset({_F.DUPLICATED}), _R.STORED): "written but not committed: written again",
    (frozenset({_F.DUPLICATED}), _R.AGAIN): "written, and written again by a second run",
    (frozenset({_F.DUPLICATED, _F.UNTOUCHED}), _R.STORED): "perhaps written, not committed: perhaps written again",
    (frozenset({_F.DUPLICATED, _F.UNTOUCHED}), _R.AGAIN): "perhaps written, and written again by a second run",
    (frozenset({_F.DUPLICATED, _F.SETTLED}), None): "written; if not committed, written again",
    (frozenset({_F.SETTLED, _F.UNTOUCHED}), None): "perhaps written; what is not is read again",
}
"""What the fates of the records in hand are called; None stands for any restart."""

_EARLIER = {
    Fate.LOST: "what was sent before it may be lost",
    Fate.DUPLICATED: "what was written before it is written again",
}
"""Said besides, when records before those in hand share a worse fate."""

_BOTH_WAYS = (Step.COMMIT, Step.COMMIT_TRANSACTION)


def crash_table(row: Guarantee, command: str) -> tuple[CrashRow, ...]:
    """What a crash at each step of a command does under a guarantee; empty where the command does not exist.

    Raises KeyError for a command that is not in SHAPES.
    """
    shape = SHAPES[command]
    if not shape.serves(row):
        return ()
    points = [p for settle_every in (1, 2) for p in crash_points(row, shape, 3, 1, settle_every)]
    places: list[tuple[Step, Moment]] = []
    for step in steps_of(row, command):
        places += [(step, "in"), (step, "after")] if step in _BOTH_WAYS else [(step, "after")]
    return tuple(_crash_row(row, shape, step, moment, points) for step, moment in places)


def steps_of(row: Guarantee, command: str) -> tuple[Step, ...]:
    """The steps of a guarantee's cycle that do something in a command, in order."""
    return tuple(step for step in row.steps if step in SHAPES[command].has)


def _crash_row(row: Guarantee, shape: Shape, step: Step, moment: Moment, points: Sequence[Point]) -> CrashRow:
    here = [p for p in points if p.action is step and p.moment == moment]
    outcomes = {outcome for point in here for outcome in point.outcomes}
    hand = frozenset(o.fates[record] for p in here for o in p.outcomes for record in p.hand)
    earlier = frozenset(o.fates[record] for p in here for o in p.outcomes for record in p.earlier)
    may_lose, may_duplicate = any(o.lost for o in outcomes), any(o.duplicated for o in outcomes)
    return CrashRow(step, moment, may_lose, may_duplicate, _sentence(hand, earlier, Restart.of(row, shape)))


def _sentence(hand: frozenset[Fate], earlier: frozenset[Fate], restart: Restart) -> str:
    known = SENTENCES.get((hand, restart)) or SENTENCES.get((hand, None))
    words = known or " or ".join(sorted(fate.value for fate in hand))
    return words + "".join(f" ({said})" for fate, said in _EARLIER.items() if fate in earlier - hand)
