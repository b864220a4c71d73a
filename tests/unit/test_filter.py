"""`pipe -- CMD`: the input of the command, its output, and when nothing of a batch is settled."""

from __future__ import annotations

import pytest

from kdg.core.ports import carry_out
from kdg.core.records import Batch
from kdg.errors import KdgError, UsageError
from kdg.formats.json import JsonDecoder, JsonEncoder
from kdg.formats.lines import LineDecoder, LineEncoder
from kdg.runtime.child import BatchCommand, Span, name_spans, spans_of
from kdg.runtime.deadline import Deadline, NoSignals
from kdg.transforms.command_filter import CommandFilter

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
    command = BatchCommand(argv, Deadline(NoSignals()), captured=True)
    if bare:
        return carry_out(CommandFilter(command, LineEncoder(), LineDecoder(), frozenset(ok), bare=True)(batch))
    return carry_out(CommandFilter(command, JsonEncoder(), JsonDecoder(), frozenset(ok), bare=False)(batch))


def test_whole_records_come_through() -> None:
    found = through("cat")
    assert (found.values, found.keys, found.timestamps) == (RECORDS.values, RECORDS.keys, RECORDS.timestamps)
    assert found.headers is not None
    assert [list(headers or ()) for headers in found.headers] == RECORDS.headers


def test_filter_may_drop_everything() -> None:
    """The command may leave records out, even all of them."""
    assert through("grep", "foo").values == [b"foo 1"]
    assert len(through("true")) == 0
    assert len(through("cat", batch=Batch())) == 0


def test_filter_output_without_a_last_newline() -> None:
    """A last line without a newline is a record if the command exits with 0."""
    assert through("printf", '{"value":"a"}\\n{"value":"b"}').values == [b"a", b"b"]


def test_filter_exit_status_settles_nothing() -> None:
    """A failed command settles nothing; the message names the batch and what to do."""
    with pytest.raises(
        KdgError, match=r"^grep ended with exit status 1 for t\[0\] offsets 5 to 9 and 1 other part.*nothing"
    ) as failed:
        through("grep", "nothing like it")
    assert failed.value.exit_code == 1
    assert "--ok-exit 0,1" in failed.value.hint
    assert len(through("grep", "nothing like it", ok=(0, 1))) == 0
    with pytest.raises(KdgError, match="exit status 2"):
        through("sh", "-c", "exit 2", ok=(0, 1))
    with pytest.raises(KdgError, match="signal 9") as killed:
        through("sh", "-c", "kill -9 $$", ok=(0, 1))
    assert "--ok-exit" not in killed.value.hint


@pytest.mark.parametrize("output", ["text", '{"payload": 1}', '{"value": 1}', "[]", ""])
def test_filter_output_that_is_not_a_record(output: str) -> None:
    """Output that is not a record ends the run with exit 1, not with exit 2 (wrong usage)."""
    with pytest.raises(KdgError, match=r"echo printed for t\[0\], offset 5 .* line 1") as failed:
        through("echo", output)
    assert not isinstance(failed.value, UsageError)
    assert "--lines" in failed.value.hint


def test_filter_on_bare_values() -> None:
    """With --lines only values come through; a value with a newline is refused."""
    two = Batch(values=[b"a", b"\xff"], keys=[b"k", b"k"], topics=["t"] * 2, partitions=[0] * 2, offsets=[5, 6])
    found = through("tr", "a", "b", bare=True, batch=two)
    assert (found.values, found.keys, found.headers, found.timestamps) == ([b"b", b"\xff"], None, None, None)
    with pytest.raises(KdgError, match=r"t\[0\] offset 9: the value contains a newline"):
        through("cat", bare=True)


def test_spans_hold_first_and_last_offsets() -> None:
    """A span holds the first and the last offset of a partition."""
    spans = spans_of([RECORDS, RECORDS, Batch()])
    assert spans == [Span("t", 0, 5, 9), Span("u", 1, 2, 2)]
    assert name_spans(spans[1:]) == "u[1] offsets 2 to 2"
