"""Owns what is told of a run while it is on. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kdg.verify.faults import Kind


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault that was made: when, in seconds of the run, which, and whether records flowed."""

    seconds: float
    kind: Kind
    bites: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands. fed: acknowledged in the source; seen: in the target, for a read_committed reader."""

    phase: str
    seconds: float
    fed: int
    seen: int
    strikes: Sequence[Strike]

    @property
    def lag(self) -> int:
        """How many records are yet to come, doubled ones not known."""
        return max(self.fed - self.seen, 0)
