"""Owns the world in which the model of crashes runs the cycle: what a command is, and what each action does. Pure.

The world is as small as it can be. Records are the numbers 0, 1, 2 and so on. A position is a number, too: how many
records lie before it. Reading takes the next records into the hand of the process; writing moves them from the hand to
the target.

Where a written record goes depends on the command (Shape):

    visible   the target has it and every reader sees it; it survives a crash
    buffer    the client library still has it: a flush delivers it, a crash may deliver all, a part or nothing of it
    staged    it is part of an open transaction: a commit makes it visible, an abort or a crash drops it

Three things survive a crash: the visible records, the position that was committed last (durable), and the marks of
deduplication (marked). Everything else is memory of the process. Restart says where the next process begins to read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from typing import NamedTuple

from kdg.core.guarantees import Guarantee, Step
from kdg.core.state import Action, Control, Cycle


class Shape(NamedTuple):
    """A command, as far as it matters for a crash.

    command: its name, such as "pipe --dedup-store". has: the steps that do something in it. stored: its input has a
    position that survives a crash. binds: its target can take part in a transaction. needs: steps that a guarantee must
    have for the command to exist under it.

    buffered: records that were written can still be in a buffer, and arrive with FLUSH at the latest. held: they arrive
    with FLUSH and not before, unless the position is committed first.

    dedup: marks survive a crash (`--dedup-store`). joined: marks are stored in the same transaction as the records.
    """

    command: str
    has: frozenset[Step]
    stored: bool
    buffered: bool
    binds: bool
    needs: frozenset[Step] = frozenset()
    held: bool = False
    dedup: bool = False
    joined: bool = False

    def serves(self, guarantee: Guarantee) -> bool:
        """Whether the command exists under this guarantee."""
        return (self.binds or not guarantee.transactional) and self.needs <= set(guarantee.steps)

    def under(self, guarantee: Guarantee) -> Shape:
        """The same command, as it works under a guarantee: nothing is held back if the position is committed first."""
        return self._replace(held=False, buffered=False) if self.held and guarantee.commits_first else self

    def cycle(self, guarantee: Guarantee) -> Cycle:
        """The cycle of the command. An input without a position becomes one transaction, or is not settled at all."""
        return Cycle.of(guarantee, settles=self.stored, whole=guarantee.transactional and not self.stored)


_PRODUCE = frozenset({Step.READ, Step.BEGIN, Step.WRITE, Step.FLUSH, Step.COMMIT_TRANSACTION})
_CONSUME = frozenset({Step.READ, Step.DEDUP, Step.WRITE, Step.FLUSH, Step.MARK, Step.COMMIT})
_SINK = _CONSUME | {Step.BEGIN, Step.RECORD_POSITION, Step.COMMIT_TRANSACTION}
_RESUME = _PRODUCE | {Step.RECORD_POSITION}
_RECORDS_POSITION = frozenset({Step.RECORD_POSITION})
_DEDUPS = frozenset({Step.DEDUP})

# Exactly-once `consume` needs a destination that keeps positions: a group and a pipe cannot be bound together.
_PLAIN = (
    Shape("produce", _PRODUCE, stored=False, buffered=True, binds=True),
    Shape("produce --resume", _RESUME, stored=True, buffered=True, binds=True, needs=_RECORDS_POSITION),
    Shape("consume", _CONSUME, stored=True, buffered=False, binds=False),
    Shape("consume --output", _SINK, stored=True, buffered=False, binds=True),
    Shape("consume --sqlite", _SINK, stored=True, buffered=True, held=True, binds=True),
    Shape("consume -- CMD", _CONSUME, stored=True, buffered=True, held=True, binds=False),
    Shape("pipe", frozenset(Step), stored=True, buffered=True, binds=True),
)
_WITH_STORE = tuple(
    shape._replace(
        command=" ".join((*shape.command.split()[:1], "--dedup-store", *shape.command.split()[1:])),
        needs=_DEDUPS,
        dedup=True,
        joined=shape.command == "consume --sqlite",
    )
    for shape in _PLAIN
    if Step.DEDUP in shape.has
)
SHAPES = {shape.command: shape for shape in _PLAIN + _WITH_STORE}
"""Every command, by its name."""


def steps_of(guarantee: Guarantee, command: str) -> tuple[Step, ...]:
    """The steps of a guarantee that do something in a command, in order. Raises KeyError for an unknown command."""
    return tuple(step for step in guarantee.steps if step in SHAPES[command].has)


class Restart(Enum):
    """Where the process that runs after a crash begins to read."""

    STORED = "at the position that survived"
    AGAIN = "at the beginning of the input"
    NEVER = "nowhere: nobody reads the input again"
    LOOKED_UP = "at the beginning, unless a look at the target shows all records"

    @classmethod
    def of(cls, guarantee: Guarantee, shape: Shape) -> Restart:
        """How a guarantee treats the input of a command after a crash."""
        if shape.stored:
            return cls.STORED
        if guarantee.transactional:
            return cls.LOOKED_UP
        return cls.AGAIN if guarantee.reads_again else cls.NEVER


class World(NamedTuple):
    """One process and the cluster around it.

    shape, restart: the command, and where its next process begins. total: records in the input. chunk: records that one
    READ brings.

    In the memory of the process: at, the position after the last record read; hand, the records of this chunk that are
    not written yet; last, the records of the chunk that was read last; settled, the position to go back to; buffer and
    staged, as above; staged_position, the position that is part of the transaction; open, whether a transaction is
    open.

    Surviving a crash: durable, the committed position; visible, the records in the target; marked, the position up to
    which deduplication has marked records as written.
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
        """Every world that a crash can leave: none, some or all of the buffer has arrived; in a transaction none."""
        for arrived in range(1 if self.open or self.shape.held else len(self.buffer) + 1):
            yield self._replace(visible=self.visible + self.buffer[:arrived], buffer=self.buffer[arrived:])

    def restarted(self) -> World:
        """The world of the next process, at its start."""
        seen = set(range(self.total)) <= set(self.visible)
        start = {
            Restart.STORED: self.durable,
            Restart.AGAIN: 0,
            Restart.NEVER: self.total,
            Restart.LOOKED_UP: self.total if seen else 0,
        }[self.restart]
        return World(
            self.shape,
            self.restart,
            self.total,
            self.chunk,
            at=start,
            settled=start,
            durable=self.durable,
            visible=self.visible,
            marked=self.marked,
        )


# ── what each action does ──


def _read(world: World) -> World:
    hand = tuple(range(world.at, min(world.at + world.chunk, world.total)))
    return world._replace(hand=hand, last=hand or world.last, at=world.at + len(hand))


def _dedup(world: World) -> World:
    if not world.shape.dedup:
        return world
    return world._replace(hand=tuple(record for record in world.hand if record >= world.marked))


def write(world: World) -> World:
    """Write the records in hand."""
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


EFFECT: dict[Action, Callable[[World], World]] = {
    Step.READ: _read,
    Step.FILTER: lambda world: world,
    Step.DEDUP: _dedup,
    Step.BEGIN: _begin,
    Step.WRITE: write,
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
"""The world after an action, from the world before it."""
