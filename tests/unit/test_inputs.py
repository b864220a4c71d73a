"""The input of produce: bytes become records; positions and digests; going back after an abort; --resume."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
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
from kdg.sources.descriptor import Input
from kdg.sources.prefix import InputPosition


@dataclass
class Store:
    """An InputPositionStore in memory."""

    stored: InputPosition | None = None
    seen: list[InputPosition] = field(default_factory=list)

    def load(self) -> InputPosition | None:
        return self.stored

    def position(self, reached: InputPosition) -> Position:
        self.seen.append(reached)
        return Position("t", 0, reached.size, reached.sha256)


@contextmanager
def source(data: bytes, delimiter: bytes = b"\n", **options: object) -> Iterator[Input]:
    """An Input over a file of these bytes."""
    with tempfile.TemporaryFile() as file, Signals() as signals:
        file.write(data)
        file.seek(0)
        yield Input(file.fileno(), "stdin", LineDecoder(delimiter), signals, **options)  # type: ignore[arg-type]


def read_all(input_: Input, limit: int = 1000) -> list[bytes | None]:
    """The values of all records that are left."""
    values: list[bytes | None] = []
    while (batch := input_.read(limit, 1.0)) is not None:
        assert len(batch) <= limit
        values += batch.values
    return values


def fed(pieces: list[bytes], delimiter: bytes) -> list[bytes | None]:
    """The values read from a pipe that gets these pieces one after the other."""
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


def test_no_batch_is_longer_than_the_limit() -> None:
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
    """If nothing comes within the timeout, `read` returns an empty batch, which is not the end."""
    read_end, write_end = os.pipe()
    with Signals() as signals:
        batch = Input(read_end, "stdin", LineDecoder(), signals).read(10, 0.0)
    assert batch is not None
    assert len(batch) == 0
    os.close(read_end)
    os.close(write_end)


def test_last_record_without_its_delimiter() -> None:
    """A last record without its delimiter is accepted, except with whole_records."""
    with source(b"a\nb") as input_:
        assert read_all(input_) == [b"a", b"b"]
    with source(b"a\nb", whole_records=True) as input_:
        batch = input_.read(10, 1.0)
        assert batch is not None
        assert list(batch.values) == [b"a"]
        with pytest.raises(Aborted, match="without a delimiter"):
            input_.read(10, 1.0)


def test_at_end_may_refuse_the_input() -> None:
    def refuse() -> None:
        raise Aborted("no")

    with source(b"a\n", at_end=refuse) as input_:
        assert list((input_.read(10, 1.0) or Batch()).values) == [b"a"]
        with pytest.raises(Aborted, match="no"):
            input_.read(10, 1.0)


def test_input_position_holds_bytes_records_digest() -> None:
    """A position has the bytes, the records and the digest of everything handed out."""
    store = Store()
    with source(b"a\nbb\nccc\n", store=store) as input_:
        input_.read(2, 1.0)
        (position,) = input_.positions()
    assert position.offset == 5
    assert store.seen == [InputPosition(5, 2, hashlib.sha256(b"a\nbb\n").hexdigest())]


def test_rewind_repeats_only_what_is_unsettled() -> None:
    """After a rewind, the records since the last `settled` are handed out again, and no others."""
    with source(b"a\nb\nc\nd\n", store=Store()) as input_:
        input_.read(1, 1.0)
        input_.settled()
        reached = input_.reached()
        input_.read(2, 1.0)
        input_.rewind()
        assert input_.reached() == reached
        assert read_all(input_, 2) == [b"b", b"c", b"d"]
        assert input_.reached() == InputPosition(8, 4, hashlib.sha256(b"a\nb\nc\nd\n").hexdigest())


def test_rewind_works_twice_before_anything_is_settled() -> None:
    with source(b"a\nb\nc\n", store=Store()) as input_:
        for _ in range(2):
            assert list((input_.read(2, 1.0) or Batch()).values) == [b"a", b"b"]
            input_.rewind()
        assert read_all(input_) == [b"a", b"b", b"c"]


def test_rewind_repeats_the_unterminated_record() -> None:
    """A rewind at the end repeats the last record, still without its delimiter."""
    with source(b"a\nb", store=Store()) as input_:
        assert read_all(input_) == [b"a", b"b"]
        reached = input_.reached()
        assert reached == InputPosition(3, 2, hashlib.sha256(b"a\nb").hexdigest(), unterminated=True)
        input_.rewind()
        assert read_all(input_, 1) == [b"a", b"b"]
        assert input_.reached() == reached


def test_stored_position_settles_a_commit_in_doubt() -> None:
    store = Store()
    with source(b"a\nb\n", store=store) as input_:
        input_.read(1, 1.0)
        store.stored = input_.reached()
        assert input_.reload()
        input_.read(1, 1.0)
        assert not input_.reload()
        assert read_all(input_) == [b"b"]


def test_resume_skips_and_continues_the_digest() -> None:
    """A resumed input skips the committed records and continues their digest."""
    committed = InputPosition(2, 1, hashlib.sha256(b"a\n").hexdigest())
    with source(b"a\nb\n", store=Store()) as input_:
        input_.skip(committed)
        assert read_all(input_) == [b"b"]
        assert input_.reached() == InputPosition(4, 2, hashlib.sha256(b"a\nb\n").hexdigest())


@pytest.mark.parametrize("data", [b"x\nb\n", b"a", b"", b"A\nb\n"])
def test_other_input_is_refused_and_restart_named(data: bytes) -> None:
    """Another or a shorter input is refused; the hint names --restart."""
    with source(data, store=Store(), resume="nightly") as input_, pytest.raises(UsageError) as caught:
        input_.skip(InputPosition(2, 1, hashlib.sha256(b"a\n").hexdigest()))
    assert "--resume nightly" in str(caught.value)
    assert "--restart" in caught.value.hint


@pytest.mark.parametrize(("data", "left"), [(b"a\nb", []), (b"a\nb\n", []), (b"a\nb\nc\n", [b"c"])])
def test_unterminated_record_may_gain_a_delimiter(data: bytes, left: list[bytes]) -> None:
    """A last record was committed without its delimiter; now the input has the delimiter."""
    with source(data, store=Store()) as input_:
        input_.skip(InputPosition(3, 2, hashlib.sha256(b"a\nb").hexdigest(), unterminated=True))
        assert read_all(input_) == left


def test_unterminated_record_may_not_grow() -> None:
    """A last record was committed without its delimiter; now it is longer, and the input is refused."""
    with source(b"a\nbc\n", store=Store()) as input_, pytest.raises(UsageError, match="longer now"):
        input_.skip(InputPosition(3, 2, hashlib.sha256(b"a\nb").hexdigest(), unterminated=True))


def test_drain_returns_the_rest_byte_for_byte() -> None:
    data = b"a\nb\nc\nunterminated"
    with source(data) as input_:
        input_.read(1, 1.0)
        assert b"".join(b"".join(records) for records in input_.drain()) == data[2:]


def test_an_input_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    with Signals() as signals, pytest.raises(KdgError, match="the folder cannot be read"):
        Input(descriptor, "the folder", LineDecoder(), signals).read(10, 1.0)
    os.close(descriptor)


@pytest.mark.parametrize("delimiter", [b"\n", b"||"])
def test_record_without_an_end_is_refused_with_its_byte(delimiter: bytes) -> None:
    """Nothing more is read then, not even for --undelivered; the records before it have been handed out."""
    head = delimiter.join([b"a", b"bc", b""])
    with source(head + b"x" * 1_000_000, delimiter, longest=500_000) as input_:
        assert read_all_before(input_) == [b"a", b"bc"]
        with pytest.raises(KdgError, match=rf"stdin: the record that begins at byte {len(head)} has more than 500000"):
            read_all(input_)
        assert list(input_.drain()) == []
        assert os.lseek(input_.descriptor, 0, os.SEEK_CUR) < 1_000_000
    with source(b"x" * 1000, whole_records=True, longest=500) as input_, pytest.raises(Aborted, match="byte 0"):
        read_all(input_)


def read_all_before(input_: Input) -> list[bytes | None]:
    """The values of the first batch."""
    return list((input_.read(1000, 1.0) or Batch()).values)


def test_long_record_is_searched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes that are copied grow with the length of a record, and not with its square."""
    monkeypatch.setattr(descriptor, "READ_BYTES", 1000)

    def seconds(size: int) -> float:
        with source(b"x" * size + b"\n") as input_:
            began = time.process_time()
            assert read_all(input_) == [b"x" * size]
            return time.process_time() - began

    short, long = min(seconds(1_000_000) for _ in range(3)), min(seconds(8_000_000) for _ in range(3))
    assert long < 16 * short + 0.05
