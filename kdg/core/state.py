"""Owns the words in which the loop is decided: the cycle of a run, its state, what is done, and what can happen. Pure.

chunk      The records of one READ, and the steps they go through: filter, write. A READ without records skips these.
interval   The time from one settling to the next. The records of all its chunks are one batch.
settling   The steps that make a batch and the position after it durable: flush the target and commit the position,
           or commit a transaction that contains both. Nobody reads settled records again.
unsettled  There is something to settle: records, or a position that moved without a record, because READ passed
           the markers that transactions leave in a partition.
open       A transaction is open, from BEGIN to its commit or abort. It covers one interval: BEGIN is a step of every
           chunk, and is skipped while a transaction is open.
whole      The input is one transaction: all of it becomes visible, or nothing. It has no position to go back to, so
           it is settled only at its end, nothing of it is tried again, and a signal aborts it.
work       An action that waits for something outside Kafka, such as a command or the reader of stdout, for as long
           as it takes. Partitions can come and go meanwhile.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, StrEnum

from kdg.core.guarantees import Guarantee, Step


class Control(StrEnum):
    """The actions of the loop that are not steps of the table."""

    ABORT = "abort"
    """End the open transaction without effect."""
    REWIND = "rewind"
    """Go back to the last settled position, in every partition that is still owned; drop the records in hand."""
    RECYCLE = "recycle"
    """Replace the producer, so that no request of the old one can take effect any more (hazard 1)."""
    RELOAD = "reload"
    """Go back to the position that is durably stored; it shows whether a commit in doubt took effect."""
    RELEASE = "release"
    """Let go of the partitions that were revoked or lost."""
    FINISH = "finish"
    """Leave the loop."""


Action = Step | Control


class Failure(Enum):
    """What a failed action leaves behind."""

    ABORTABLE = "certainly without effect: it can be tried again from the last settling"
    UNKNOWN = "it may have taken effect"
    FINAL = "trying again does not help"


class StopReason(Enum):
    """Why the loop is going to end."""

    COMPLETE = "everything that was asked for is read"
    EARLY = "a signal, a deadline or an error"


class Kind(Enum):
    """How a cycle settles. It decides how a failure is undone."""

    TRANSACTION = "records and position become durable together"
    COMMIT_FIRST = "the position is committed before the records are written"
    COMMIT_LAST = "the position is committed after the records are written"


@dataclass(frozen=True, slots=True)
class Cycle:
    """The steps of a guarantee, for one run.

    chunk, interval, end: as in the table. settles: the source has a position to settle, or the target a transaction to
    end; otherwise an interval has nothing to do. whole: the input is one transaction.
    """

    chunk: tuple[Step, ...]
    interval: tuple[Step, ...]
    end: tuple[Step, ...]
    settles: bool = True
    whole: bool = False

    @classmethod
    def of(cls, guarantee: Guarantee, *, settles: bool = True, whole: bool = False) -> Cycle:
        """The cycle of a guarantee."""
        return cls(guarantee.chunk, guarantee.interval, guarantee.end, settles=settles, whole=whole)

    @property
    def kind(self) -> Kind:
        """How the cycle settles a batch: with a commit before or after the write, or in a transaction."""
        if Step.BEGIN in self.chunk:
            return Kind.TRANSACTION
        return Kind.COMMIT_FIRST if Step.COMMIT in self.chunk else Kind.COMMIT_LAST


@dataclass(frozen=True, slots=True)
class State:
    """Where a run is.

    todo: the actions that are already decided, the next one first. unsettled, open: see the words above. retries:
    failures since the last settling. stop_reason: why the run is going to end; None if it goes on.
    """

    todo: tuple[Action, ...] = ()
    unsettled: bool = False
    open: bool = False
    retries: int = 0
    stop_reason: StopReason | None = None


@dataclass(frozen=True, slots=True)
class Did:
    """The first action of `todo` was performed. records: how many a READ brought. moved: READ moved the position."""

    action: Action
    records: int = 0
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """The first action of `todo` failed. failure: what it left behind."""

    action: Action
    failure: Failure


@dataclass(frozen=True, slots=True)
class Revoked:
    """The group takes partitions away and waits: there is time to settle. within: how many seconds the group waits."""

    within: float = math.inf


@dataclass(frozen=True, slots=True)
class Lost:
    """Partitions are gone, and may have another owner: nothing of them may be settled.

    Work that was not done in the time of a Revoked is reported as Lost, too.
    """


@dataclass(frozen=True, slots=True)
class Gone:
    """Partitions were lost for good, and the batch in work has records of them. everything: all its partitions were."""

    everything: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """The run has to end. stop_reason: why."""

    stop_reason: StopReason


Event = Did | Failed | Revoked | Lost | Gone | Stop
