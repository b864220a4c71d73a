"""Owns the counting: how many records are lost, duplicated or out of order, and which of it a guarantee allows. Pure.

A record is a sequence number within its partition of the input. The output may be partitioned otherwise than the input;
then order is compared only among records that share an input partition and an output partition.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import chain

from kdg.core.guarantees import Guarantee

SHOWN = 5
"""How many ranges of wrong records are named, for each partition."""

PartitionOffset = tuple[int, int]
Values = Mapping[PartitionOffset, Hashable]
"""What a reader saw at each (partition, offset)."""

Seen = Mapping[int, Sequence[Sequence[int]]]
"""By partition of the input: a list for each partition of the output, of the sequence numbers in it by offset.

`{0: [[1, 2], [3]]}`: of the records of partition 0, one output partition holds 1 and 2, another one holds 3.
"""

REPORTED_AS = {"duplicated": "doubled"}
"""The names of counts in text, JSON and JUnit where they differ from the names of the fields. Programs read them."""


def reported(name: str) -> str:
    """The name that a count has in reports."""
    return REPORTED_AS.get(name, name)


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts of one partition, or of all.

    records: in the input. foreign: records in the output that nobody sent. aborted_seen: records that a read_committed
    reader was shown although they were aborted. went_back: how often a committed position moved back.
    """

    records: int = 0
    lost: int = 0
    duplicated: int = 0
    out_of_order: int = 0
    foreign: int = 0
    aborted_seen: int = 0
    went_back: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def as_json(self) -> dict[str, int]:
        """The counts by the names that they have in reports."""
        return {reported(f.name): getattr(self, f.name) for f in fields(self)}


def tally(sent: Sequence[int], *seen: Sequence[int]) -> Tally:
    """The counts of one partition. seen: the records in each partition of the output, by offset.

    A record is out of order if its first occurrence comes after that of a record that was sent later. Every further
    occurrence is a duplicate. A record that is in several output partitions is left out of the order: nobody knows
    where it came first.
    """
    expected, got = Counter(sent), Counter(chain.from_iterable(seen))
    partitions = Counter(chain.from_iterable(map(set, seen)))
    return Tally(
        records=len(sent),
        lost=(expected - got).total(),
        duplicated=sum(max(count - expected[number], 0) for number, count in got.items() if number in expected),
        out_of_order=sum(_out_of_order(sent, [n for n in numbers if partitions[n] == 1]) for numbers in seen),
        foreign=sum(count for number, count in got.items() if number not in expected),
    )


def tallies(sent: Mapping[int, Sequence[int]], seen: Seen) -> dict[int, Tally]:
    """The counts of each partition of the input."""
    return {p: tally(sent.get(p, ()), *seen.get(p, ())) for p in sorted({*sent, *seen})}


def total(partitions: Mapping[int, Tally]) -> Tally:
    """The counts of all partitions together."""
    return sum(partitions.values(), Tally())


def _out_of_order(sent: Sequence[int], seen: Sequence[int]) -> int:
    rank = {number: index for index, number in reversed(list(enumerate(sent)))}
    furthest, late = -1, 0
    for number in dict.fromkeys(seen):  # first occurrences alone
        if (at := rank.get(number)) is not None:
            late += at < furthest
            furthest = max(furthest, at)
    return late


def aborted_seen(live: Values, final: Values) -> list[PartitionOffset]:
    """Where a reader was shown a record during the run that the topic does not hold at the end."""
    return [position for position, value in live.items() if final.get(position) != value]


def name_wrong(sent: Mapping[int, Sequence[int]], seen: Seen) -> dict[str, list[str]]:
    """The lost and the duplicated records as ranges, `partition:first-last`: the first few of each partition.

    >>> name_wrong({3: [1, 2, 3, 4]}, {3: [[4], [4]]})
    {'lost': ['3:1-3'], 'doubled': ['3:4']}
    """
    lost: list[str] = []
    duplicated: list[str] = []
    for partition in sorted({*sent, *seen}):
        expected, got = Counter(sent.get(partition, ())), Counter(chain.from_iterable(seen.get(partition, ())))
        lost += _named(partition, expected - got)
        duplicated += _named(partition, got - expected)
    return {"lost": lost, reported("duplicated"): duplicated}


def _named(partition: int, wrong: Counter[int]) -> list[str]:
    ranges: list[list[int]] = []
    for number in sorted(wrong):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    named = [f"{partition}:{a}" if a == b else f"{partition}:{a}-{b}" for a, b in ranges]
    return [*named[:SHOWN], f"and {len(named) - SHOWN} more"] if len(named) > SHOWN else named


def allowed(guarantee: Guarantee) -> frozenset[str]:
    """The fields of a Tally that may be above 0.

    Where the position is committed first, records may also be out of order: an instance that was frozen after its
    commit writes its records late.
    """
    may = {
        "lost": guarantee.may_lose,
        "duplicated": guarantee.may_duplicate,
        "out_of_order": guarantee.commits_first,
    }
    return frozenset({"records", *(name for name, permitted in may.items() if permitted)})


def breaches(guarantee: Guarantee, found: Tally) -> list[str]:
    """In which ways the promise was broken, such as `lost 3`; empty if it held."""
    may = allowed(guarantee)
    wrong = {f.name: getattr(found, f.name) for f in fields(found) if f.name not in may}
    return [f"{reported(name).replace('_', ' ')} {count}" for name, count in wrong.items() if count]
