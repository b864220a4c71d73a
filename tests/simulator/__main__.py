"""Owns running many histories in this process, for a shell and for the tests.

python -m tests.simulator                       every case, in turn
python -m tests.simulator --case 'eos pipe' --seed 7 --schedules 1 --trace
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .history import CASES, Case, History
from .invariants import Verdict


@dataclass(slots=True)
class Tally:
    """The results of many histories.

    schedules, lost, doubled: numbers of histories by case. failed: case, seed, what is broken.
    """

    schedules: dict[str, int] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)
    doubled: dict[str, int] = field(default_factory=dict)
    faults: int = 0
    seconds: float = 0.0
    failed: list[tuple[str, int, list[str]]] = field(default_factory=list)


def in_turn(cases: Sequence[Case]) -> Iterator[Case]:
    """The cases without end, each as often as its share."""
    wheel = [case for tenth in range(100) for case in cases if tenth < case.share]
    while True:
        yield from wheel


def run_many(cases: Sequence[Case], first: int, schedules: int, step: int = 1, stop_after: int = 5) -> Tally:
    """Run histories with the seeds first, first + step, ...; stop when `stop_after` of them have failed."""
    tally, began = Tally(), time.perf_counter()
    with seldom_collected():
        for number, case in zip(range(schedules), in_turn(cases), strict=False):
            seed = first + number * step
            history = History(case, seed)
            count(tally, case, seed, history.run())
            tally.faults += history.world.struck
            if len(tally.failed) >= stop_after:
                break
    tally.seconds = time.perf_counter() - began
    return tally


@contextlib.contextmanager
def seldom_collected() -> Iterator[None]:
    """Collect garbage less often: the default costs a sixth of the time [measured]."""
    before = gc.get_threshold()
    gc.set_threshold(20_000, 10, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def count(tally: Tally, case: Case, seed: int, verdict: Verdict) -> None:
    """Add the result of one history."""
    name = case.name
    tally.schedules[name] = tally.schedules.get(name, 0) + 1
    tally.lost[name] = tally.lost.get(name, 0) + (verdict.lost > 0)
    tally.doubled[name] = tally.doubled.get(name, 0) + (verdict.doubled > 0)
    if verdict.broken:
        tally.failed.append((name, seed, list(verdict.broken)))


def shrunk(case: Case, seed: int) -> tuple[Verdict, list[str]]:
    """The history of a seed with as few of its faults as still break the same invariant."""
    whole = History(case, seed)
    kind = _kind(whole.run())
    suppressed: frozenset[int] = frozenset()
    for number in range(whole.world.struck, 0, -1):
        fewer = suppressed | {number}
        if kind and _kind(History(case, seed, fewer).run()) == kind:
            suppressed = fewer
    shown = History(case, seed, suppressed, trace=True)
    return shown.run(), shown.lines()


def _kind(verdict: Verdict) -> str:
    return verdict.broken[0].partition(":")[0] if verdict.broken else ""


def report(name: str, seed: int) -> str:
    """A failed history as text, with as few faults as possible."""
    verdict, lines = shrunk(CASES[name], seed)
    broken = "\n".join(f"  {line}" for line in verdict.broken)
    return f"{name}, seed {seed}:\n{broken}\n" + "\n".join(f"    {line}" for line in lines)


def main() -> int:
    """Run histories and print the tally as JSON. The exit code is 1 if one of them failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("--case", action="append", choices=sorted(CASES), help="all when absent")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--schedules", type=int, default=10_000)
    parser.add_argument("--stop-after", type=int, default=5)
    parser.add_argument("--trace", action="store_true", help="print the histories that fail")
    parser.add_argument("--whole", action="store_true", help="print the history of --seed as it is")
    options = parser.parse_args()
    cases = [CASES[name] for name in options.case or CASES]
    if options.whole:
        history = History(cases[0], options.seed, trace=True)
        sys.stdout.write(f"{history.run()}\n" + "\n".join(history.lines()) + "\n")
        return 0
    tally = run_many(cases, options.seed, options.schedules, options.step, options.stop_after)
    if options.trace:
        for name, seed, _broken in tally.failed:
            sys.stdout.write(report(name, seed) + "\n\n")
    else:
        fields = {name: getattr(tally, name) for name in tally.__slots__}
        sys.stdout.write(json.dumps(fields) + "\n")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
