"""Owns the result of a run, and the table of several results. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from kdg.core.guarantees import Guarantee
from kdg.text.tables import markdown_table
from kdg.verify.counting import Tally, breaches, total

FLOWING_SHARE = 0.6
"""The share of the faults that has to hit while records flow."""


@dataclass(frozen=True, slots=True)
class WorkerExit:
    """A worker that ended by itself.

    code: the exit code, or -N for signal N. after: the faults shortly before. said: the last lines of stderr.
    expected: whether those faults explain the exit.
    """

    worker: int
    code: int
    seconds: float
    after: tuple[str, ...]
    said: str
    expected: bool


@dataclass(frozen=True, slots=True)
class Result:
    """One run.

    faults: how many of each kind were injected. while_flowing: how many of them hit while records flowed. stuck: what
    was not settled at the end although everything ran again. wrong: which records are lost or duplicated.
    """

    guarantee: str
    protocol: str
    brokers: int
    seed: int
    seconds: float
    partitions: Mapping[int, Tally]
    faults: Mapping[str, int]
    while_flowing: int
    exits: Sequence[WorkerExit] = ()
    stuck: Sequence[str] = ()
    wrong: Mapping[str, Sequence[str]] = field(default_factory=dict)
    history: Sequence[str] = ()

    @property
    def tally(self) -> Tally:
        """The counts of all partitions together."""
        return total(self.partitions)

    @property
    def injected(self) -> int:
        """How many faults there were."""
        return sum(self.faults.values())

    def too_few(self, least: int = 1) -> list[str]:
        """Why the run proves nothing, although no promise was broken; empty if it had enough faults to prove something.

        Enough: at least `least` faults, and FLOWING_SHARE of all faults, came while records were being copied.
        """
        if self.while_flowing >= max(least, FLOWING_SHARE * self.injected):
            return []
        return [f"only {self.while_flowing} of {self.injected} faults hit while records flowed"]

    @property
    def unexpected(self) -> list[WorkerExit]:
        """The exits that no fault explains."""
        return [each for each in self.exits if not each.expected]

    def breaches(self, guarantee: Guarantee) -> list[str]:
        """In which ways the promise was broken, also by what is stuck and by unexpected exits; empty if it held."""
        exits = [f"worker {each.worker} ended with {each.code} at {each.seconds:.0f} s" for each in self.unexpected]
        return [*breaches(guarantee, self.tally), *self.stuck, *exits]

    def as_json(self) -> dict[str, Any]:
        """For `json.dumps`."""
        partitions = {number: tally.as_json() for number, tally in self.partitions.items()}
        return {**asdict(self), "partitions": partitions, "tally": self.tally.as_json()}


_COLUMNS = (
    "guarantee",
    "protocol",
    "brokers",
    "records",
    "faults",
    "while flowing",
    "lost",
    "doubled",
    "out of order",
    "aborted seen",
    "went back",
    "exits",
    "unexpected",
    "seconds",
    "seed",
)


def table(results: Sequence[Result]) -> str:
    """All runs as a Markdown table."""
    return markdown_table(_COLUMNS, [_cells(result) for result in results]) + "\n"


def _cells(result: Result) -> tuple[str, ...]:
    tally = result.tally
    kinds = ", ".join(f"{kind} {count}" for kind, count in result.faults.items())
    return (
        result.guarantee,
        result.protocol,
        str(result.brokers),
        f"{tally.records:,}",
        f"{result.injected} ({kinds})",
        str(result.while_flowing),
        str(tally.lost),
        str(tally.duplicated),
        str(tally.out_of_order),
        str(tally.aborted_seen),
        str(tally.went_back),
        str(len(result.exits)),
        str(len(result.unexpected)),
        f"{result.seconds:.0f}",
        str(result.seed),
    )
