"""The leader epoch of a position: known, unknown, or hidden behind commit markers."""

from __future__ import annotations

from kdg.core.records import Position
from kdg.kafka.leader_epochs import LeaderEpochs
from kdg.kafka.partitions import position_to_library, to_library

A, B = ("t", 0), ("t", 1)


def test_position_after_markers_has_no_epoch_until_it_is_looked_up() -> None:
    """A marker can be of a newer epoch than the record before it; with that epoch it would be a false alarm."""
    epochs = LeaderEpochs()
    epochs.note(A, 2)
    assert epochs.of(A) == 2
    epochs.note(A, 2, passed=True)
    assert epochs.of(A) is None
    epochs.note(A, 3)
    assert epochs.of(A) == 3
    assert epochs.of(B) is None


def test_position_without_an_epoch_takes_the_old_one_away() -> None:
    epochs = LeaderEpochs()
    for nothing in (None, -1):
        epochs.note(A, 2)
        epochs.note(A, nothing)
        assert epochs.of(A) is None


def test_library_gets_the_epochs() -> None:
    epochs = LeaderEpochs()
    epochs.note(A, 0)
    assert [(p.offset, p.leader_epoch) for p in to_library({A: 5, B: 6}, epochs)] == [(5, 0), (6, None)]
    sent = position_to_library(Position("t", 0, 5, "{}", leader_epoch=7))
    assert (sent.offset, sent.metadata, sent.leader_epoch) == (5, "{}", 7)
