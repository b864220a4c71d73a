"""Where reading is in each partition: the offsets of `Positions`, beside a plain history of reading and settling."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from kdg.core.records import Position, TopicPartition
from kdg.kafka.positions import Positions

A, B = ("orders", 0), ("orders", 1)


def read_seven_settled_five() -> Positions:
    """The example of the class: records 0 to 6 were handed out, 0 to 4 are settled."""
    positions = Positions()
    positions.own({A: 0})
    positions.advance(A, 5)
    positions.settle()
    positions.advance(A, 7)
    return positions


def offsets(positions: Positions) -> tuple[int | None, int | None, int | None]:
    """next, settled and seeks of the partition A."""
    return positions.next.get(A), positions.settled.get(A), positions.seeks.get(A)


def test_the_example_of_the_docstring() -> None:
    positions = read_seven_settled_five()
    assert offsets(positions) == (7, 5, None)
    positions.settle()
    assert offsets(positions) == (7, 7, None)
    positions = read_seven_settled_five()
    positions.rewind()
    assert offsets(positions) == (5, 5, 5)


def test_only_changed_positions_are_to_settle() -> None:
    positions = read_seven_settled_five()
    positions.own({B: 3})
    assert (positions.moved, positions.unsettled()) == (True, [Position(*A, 7)])
    positions.settle()
    assert (positions.moved, positions.unsettled()) == (False, [])


def test_a_position_never_goes_back_by_reading() -> None:
    positions = read_seven_settled_five()
    positions.advance(A, 6)
    assert positions.next == {A: 7}


def test_reload_finds_that_a_doubtful_commit_took_effect() -> None:
    """The durable position is where reading already is: True, and nothing is read again."""
    positions = read_seven_settled_five()
    assert positions.reload({A: 7})
    assert offsets(positions) == (7, 7, 7)


def test_reload_finds_that_a_doubtful_commit_failed() -> None:
    positions = read_seven_settled_five()
    assert not positions.reload({A: 5})
    assert offsets(positions) == (5, 5, 5)


def test_reload_without_a_stored_position_rewinds() -> None:
    """A partition in which the group has no position goes back to where it began or was settled."""
    positions = read_seven_settled_five()
    assert not positions.reload({})
    assert offsets(positions) == (5, 5, 5)


def test_report_keeps_partitions_that_were_given_back() -> None:
    positions = read_seven_settled_five()
    positions.settle()
    positions.release([A])
    assert offsets(positions) == (None, None, None)
    assert positions.reported == {A: 7}


def test_report_leaves_out_what_was_only_owned() -> None:
    """A partition of which no record was settled is not in the report of the run."""
    positions = Positions()
    positions.own({A: 4})
    positions.settle()
    assert positions.reported == {}


def test_what_is_not_settled_when_it_leaves_is_not_reported() -> None:
    positions = read_seven_settled_five()
    positions.release([A])
    positions.settle()
    assert positions.reported == {A: 5}


def test_releasing_a_partition_twice_is_harmless() -> None:
    positions = read_seven_settled_five()
    positions.release([A, B])
    positions.release([A])
    assert not positions.next


@given(st.dictionaries(st.sampled_from([A, B]), st.integers(0, 50), min_size=1), st.integers(0, 50))
def test_seek_again_goes_to_the_next_record(starts: dict[TopicPartition, int], more: int) -> None:
    positions = Positions()
    positions.own(starts)
    for partition, start in starts.items():
        positions.advance(partition, start + more)
        positions.seek_again(partition)
    assert positions.seeks == positions.next


@dataclass
class Read:
    """What happened to one partition: the offset after the last record handed out, and after the last one settled."""

    handed_out: int
    settled: int
    must_seek: int | None = field(default=None)


class AnyHistory(RuleBasedStateMachine):
    """Any sequence of what can happen to partitions, beside a model that has one small object for each."""

    owned = Bundle("owned")

    def __init__(self) -> None:
        super().__init__()
        self.positions = Positions()
        self.model: dict[TopicPartition, Read] = {}
        self.unfinished: dict[TopicPartition, Read] = {}
        self.free = [("t", number) for number in range(3)]

    @rule(target=owned, start=st.integers(0, 9))
    def own(self, start: int) -> object:
        if not self.free:
            return multiple()
        partition = self.free.pop()
        self.positions.own({partition: start})
        self.model[partition] = Read(start, start)
        left = self.unfinished.get(partition)
        if left is not None and left.settled == start:  # it comes back in the middle of its batch
            del self.unfinished[partition]
            self.model[partition] = Read(left.handed_out, start, left.handed_out)
        return partition

    @rule(partition=owned, records=st.integers(0, 5))
    def advance(self, partition: TopicPartition, records: int) -> None:
        read = self.model[partition]
        read.handed_out += records
        self.positions.advance(partition, read.handed_out)

    @rule()
    def settle(self) -> None:
        self.positions.settle()
        self.unfinished.clear()
        for read in self.model.values():
            read.settled = read.handed_out

    @rule()
    def rewind(self) -> None:
        self.positions.rewind()
        self.unfinished.clear()
        for read in self.model.values():
            read.handed_out = read.must_seek = read.settled

    @rule(took_effect=st.booleans())
    def reload(self, *, took_effect: bool) -> None:
        moved = self.positions.moved
        stored = {p: read.handed_out if took_effect else read.settled for p, read in self.model.items()}
        assert self.positions.reload(stored) is (took_effect or not moved)
        self.unfinished.clear()
        for partition, read in self.model.items():
            read.handed_out = read.settled = read.must_seek = stored[partition]

    @rule(partition=consumes(owned))
    def release(self, partition: TopicPartition) -> None:
        self.positions.release([partition])
        left = self.model.pop(partition)
        if left.handed_out != left.settled:
            self.unfinished[partition] = left
        self.free.append(partition)

    @invariant()
    def agrees_with_the_model(self) -> None:
        assert self.positions.next == {p: read.handed_out for p, read in self.model.items()}
        assert self.positions.settled == {p: read.settled for p, read in self.model.items()}
        assert self.positions.seeks == {p: r.must_seek for p, r in self.model.items() if r.must_seek is not None}

    @invariant()
    def only_what_was_read_is_to_settle(self) -> None:
        unsettled = {(p.topic, p.partition): p.offset for p in self.positions.unsettled()}
        expected = {p: read.handed_out for p, read in self.model.items() if read.handed_out != read.settled}
        assert unsettled == expected
        assert self.positions.moved == bool(expected)


TestAnyHistory = AnyHistory.TestCase


def test_a_partition_that_comes_back_as_it_was_goes_on_after_the_records_in_hand() -> None:
    positions = read_seven_settled_five()
    positions.release([A])
    assert positions.unfinished == {A: (5, 7)}
    positions.own({A: 5})
    assert offsets(positions) == (7, 5, 7)
    assert positions.unfinished == {}


def test_a_partition_that_somebody_settled_meanwhile_goes_on_from_there() -> None:
    positions = read_seven_settled_five()
    positions.release([A])
    positions.own({A: 6})
    assert offsets(positions) == (6, 6, None)
    positions.settle()
    assert positions.unfinished == {}
