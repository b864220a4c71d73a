"""Owns what a run found, and how it is written down: one Result a run, a table of all. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from kdg.core.guarantees import Guarantee
from kdg.verify.counting import Tally, breaches, total

BITES = 0.6
"""The share of the faults that has to hit while records flow."""


@dataclass(frozen=True, slots=True)
class Exit:
    """A worker that ended otherwise than it was told to. code: as subprocess gives it; after: the faults shortly before.

    expected: those faults explain it.
    """

    worker: int
    code: int
    seconds: float
    after: tuple[str, ...]
    said: str
    expected: bool


@dataclass(frozen=True, slots=True)
class Result:
    """One run. faults: how many of each kind; biting: those that hit while records flowed.

    stuck: what was not settled in the end although nothing was broken any more. wrong: which records, by name.
    """

    guarantee: str
    protocol: str
    brokers: int
    seed: int
    seconds: float
    partitions: Mapping[int, Tally]
    faults: Mapping[str, int]
    biting: int
    exits: Sequence[Exit] = ()
    stuck: Sequence[str] = ()
    wrong: Mapping[str, Sequence[str]] = field(default_factory=dict)
    history: Sequence[str] = ()

    @property
    def tally(self) -> Tally:
        """All partitions together."""
        return total(self.partitions)

    @property
    def struck(self) -> int:
        """How many faults there were."""
        return sum(self.faults.values())

    def too_few(self, least: int = 1) -> list[str]:
        """Why the run shows nothing, although nothing broke; empty when at least so many faults, and most of them, hit the flow."""
        if self.biting >= max(least, BITES * self.struck):
            return []
        return [f"only {self.biting} of {self.struck} faults hit while records flowed"]

    @property
    def unexpected(self) -> list[Exit]:
        """The exits that nothing explains."""
        return [each for each in self.exits if not each.expected]

    def breaches(self, row: Guarantee) -> list[str]:
        """In which ways the promise was broken, stuck and odd exits included; empty when it held."""
        odd = [f"worker {each.worker} ended with {each.code} at {each.seconds:.0f} s" for each in self.unexpected]
        return [*breaches(row, self.tally), *self.stuck, *odd]

    def as_json(self) -> dict[str, Any]:
        """For `json.dumps`."""
        return {**asdict(self), "tally": asdict(self.tally)}


_COLUMNS = (
    "guarantee", "protocol", "brokers", "records", "faults", "biting", "lost", "doubled", "out of order", "aborted seen",
    "went back", "exits", "unexpected", "seconds", "seed",
)  # fmt: skip


def table(results: Sequence[Result]) -> str:
    """All runs as a Markdown table."""
    rows = [_COLUMNS, tuple("---" for _ in _COLUMNS), *map(_cells, results)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _cells(result: Result) -> tuple[str, ...]:
    tally = result.tally
    numbers = (tally.lost, tally.doubled, tally.out_of_order, tally.aborted_seen, tally.went_back)
    kinds = ", ".join(f"{kind} {count}" for kind, count in result.faults.items())
    return (
        result.guarantee,
        result.protocol,
        str(result.brokers),
        f"{tally.records:,}",
        f"{result.struck} ({kinds})",
        str(result.biting),
        *map(str, numbers),
        str(len(result.exits)),
        str(len(result.unexpected)),
        f"{result.seconds:.0f}",
        str(result.seed),
    )
