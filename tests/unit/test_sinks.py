"""What every sink promises, and what those promise that store positions: one set of tests for all of them. No Kafka."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kdg.core.destinations import DestinationKind
from kdg.core.ports import Sink
from kdg.core.records import Origin, Position
from kdg.errors import Fenced, PositionGone
from kdg.sinks import AtOnce
from tests.support.sinks import (
    Opened,
    Place,
    at,
    batch,
    committed,
    done,
    in_command,
    in_file,
    in_journaled_file,
    in_stdout,
    in_table,
    in_table_with_positions,
)

TARGETS = {"stdout": in_stdout, "file": in_file, "sqlite": in_table, "command": in_command}
SINKS = {"journaled file": in_journaled_file, "sqlite with positions": in_table_with_positions}


@pytest.fixture(params=TARGETS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return TARGETS[request.param](tmp_path)


@pytest.fixture(params=SINKS)
def keeping(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return SINKS[request.param](tmp_path)


def test_every_kind_of_destination_has_a_sink(tmp_path: Path) -> None:
    assert {make(tmp_path).kind for make in TARGETS.values()} == set(DestinationKind)


# ── every sink ──


def test_flushed_records_are_there_in_order(place: Place) -> None:
    with Opened(place) as sink:
        done(sink.write(batch(b"1", b"2")))
        done(sink.write(batch()))
        done(sink.write(batch(b"3", first=2)))
        done(sink.flush())
        assert place.found() == [b"1", b"2", b"3"]
        done(sink.write(batch(b"4", first=3)))
        done(sink.flush())
        done(sink.flush())
    assert place.found() == [b"1", b"2", b"3", b"4"]


def test_second_run_appends(place: Place) -> None:
    for number in range(2):
        with Opened(place) as sink:
            done(sink.write(batch(b"%d" % number, first=number)))
            done(sink.flush())
    assert place.found() == [b"0", b"1"]


def test_unflushed_batch_is_never_half_there(place: Place) -> None:
    with Opened(place) as sink:
        done(sink.write(batch(b"1")))
        done(sink.flush())
        done(sink.write(batch(b"2", b"3", first=1)))
    assert place.found() in ([[b"1"]] if place.held else [[b"1", b"2", b"3"]])


def test_at_once_flushes_each_batch(place: Place) -> None:
    sink = AtOnce(place.open())
    done(sink.write(batch(b"1")))
    assert place.found() == [b"1"]
    sink.close()


# ── every sink that keeps positions ──


def test_sink_keeps_records_and_positions_together(keeping: Place) -> None:
    """Records and positions are stored together; a second run continues after them."""
    with Opened(keeping) as sink:
        assert sink.stored() == {}
        committed(sink, b"1", b"2")
        assert keeping.found() == [b"1", b"2"]
    with Opened(keeping) as sink:
        assert sink.stored() == {("t", 0): 2}
        committed(sink, b"3", first=2)
        assert sink.stored() == {("t", 0): 3}
    assert keeping.found() == [b"1", b"2", b"3"]


@pytest.mark.parametrize("until", ["begin", "write", "flush", "record"])
@pytest.mark.parametrize("how", ["abort", "recycle", "close"])
def test_nothing_uncommitted_stays(keeping: Place, until: str, how: str) -> None:
    steps: dict[str, Callable[[Sink], None]] = {
        "begin": lambda sink: sink.begin(),
        "write": lambda sink: done(sink.write(batch(b"2", b"3", first=1))),
        "flush": lambda sink: done(sink.flush()),
        "record": lambda sink: sink.record(at(3)),
    }
    with Opened(keeping) as sink:
        committed(sink, b"1")
        for name, step in steps.items():
            step(sink)
            if name == until:
                break
        getattr(sink, how)()
        if how != "close":
            assert sink.stored() == {("t", 0): 1}
            committed(sink, b"2", first=1)
    with Opened(keeping) as sink:
        assert sink.stored() == {("t", 0): 1 if how == "close" else 2}
        assert keeping.found() == ([b"1"] if how == "close" else [b"1", b"2"])


def test_positions_are_kept_without_a_record(keeping: Place) -> None:
    with Opened(keeping) as sink:
        sink.keep(at(7))
    with Opened(keeping) as sink:
        assert sink.stored() == {("t", 0): 7}
        assert keeping.found() == []


def test_transaction_may_hold_positions_only(keeping: Place) -> None:
    with Opened(keeping) as sink:
        sink.begin()
        done(sink.write(batch()))
        done(sink.flush())
        sink.record(at(5))
        sink.commit()
    with Opened(keeping) as sink:
        assert sink.stored() == {("t", 0): 5}


def test_at_most_one_of_two_writers_succeeds(keeping: Place) -> None:
    with Opened(keeping) as sink:
        committed(sink, b"1")
        with pytest.raises(Fenced) as failed:
            _second_writer(keeping, sink)
        assert failed.value.hint
    assert keeping.found() in ([b"1"], [b"1", b"2"])


def _second_writer(keeping: Place, sink: Sink) -> None:
    with Opened(keeping) as other:
        assert other.stored() == {("t", 0): 1}
        committed(other, b"2", first=1)
        committed(sink, b"2", first=1)


@pytest.mark.parametrize("origin", [Origin("another", {"t": "id-of-t"}), Origin("cluster", {"t": "another"})], ids=str)
def test_other_cluster_or_topic_is_refused(keeping: Place, origin: Origin) -> None:
    with Opened(keeping) as sink:
        committed(sink, b"1")
    other = keeping.unopened()
    with pytest.raises(PositionGone):
        other.open(origin)
    other.close()
    assert keeping.found() == [b"1"]


def test_second_topic_is_added_to_the_first(keeping: Place) -> None:
    with Opened(keeping) as sink:
        committed(sink, b"1")
    other = keeping.unopened()
    other.open(Origin("cluster", {"u": "id-of-u"}))
    other.keep([Position("u", 0, 4)])
    other.close()
    with Opened(keeping) as sink:
        assert sink.stored() == {("t", 0): 1, ("u", 0): 4}


def test_sinks_are_imported_only_when_used() -> None:
    code = "import sys, kdg.cli.app; print([m for m in sys.modules if m.startswith('kdg.sinks.') or m == 'sqlite3'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_leader_epoch_is_stored_with_the_position(keeping: Place) -> None:
    """A position without one, as after an older version of kdg, has none; an aborted transaction changes nothing."""
    with Opened(keeping) as sink:
        sink.keep([Position("t", 0, 7, leader_epoch=3)])
        assert sink.epochs() == {("t", 0): 3}
        sink.begin()
        sink.record([Position("t", 0, 9, leader_epoch=4)])
        sink.abort()
    with Opened(keeping) as sink:
        assert (sink.stored(), sink.epochs()) == ({("t", 0): 7}, {("t", 0): 3})
        sink.keep([Position("t", 0, 8)])
    with Opened(keeping) as sink:
        assert (sink.stored(), sink.epochs().get(("t", 0))) == ({("t", 0): 8}, None)
