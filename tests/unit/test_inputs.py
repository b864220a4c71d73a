"""The input of produce: records out of bytes in any pieces, marks, digests, going back and going on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdg.core.records import Batch, Position
from kdg.errors import Aborted, KdgError, UsageError
from kdg.formats.lines import LineDecoder
from kdg.runtime.signals import Signals
from kdg.sources import descriptor
from kdg.sources.descriptor import Input, InputPosition


@dataclass
class Store:
    """A MarkStore in memory."""

    mark: InputPosition | None = None
    seen: list[InputPosition] = field(default_factory=list)

    def load(self) -> InputPosition | None:
        return self.mark

    def position(self, mark: InputPosition) -> Position:
        self.seen.append(mark)
        return Position("t", 0, mark.size, mark.sha256)


@contextmanager
def source(data: bytes, delimiter: bytes = b"\n", **options: object) -> Iterator[Input]:
    """An Input over a file of these bytes."""
    descriptor = os.memfd_create("input")
    try:
        os.write(descriptor, data)
        os.lseek(descriptor, 0, os.SEEK_SET)
        with Signals() as signals:
            yield Input(descriptor, "stdin", LineDecoder(delimiter), signals, **options)  # type: ignore[arg-type]
    finally:
        os.close(descriptor)


def read_all(input_: Input, limit: int = 1000) -> list[bytes | None]:
    """All that is left."""
    values: list[bytes | None] = []
    while (batch := input_.read(limit, 1.0)) is not None:
        assert len(batch) <= limit
        values += batch.values
    return values


def fed(pieces: list[bytes], delimiter: bytes) -> list[bytes | None]:
    """What comes out of a pipe into which the pieces are put one by one."""
    read_end, write_end = os.pipe()
    try:
        with Signals() as signals:
            input_ = Input(read_end, "stdin", LineDecoder(delimiter), signals)
            values: list[bytes | None] = []
            for piece in pieces:
                os.write(write_end, piece)
                if piece:
                    values += (input_.read(1000, 1.0) or Batch()).values
            os.close(write_end)
            write_end = -1
            return values + read_all(input_)
    finally:
        os.close(read_end)
        with suppress(OSError):
            os.close(write_end)


PIECES = st.lists(st.lists(st.sampled_from([b"a", b"|", b"~", b"\n", b"xyz"]), max_size=4).map(b"".join), max_size=8)


@given(PIECES, st.sampled_from([b"\n", b"|", b"|~", b"||"]))
def test_records_do_not_depend_on_how_the_bytes_came(pieces: list[bytes], delimiter: bytes) -> None:
    whole = b"".join(pieces)
    records = whole.split(delimiter)
    assert fed(pieces, delimiter) == (records if records[-1] else records[:-1])


def test_no_batch_is_longer_than_asked_for_and_none_is_lost() -> None:
    with source(b"".join(b"%d\n" % number for number in range(100))) as input_:
        assert read_all(input_, 7) == [b"%d" % number for number in range(100)]


def test_a_line_longer_than_one_read_is_one_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptor, "READ_BYTES", 10)
    with source(b"x" * 95 + b"\nshort\n") as input_:
        assert read_all(input_) == [b"x" * 95, b"short"]


def test_an_empty_input_has_no_record_and_an_empty_line_is_one() -> None:
    with source(b"") as input_:
        assert input_.read(10, 1.0) is None
    with source(b"\n") as input_:
        assert read_all(input_) == [b""]


def test_timeout_is_an_empty_batch() -> None:
    """Nothing within the timeout is an empty batch and not the end."""
    read_end, write_end = os.pipe()
    with Signals() as signals:
        batch = Input(read_end, "stdin", LineDecoder(), signals).read(10, 0.0)
    assert batch is not None
    assert len(batch) == 0
    os.close(read_end)
    os.close(write_end)


def test_last_record_without_its_delimiter() -> None:
    """A last record without its delimiter counts only where records need not be whole."""
    with source(b"a\nb") as input_:
        assert read_all(input_) == [b"a", b"b"]
    with source(b"a\nb", whole_records=True) as input_:
        batch = input_.read(10, 1.0)
        assert batch is not None
        assert list(batch.values) == [b"a"]
        with pytest.raises(Aborted, match="without a delimiter"):
            input_.read(10, 1.0)


def test_the_end_is_asked_whether_it_is_to_be_trusted() -> None:
    def refuse() -> None:
        raise Aborted("no")

    with source(b"a\n", at_end=refuse) as input_:
        assert list((input_.read(10, 1.0) or Batch()).values) == [b"a"]
        with pytest.raises(Aborted, match="no"):
            input_.read(10, 1.0)


def test_input_position_holds_bytes_records_digest() -> None:
    """A mark holds the bytes the records and the digest of what was handed out."""
    store = Store()
    with source(b"a\nbb\nccc\n", store=store) as input_:
        input_.read(2, 1.0)
        (position,) = input_.positions()
    assert position.offset == 5
    assert store.seen == [InputPosition(5, 2, hashlib.sha256(b"a\nbb\n").hexdigest())]


def test_rewind_repeats_only_what_is_unsettled() -> None:
    """Going back hands out again what came after the last settled and only that."""
    with source(b"a\nb\nc\nd\n", store=Store()) as input_:
        input_.read(1, 1.0)
        input_.settled()
        mark = input_.mark()
        input_.read(2, 1.0)
        input_.rewind()
        assert input_.mark() == mark
        assert read_all(input_, 2) == [b"b", b"c", b"d"]
        assert input_.mark() == InputPosition(8, 4, hashlib.sha256(b"a\nb\nc\nd\n").hexdigest())


def test_going_back_works_twice_and_before_anything_was_settled() -> None:
    with source(b"a\nb\nc\n", store=Store()) as input_:
        for _ in range(2):
            assert list((input_.read(2, 1.0) or Batch()).values) == [b"a", b"b"]
            input_.rewind()
        assert read_all(input_) == [b"a", b"b", b"c"]


def test_rewind_repeats_the_unterminated_record() -> None:
    """Going back at the end hands out the unterminated record again as it was."""
    with source(b"a\nb", store=Store()) as input_:
        assert read_all(input_) == [b"a", b"b"]
        mark = input_.mark()
        assert mark == InputPosition(3, 2, hashlib.sha256(b"a\nb").hexdigest(), unterminated=True)
        input_.rewind()
        assert read_all(input_, 1) == [b"a", b"b"]
        assert input_.mark() == mark


def test_a_commit_in_doubt_is_settled_by_the_mark_in_the_store() -> None:
    store = Store()
    with source(b"a\nb\n", store=store) as input_:
        input_.read(1, 1.0)
        store.mark = input_.mark()
        assert input_.reload()
        input_.read(1, 1.0)
        assert not input_.reload()
        assert read_all(input_) == [b"b"]


def test_resume_skips_and_continues_the_digest() -> None:
    """Going on skips what was committed and continues the digest."""
    committed = InputPosition(2, 1, hashlib.sha256(b"a\n").hexdigest())
    with source(b"a\nb\n", store=Store()) as input_:
        input_.skip(committed)
        assert read_all(input_) == [b"b"]
        assert input_.mark() == InputPosition(4, 2, hashlib.sha256(b"a\nb\n").hexdigest())


@pytest.mark.parametrize("data", [b"x\nb\n", b"a", b"", b"A\nb\n"])
def test_other_input_is_refused_and_restart_named(data: bytes) -> None:
    """Another or a shorter input is refused and restart is named."""
    with source(data, store=Store()) as input_, pytest.raises(UsageError) as caught:
        input_.skip(InputPosition(2, 1, hashlib.sha256(b"a\n").hexdigest()))
    assert "--restart" in caught.value.hint


@pytest.mark.parametrize(("data", "left"), [(b"a\nb", []), (b"a\nb\n", []), (b"a\nb\nc\n", [b"c"])])
def test_unterminated_record_may_gain_a_delimiter(data: bytes, left: list[bytes]) -> None:
    """An unterminated record that was committed may have got its delimiter since."""
    with source(data, store=Store()) as input_:
        input_.skip(InputPosition(3, 2, hashlib.sha256(b"a\nb").hexdigest(), unterminated=True))
        assert read_all(input_) == left


def test_unterminated_record_may_not_grow() -> None:
    """An unterminated record that was committed may not have grown."""
    with source(b"a\nbc\n", store=Store()) as input_, pytest.raises(UsageError, match="grown"):
        input_.skip(InputPosition(3, 2, hashlib.sha256(b"a\nb").hexdigest(), unterminated=True))


def test_what_is_left_is_drained_with_its_delimiters_exactly() -> None:
    data = b"a\nb\nc\nunterminated"
    with source(data) as input_:
        input_.read(1, 1.0)
        assert b"".join(b"".join(records) for records in input_.drain()) == data[2:]


def test_an_input_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    with Signals() as signals, pytest.raises(KdgError, match="the folder cannot be read"):
        Input(descriptor, "the folder", LineDecoder(), signals).read(10, 1.0)
    os.close(descriptor)
