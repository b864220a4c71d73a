"""Owns the ports of the loop: what a Source, a Target and a Transaction have to do. Their implementations do the I/O.

Each method raises a KdgError when it cannot do what it says; `failure_of` tells the cycle what the failed call left
behind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from kdg.core.cycle import Event, Failure
from kdg.core.records import Batch, Offsets, Origin, Position
from kdg.errors import KdgError, OutcomeUnknown


class TryAgain(KdgError):
    """A call that was certainly without effect: abort, rewind and try again. Its exit code counts when it is given up."""

    def __init__(self, message: str, hint: str = "", exit_code: int = 1) -> None:
        super().__init__(message, hint)
        self.exit_code = exit_code


def failure_of(error: KdgError) -> Failure:
    """What an error of a port left behind."""
    if isinstance(error, TryAgain):
        return Failure.ABORTABLE
    return Failure.UNKNOWN if isinstance(error, OutcomeUnknown) else Failure.FINAL


Rebalance = Callable[[Event], None]
"""Called by a Source inside `read`, with Revoked or Lost; when it returns, what was open is settled or dropped."""


class Source(Protocol):
    """Where records come from."""

    def read(self, limit: int, timeout: float) -> Batch | None:
        """At most `limit` records; an empty batch when nothing came within `timeout` seconds or a signal did; None at the end."""

    def positions(self) -> Sequence[Position]:
        """Where to go on after everything that `read` handed out and that is still owned."""

    def offsets(self) -> Offsets:
        """What is settled so far in this run, for the report."""

    @property
    def moved(self) -> bool:
        """Whether `positions` differs from what was last settled."""

    def commit(self) -> None:
        """Store `positions` durably; on return it is certain."""

    def settled(self) -> None:
        """`positions` has become durable, through `commit` or in a transaction."""

    def rewind(self) -> None:
        """Hand out again what came after the last `settled`."""

    def reload(self) -> bool:
        """Ask where the position durably is, and go on from there; True when what was in doubt has taken effect."""

    def release(self) -> None:
        """Forget the partitions that were revoked or lost."""

    def close(self) -> None:
        """Leave in order; what is not settled stays unsettled."""


class Target(Protocol):
    """Where records go."""

    def write(self, batch: Batch) -> None:
        """Take the records, in order."""

    def flush(self) -> None:
        """On return, every record taken so far is where it belongs, or an error was raised or counted."""

    def close(self) -> None:
        """Give back what is held."""


class Transaction(Protocol):
    """What binds a Target to a Source's position."""

    def begin(self) -> None:
        """Open a transaction; the group's metadata is taken now (HAZARDS.md 4)."""

    def record(self, positions: Sequence[Position]) -> None:
        """Add the input's position to it."""

    def commit(self) -> None:
        """Make all of it visible."""

    def abort(self) -> None:
        """Make none of it visible."""

    def recycle(self) -> None:
        """Replace what a late request could still act on."""


class PositionStore(Protocol):
    """What keeps the positions of a Source durably, in the place of a group: a sink."""

    def open(self, origin: Origin) -> None:
        """Take it for these topics alone. Raises PositionGone when it holds positions of other ones by the same names."""

    def stored(self) -> Offsets:
        """The positions that it holds."""

    def keep(self, positions: Sequence[Position]) -> None:
        """Make these durable, without a record: where partitions begin."""


class Sink(Target, Transaction, PositionStore, Protocol):
    """A Target that holds records and positions together: exactly-once can end in it."""


class Dedup(Protocol):
    """What drops records that were written before."""

    def filter(self, batch: Batch) -> Batch:
        """The batch without them, and without what it holds twice itself."""

    def mark(self) -> None:
        """Everything that `filter` let through is written and flushed: from now on it counts as seen."""

    def forget(self) -> None:
        """What was let through and not marked will come again."""


Filter = Callable[[Batch], Batch]
"""What changes a chunk between READ and WRITE."""


class Signals(Protocol):
    """Says whether a signal has arrived; kdg/runtime/signals.py is the implementation that real runs use."""

    @property
    def received(self) -> int | None:
        """The number of the first signal, or None."""


class NoDedup:
    """Every record is let through."""

    def filter(self, batch: Batch) -> Batch:
        """All of it."""
        return batch

    def mark(self) -> None:
        """Nothing to mark."""

    def forget(self) -> None:
        """Nothing to forget."""


class NoTransaction:
    """For a target and a source that need none: the steps do nothing."""

    def begin(self) -> None:
        """Nothing to open."""

    def record(self, positions: Sequence[Position]) -> None:
        """Nothing to add to."""

    def commit(self) -> None:
        """Nothing to commit."""

    def abort(self) -> None:
        """Nothing to abort."""

    def recycle(self) -> None:
        """Nothing to replace."""
