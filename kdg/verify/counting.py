"""Owns what a run's output is held against: lost, doubled, out of order, aborted seen. Pure: numbers in, numbers out.

A record is a sequence number within its partition of the input. What a guarantee allows is read from its row.
An output may have its partitions otherwise than the input: order is a matter of one partition of each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import chain

from kdg.core.guarantees import Guarantee

SHOWN = 5
"""How many of the records that are wrong are named."""

Place = tuple[int, int]
Places = Mapping[Place, Hashable]
"""What a reader saw at each (partition, offset)."""

Seen = Mapping[int, Sequence[Sequence[int]]]
"""By partition of the input: its records, once for each partition of the output that holds some of them, in its order."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What is wrong with an output. foreign: records that nobody sent. went_back: times a committed position moved back."""

    records: int = 0
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    foreign: int = 0
    aborted_seen: int = 0
    went_back: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def tally(sent: Sequence[int], *seen: Sequence[int]) -> Tally:
    """One partition: its input, and what each partition of the output holds of it, all in order.

    A record is out of order when it comes for the first time after one that was sent later; its repetitions are doubled.
    Of a record that is in more than one place nobody knows where it came first.
    """
    expected, got = Counter(sent), Counter(chain.from_iterable(seen))
    places = Counter(chain.from_iterable(map(set, seen)))
    return Tally(
        records=len(sent),
        lost=(expected - got).total(),
        doubled=sum(max(count - expected[number], 0) for number, count in got.items() if number in expected),
        out_of_order=sum(_out_of_order(sent, [n for n in place if places[n] == 1]) for place in seen),
        foreign=sum(count for number, count in got.items() if number not in expected),
    )


def tallies(sent: Mapping[int, Sequence[int]], seen: Seen) -> dict[int, Tally]:
    """Each partition by itself."""
    return {p: tally(sent.get(p, ()), *seen.get(p, ())) for p in sorted({*sent, *seen})}


def total(partitions: Mapping[int, Tally]) -> Tally:
    """All partitions together."""
    return sum(partitions.values(), Tally())


def _out_of_order(sent: Sequence[int], seen: Sequence[int]) -> int:
    rank = {number: index for index, number in reversed(list(enumerate(sent)))}
    furthest, late = -1, 0
    for number in dict.fromkeys(seen):  # first occurrences alone
        if (at := rank.get(number)) is not None:
            late += at < furthest
            furthest = max(furthest, at)
    return late


def aborted_seen(live: Places, final: Places) -> list[Place]:
    """Where a reader was shown records while the run was on that the topic does not hold in the end."""
    return [place for place, value in live.items() if final.get(place) != value]


def name_wrong(sent: Mapping[int, Sequence[int]], seen: Seen) -> dict[str, list[str]]:
    """The first few lost and doubled records of each partition, `partition:sequence`, and how many there are."""
    named: dict[str, list[str]] = {"lost": [], "doubled": []}
    for partition in sorted({*sent, *seen}):
        expected, got = Counter(sent.get(partition, ())), Counter(chain.from_iterable(seen.get(partition, ())))
        named["lost"] += _named(partition, expected - got)
        named["doubled"] += _named(partition, got - expected)
    return named


def _named(partition: int, wrong: Counter[int]) -> list[str]:
    """As ranges, the first few of them."""
    ranges: list[list[int]] = []
    for number in sorted(wrong):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    named = [f"{partition}:{a}" if a == b else f"{partition}:{a}-{b}" for a, b in ranges]
    return [*named[:SHOWN], f"and {len(named) - SHOWN} more"] if len(named) > SHOWN else named


def allowed(row: Guarantee) -> frozenset[str]:
    """The fields of a Tally that may be above 0. A frozen instance that moved its position first may write late."""
    may = {"lost": row.may_lose, "doubled": row.may_duplicate, "out_of_order": row.commits_first}
    return frozenset({"records", *(name for name, permitted in may.items() if permitted)})


def breaches(row: Guarantee, found: Tally) -> list[str]:
    """In which ways the promise was broken; empty when it held."""
    may = allowed(row)
    wrong = {f.name: getattr(found, f.name) for f in fields(found) if f.name not in may}
    return [f"{name.replace('_', ' ')} {count}" for name, count in wrong.items() if count]
