"""Owns the crash table of `kdg explain`: what a crash at each step of a command does to the records. Pure.

For each step, the table collects the fates of the records over all points of the model at which that step is struck.
One sentence names these fates. Which sentence belongs to which fates is written here; which fates there are is not: the
model finds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kdg.core.crash.explore import Fate, Moment, Point, crash_points
from kdg.core.crash.world import SHAPES, Restart, Shape, steps_of
from kdg.core.guarantees import Guarantee, Step


class CrashRow(NamedTuple):
    """One line of the table: what a crash in or after a step can do, at the first time of the step or any later one."""

    step: Step
    moment: Moment
    may_lose: bool
    may_duplicate: bool
    sentence: str


_F, _R = Fate, Restart

SENTENCES: dict[tuple[frozenset[Fate], Restart | None], str] = {
    (frozenset({_F.UNTOUCHED}), None): "nothing happened; the records are read again",
    (frozenset({_F.ABORTED}), None): "the transaction is aborted; the records are read again",
    (frozenset({_F.ABORTED, _F.SETTLED}), _R.STORED): "committed or aborted as a whole; the next start finds out which",
    (frozenset({_F.ABORTED, _F.SETTLED}), _R.LOOKED_UP): (
        "committed or aborted as a whole; look at the topic before a second run"
    ),
    (frozenset({_F.SETTLED}), _R.STORED): "settled; the next start continues after these records",
    (frozenset({_F.SETTLED}), _R.LOOKED_UP): "committed as a whole; look at the topic before a second run",
    (frozenset({_F.SETTLED}), _R.NEVER): "all of it was sent",
    (frozenset({_F.LOST}), _R.STORED): "committed but not yet written: lost",
    (frozenset({_F.LOST}), _R.NEVER): "not yet sent, and the input is not read again: lost",
    (frozenset({_F.LOST, _F.SETTLED}), _R.STORED): "committed; records that have not arrived are lost",
    (frozenset({_F.LOST, _F.SETTLED}), _R.NEVER): "records that have not arrived are lost; the input is not read again",
    (frozenset({_F.LOST, _F.UNTOUCHED}), None): "if committed, lost; if not, read again",
    (frozenset({_F.DUPLICATED}), _R.STORED): "written but not committed: written again",
    (frozenset({_F.DUPLICATED}), _R.AGAIN): "written, and written again by a second run",
    (frozenset({_F.DUPLICATED, _F.UNTOUCHED}), _R.STORED): "perhaps written, but not committed: perhaps written again",
    (frozenset({_F.DUPLICATED, _F.UNTOUCHED}), _R.AGAIN): "perhaps written, and written again by a second run",
    (frozenset({_F.DUPLICATED, _F.SETTLED}), None): "written; if not committed, written again",
    (frozenset({_F.SETTLED, _F.UNTOUCHED}), None): "perhaps written; records that were not written are read again",
}
"""The sentence for the fates of the records in hand, after a certain restart, or after any (None)."""

_EARLIER = {
    Fate.LOST: "records sent before it may be lost",
    Fate.DUPLICATED: "records written before it are written again",
}
"""Added if records before those in hand have a fate that those in hand do not have."""

_BOTH_MOMENTS = (Step.COMMIT, Step.COMMIT_TRANSACTION)
"""Steps for which a crash inside the step differs from a crash after it."""


def crash_table(guarantee: Guarantee, command: str) -> tuple[CrashRow, ...]:
    """What a crash at each step of a command does under a guarantee; empty if the command does not exist under it.

    Raises KeyError for a command that is not in SHAPES.
    """
    shape = SHAPES[command]
    if not shape.serves(guarantee):
        return ()
    points = [p for settle_every in (1, 2) for p in crash_points(guarantee, shape, 3, 1, settle_every)]
    places: list[tuple[Step, Moment]] = []
    for step in steps_of(guarantee, command):
        places += [(step, "in"), (step, "after")] if step in _BOTH_MOMENTS else [(step, "after")]
    return tuple(_crash_row(guarantee, shape, step, moment, points) for step, moment in places)


def _crash_row(guarantee: Guarantee, shape: Shape, step: Step, moment: Moment, points: Sequence[Point]) -> CrashRow:
    here = [p for p in points if p.action is step and p.moment == moment]
    outcomes = {outcome for point in here for outcome in point.outcomes}
    hand = frozenset(o.fates[record] for p in here for o in p.outcomes for record in p.hand)
    earlier = frozenset(o.fates[record] for p in here for o in p.outcomes for record in p.earlier)
    may_lose, may_duplicate = any(o.lost for o in outcomes), any(o.duplicated for o in outcomes)
    return CrashRow(step, moment, may_lose, may_duplicate, _sentence(hand, earlier, Restart.of(guarantee, shape)))


def _sentence(hand: frozenset[Fate], earlier: frozenset[Fate], restart: Restart) -> str:
    known = SENTENCES.get((hand, restart)) or SENTENCES.get((hand, None))
    words = known or " or ".join(sorted(fate.value for fate in hand))
    return words + "".join(f" ({said})" for fate, said in _EARLIER.items() if fate in earlier - hand)
