"""Owns the ports of the loop: what a Source, a Target and a Transaction have to do. Their implementations do the I/O.

The loop (kdg/core/pump.py) calls a port from one thread, one method at a time. A method that cannot do what it promises
raises a KdgError, and the class of the error says what the call left behind (`failure_of`):

    TryAgain         the call certainly had no effect: the loop goes back to the last settling and tries again
    OutcomeUnknown   the call may have had its effect: a transaction is looked up, the rest is undone if possible
    any other        trying again does not help: the run ends with this error

Any other exception is a defect of kdg. A method must not wait longer than about a second without looking at signals.

What waits for something outside Kafka, such as a command or the reader of stdout, for as long as it takes, is Work: the
method returns a generator, which waits for half a second at most and yields, until it is done. Between two such
waits the loop keeps the membership in the group (`Source.keep_alive`). Work that is given up is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Protocol, TypeVar

from kdg.core.records import Batch, Offsets, Origin, Position, TopicPartition
from kdg.core.state import Event, Failure
from kdg.errors import KdgError, OutcomeUnknown


class TryAgain(KdgError):
    """A call that certainly had no effect. exit_code: of the run, if this error repeats until the loop gives up."""

    def __init__(self, message: str, hint: str = "", exit_code: int = 1) -> None:
        super().__init__(message, hint)
        self.exit_code = exit_code


def failure_of(error: KdgError) -> Failure:
    """What a call that raised this error left behind."""
    if isinstance(error, TryAgain):
        return Failure.ABORTABLE
    return Failure.UNKNOWN if isinstance(error, OutcomeUnknown) else Failure.FINAL


T = TypeVar("T")

WORK_SECONDS = 0.25
"""Work waits about this long before it yields, and looks at signals as often."""

Work = Generator[None, None, T]
"""What a method returns that may wait for long: see above. Its result is what the generator returns."""


def carry_out(work: Work[T]) -> T:
    """The result of work that no membership depends on."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            result: T = done.value
            return result


Rebalance = Callable[[Event], None]
"""What a Source calls inside `read` and `keep_alive`, with Revoked or Lost. When it returns, nothing of the partitions
that are leaving will be settled any more."""

Filter = Callable[[Batch], Work[Batch]]
"""What changes a chunk between READ and WRITE."""


class Source(Protocol):
    """Where records come from, and the position in it.

    A source has two positions. The one it has reached is after every record that `read` returned. The settled one is
    where `settled` was last called; before that, it is where the run began. `read` moves the first, `settled` moves the
    second up to the first, and `rewind` moves the first back to the second.

    A source with partitions calls its Rebalance inside `read` and `keep_alive`, before partitions are gone. During that
    call the loop may call every other method. After it, `read` may return only records of partitions that are still
    owned.
    """

    def read(self, limit: int, timeout: float) -> Batch | None:
        """The next records, at most `limit`. None at the end of the input, and then at every later call as well.

        An empty batch if no record came within `timeout` seconds, or if a signal arrived; it does not mean the end.
        """

    def keep_alive(self) -> None:
        """Work takes long: show the group that this instance is alive. It may be called as often as one likes."""

    @property
    def incomplete(self) -> bool:
        """Whether a partition of the records that are not settled is gone.

        A partition that comes back with the settled position that it had is as if it had never left.
        """

    @property
    def empty_handed(self) -> bool:
        """Whether every partition of the records that are not settled is gone."""

    @property
    def rejoining(self) -> bool:
        """Whether the group is about to give out partitions: some of those that are gone may come back."""

    def positions(self) -> Sequence[Position]:
        """The position reached, for each partition that is still owned and has moved. Empty if the input has none.

        If the stored positions have become old (`moved`), also for partitions that have not moved.
        """

    def offsets(self) -> Offsets:
        """The settled position of every partition that this run has settled, also of those it has lost since."""

    @property
    def moved(self) -> bool:
        """Whether the position reached is to be settled: it differs from the settled one, or that one is old.

        It can move without a record, past markers.
        """

    def commit(self) -> None:
        """Store `positions` durably. When it returns, they are stored in every partition; otherwise it raises.

        The loop then calls `settled`. Nothing to do for an input without a position of its own.
        """

    def settled(self) -> None:
        """The position reached is durable now: through `commit`, or because a transaction with it was committed."""

    def rewind(self) -> None:
        """Go back to the settled position: `read` returns the later records again, from all partitions still owned."""

    def reload(self) -> bool:
        """Find out whether a commit whose outcome is unknown took effect, by looking up the durable position.

        True if it did: the position reached is settled. False if not: go back to the durable position, as `rewind`
        does. The transaction was recycled before, so that the answer cannot change any more. Raises an error, and not
        an answer, if the position cannot be looked up.
        """

    def release(self) -> None:
        """Forget the partitions that were revoked or lost: neither `positions` nor `read` returns them any more."""

    def close(self) -> None:
        """Leave the group and give back all resources, without a commit. It is called once, also after an error."""


class Target(Protocol):
    """Where records go."""

    def write(self, batch: Batch) -> Work[None] | None:
        """Take the records, in order. They may stay in a buffer until `flush`.

        A batch can be empty. An error means that any part of the batch may have been written.
        """

    def flush(self) -> Work[None] | None:
        """Deliver every record taken so far. When it is done, each has arrived, or was counted as undelivered.

        Raises if one has not arrived and the target does not count such records itself.
        """

    def close(self) -> None:
        """Give back all resources. Records that were not flushed may be dropped. It is called once."""


class Transaction(Protocol):
    """What makes the records of a Target and the position of a Source visible together.

    The loop calls `begin`, then writes and flushes the target, then `record`, then `commit`. It calls `abort` instead
    at any point after `begin`.
    """

    def begin(self) -> None:
        """Open a transaction; the records written from now on are part of it.

        A Kafka transaction takes the metadata of the consumer group now, and not in `record`: a member that has lost
        its partitions in between is refused because of it (hazard 4).
        """

    def record(self, positions: Sequence[Position]) -> None:
        """Add the position of the input to the open transaction."""

    def commit(self) -> None:
        """Make the records and the position visible. Raises OutcomeUnknown if it may or may not have happened."""

    def abort(self) -> None:
        """Drop the records and the position. When it returns, no later `commit` can make them visible."""

    def recycle(self) -> None:
        """Discard the client whose requests may still arrive, and create a new one that makes them void (hazard 1).

        It is called if an outcome is unknown. When it returns, the transaction is decided, one way or the other.
        """


class PositionStore(Protocol):
    """What keeps the positions of a Source instead of a consumer group: a file or a database that is a Sink."""

    def open(self, origin: Origin) -> None:
        """Use it for these topics only. Raises PositionGone if it holds positions of other topics by the same names."""

    def stored(self) -> Offsets:
        """The positions that it holds, for each partition."""

    def epochs(self) -> Mapping[TopicPartition, int | None]:
        """The leader epochs of these positions; None or left out where none is known (hazard 27)."""

    def keep(self, positions: Sequence[Position]) -> None:
        """Store these positions durably, without a record: where the partitions begin."""


class Sink(Target, Transaction, PositionStore, Protocol):
    """A Target that stores records and positions together. Exactly-once `consume` needs one."""


class Dedup(Protocol):
    """What drops records that were written before."""

    def filter(self, batch: Batch) -> Batch:
        """The batch without records that were written before, and with only the first of those that it holds twice."""

    def mark(self) -> None:
        """Remember everything that `filter` returned since the last call as written: it was written and flushed."""

    def forget(self) -> None:
        """Forget everything that `filter` returned and that is not marked: these records come again."""


class Signals(Protocol):
    """Says whether a signal has arrived. Real runs use kdg/runtime/signals.py."""

    @property
    def received(self) -> int | None:
        """The number of the first signal, or None."""


class NoDedup:
    """Drops nothing."""

    def filter(self, batch: Batch) -> Batch:
        """The whole batch."""
        return batch

    def mark(self) -> None:
        """Nothing to remember."""

    def forget(self) -> None:
        """Nothing to forget."""


class NoTransaction:
    """For a run without transactions: every method does nothing."""

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
