"""Owns the comparison at the end of a run: of source and target, and of the target with the records seen live."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from kdg.verify.clients.feeder import Feeder, parse
from kdg.verify.clients.observer import Connection
from kdg.verify.clients.positions import PositionWatch
from kdg.verify.clients.queries import read_all, sequences
from kdg.verify.clients.readers import LiveReader
from kdg.verify.counting import Tally, aborted_seen, name_wrong, tallies, total
from kdg.verify.setup import Names, Setup


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the comparison found.

    partitions: the counts of each partition. wrong: which records are lost or duplicated. stuck: what the cluster
    itself did wrong. notes: lines for the history.
    """

    partitions: Mapping[int, Tally]
    wrong: Mapping[str, Sequence[str]]
    stuck: Sequence[str]
    notes: Sequence[str]


def compare(
    connection: Connection,
    names: Names,
    setup: Setup,
    feeder: Feeder,
    reader: LiveReader,
    positions: PositionWatch,
    between: Callable[[], None],
) -> Comparison:
    """Read both topics and compare them; feeder, reader and positions have stopped.

    between: called every 0.1 s; what it raises ends the reading. Raises KdgError if a topic cannot be read.
    """
    source, target = (
        read_all(connection, topic, setup.partitions, between=between) for topic in (names.source, names.target)
    )
    sent = {p: list(chain.from_iterable(lists)) for p, lists in sequences(source).items()}
    seen = sequences(target)
    found = tallies(sent, seen)
    for position in aborted_seen(reader.values, target):
        _add(found, parse(reader.values[position])[0], Tally(aborted_seen=1))
    # Another program may keep its positions where it likes: only those of kdg are judged.
    for partition, _before, _after in [] if setup.command else positions.moved_back:
        _add(found, partition, Tally(went_back=1))
    return Comparison(found, name_wrong(sent, seen), list(_stuck(feeder, sent)), list(_notes(feeder, positions)))


def _add(found: dict[int, Tally], partition: int, more: Tally) -> None:
    found[partition] = found.get(partition, Tally()) + more


def _stuck(feeder: Feeder, sent: Mapping[int, Sequence[int]]) -> Iterator[str]:
    """Every acknowledged record has to be in the source once; if not, the cluster lost it before a worker could."""
    fed = total(tallies(feeder.acknowledged, {partition: [numbers] for partition, numbers in sent.items()}))
    if fed.lost or fed.duplicated:
        yield f"the source itself: lost {fed.lost}, doubled {fed.duplicated} of the acknowledged records"


def _notes(feeder: Feeder, positions: PositionWatch) -> Iterator[str]:
    for partition, before, after in positions.moved_back:
        yield f"the position of partition {partition} went back from {before} to {after}"
    if feeder.refused:
        yield f"the feeder's records were refused: {dict(feeder.refused)}"
