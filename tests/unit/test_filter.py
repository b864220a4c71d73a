"""`pipe -- CMD`: what the command is given, what becomes of what it writes, and when nothing of a batch is settled."""

from __future__ import annotations

import pytest

from kdg.command import BatchCommand, Span, name_spans, spans_of
from kdg.errors import KdgError, UsageError
from kdg.filter import CommandFilter
from kdg.formats.json import JsonDecoder, JsonEncoder
from kdg.formats.lines import LineDecoder, LineEncoder
from kdg.patience import NoSignals, Patience
from kdg.records import Batch

RECORDS = Batch(
    values=[b"foo 1", b"\xff", None, b"with\na line"],
    keys=[b"k", None, b"", b"\xfe"],
    headers=[[("h", b"1"), ("h", None)], [], [("b", b"\xff")], []],
    timestamps=[1, 2, 3, 4],
    topics=["t", "t", "u", "t"],
    partitions=[0, 0, 1, 0],
    offsets=[5, 6, 2, 9],
)


def through(*argv: str, ok: tuple[int, ...] = (0,), bare: bool = False, batch: Batch = RECORDS) -> Batch:
    command = BatchCommand(argv, Patience(NoSignals()), captured=True)
    if bare:
        return CommandFilter(command, LineEncoder(), LineDecoder(), frozenset(ok), bare=True)(batch)
    return CommandFilter(command, JsonEncoder(), JsonDecoder(), frozenset(ok), bare=False)(batch)


def test_whole_records_come_through() -> None:
    found = through("cat")
    assert (found.values, found.keys, found.timestamps) == (RECORDS.values, RECORDS.keys, RECORDS.timestamps)
    assert found.headers is not None
    assert [list(headers or ()) for headers in found.headers] == RECORDS.headers


def test_what_a_command_leaves_out_is_dropped_and_an_empty_output_is_fine() -> None:
    assert through("grep", "foo").values == [b"foo 1"]
    assert len(through("true")) == 0
    assert len(through("cat", batch=Batch())) == 0


def test_a_last_line_without_its_end_counts_when_the_command_says_that_all_is_well() -> None:
    assert through("printf", '{"value":"a"}\\n{"value":"b"}').values == [b"a", b"b"]


def test_an_exit_status_that_is_not_fine_settles_nothing_and_names_the_batch_and_the_way_out() -> None:
    with pytest.raises(KdgError, match=r"^grep ended with exit status 1 for t\[0\] offsets 5 to 9 and 1 other part.*nothing") as told:  # fmt: skip
        through("grep", "nothing like it")
    assert told.value.exit_code == 1
    assert "--ok-exit 0,1" in told.value.hint
    assert len(through("grep", "nothing like it", ok=(0, 1))) == 0
    with pytest.raises(KdgError, match="exit status 2"):
        through("sh", "-c", "exit 2", ok=(0, 1))
    with pytest.raises(KdgError, match="signal 9") as killed:
        through("sh", "-c", "kill -9 $$", ok=(0, 1))
    assert "--ok-exit" not in killed.value.hint


@pytest.mark.parametrize("output", ["text", '{"payload": 1}', '{"value": 1}', "[]", ""])
def test_output_that_is_no_record_is_named_and_is_not_wrong_usage(output: str) -> None:
    with pytest.raises(KdgError, match=r"echo wrote for t\[0\] offset 5 .* line 1") as told:
        through("echo", output)
    assert not isinstance(told.value, UsageError)
    assert "--lines" in told.value.hint


def test_bare_values_lose_the_rest_and_one_that_would_become_two_is_refused() -> None:
    two = Batch(values=[b"a", b"\xff"], keys=[b"k", b"k"], topics=["t"] * 2, partitions=[0] * 2, offsets=[5, 6])
    found = through("tr", "a", "b", bare=True, batch=two)
    assert (found.values, found.keys, found.headers, found.timestamps) == ([b"b", b"\xff"], None, None, None)
    with pytest.raises(KdgError, match=r"t\[0\] offset 9: the value holds a newline"):
        through("cat", bare=True)


def test_the_spans_of_batches_hold_the_first_and_the_last_offset_of_each_partition() -> None:
    spans = spans_of([RECORDS, RECORDS, Batch()])
    assert spans == [Span("t", 0, 5, 9), Span("u", 1, 2, 2)]
    assert name_spans(spans[1:]) == "u[1] offsets 2 to 2"
