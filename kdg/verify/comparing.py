"""Owns the end of a run: both topics are read, and held against each other and against what was seen while it was on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from kdg.verify import clients
from kdg.verify.counting import Tally, aborted_seen, name_wrong, tallies, total
from kdg.verify.setup import Names, Setup


@dataclass(frozen=True, slots=True)
class Comparison:
    """partitions: what is wrong with each; wrong: which records; stuck: what the cluster itself got wrong; notes: for the history."""

    partitions: Mapping[int, Tally]
    wrong: Mapping[str, Sequence[str]]
    stuck: Sequence[str]
    notes: Sequence[str]


def compare(
    where: clients.Where,
    names: Names,
    setup: Setup,
    feeder: clients.Feeder,
    reader: clients.LiveReader,
    positions: clients.PositionWatch,
    between: Callable[[], None],
) -> Comparison:
    """Read and compare; the observers have stopped. Raises KdgError when the topics cannot be read, and what `between` raises."""
    source, final = (
        clients.read_all(where, topic, setup.partitions, between=between) for topic in (names.source, names.target)
    )
    sent = {p: list(chain.from_iterable(places)) for p, places in clients.sequences(source).items()}
    seen = clients.sequences(final)
    found = tallies(sent, seen)
    for place in aborted_seen(reader.rows, final):
        _add(found, clients.parse(reader.rows[place])[0], Tally(aborted_seen=1))
    for partition, _before, _after in [] if setup.command else positions.back:
        # Where another program keeps its positions is its own affair.
        _add(found, partition, Tally(went_back=1))
    return Comparison(found, name_wrong(sent, seen), list(_stuck(feeder, sent)), list(_notes(feeder, positions)))


def _add(found: dict[int, Tally], partition: int, more: Tally) -> None:
    found[partition] = found.get(partition, Tally()) + more


def _stuck(feeder: clients.Feeder, sent: Mapping[int, Sequence[int]]) -> Iterator[str]:
    """What was acknowledged has to be in the source: else the cluster lost it before any worker could."""
    fed = total(tallies(feeder.acknowledged, {partition: [numbers] for partition, numbers in sent.items()}))
    if fed.lost or fed.doubled:
        yield f"the source itself: lost {fed.lost}, doubled {fed.doubled} of what was acknowledged"


def _notes(feeder: clients.Feeder, positions: clients.PositionWatch) -> Iterator[str]:
    for partition, before, after in positions.back:
        yield f"the position of partition {partition} went back from {before} to {after}"
    if feeder.refused:
        yield f"the feeder's records were refused: {dict(feeder.refused)}"
