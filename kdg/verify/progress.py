"""Owns what the live view of a run is given. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kdg.verify.faults import FaultKind


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """A fault that was injected.

    seconds: since the run began. while_flowing: whether records flowed at that moment.
    """

    seconds: float
    kind: FaultKind
    while_flowing: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a run.

    fed: records acknowledged in the source. seen: records that a read_committed reader saw in the target.
    """

    phase: str
    seconds: float
    fed: int
    seen: int
    faults: Sequence[InjectedFault]

    @property
    def lag(self) -> int:
        """How many records are still to come; it is too small while some are duplicated."""
        return max(self.fed - self.seen, 0)
