"""JSON lines: what is printed can be read again."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdg.core.records import Batch
from kdg.errors import UsageError
from kdg.formats.json import JsonDecoder, JsonEncoder

ODD = [
    *(b"", b"\x00", b"\x7f", b"a\x7fb", b'\x7f"', b"\n", b'"', b"\\", b"\\u007f", b"%d%b", b"null", b'{"base64":""}'),
    *(b"\xff", b"\xc3", b"\xed\xa0\x80", "ä\U0010ffff".encode()),
]
DATA = st.one_of(st.none(), st.sampled_from(ODD), st.binary(max_size=20), st.text(max_size=20).map(str.encode))
NAME = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
HEADERS = st.lists(st.tuples(NAME, DATA), max_size=4)
Record = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]], int, int]
RECORD = st.tuples(DATA, DATA, HEADERS, st.integers(1, 2**63 - 1), st.integers(0, 2**31 - 1))
RECORDS = st.lists(RECORD, min_size=1, max_size=8)
DELIMITER = st.sampled_from([b"\n", b"\0", b"\r\n", b"\x1e"])
ENCODING = st.sampled_from(["utf8", "hex", "base64"])


def batch_of(records: list[Record]) -> Batch:
    """A batch as it was read from a topic."""
    keys, values, headers, timestamps, partitions = zip(*records, strict=True)
    offsets = range(len(records))
    return Batch(values, keys, headers, timestamps, ["t%"] * len(records), partitions, offsets)


def records_of(batch: Batch) -> list[tuple[object, ...]]:
    """Each record of a batch, whichever columns the batch has."""
    rows = len(batch)
    return list(
        zip(
            batch.keys or [None] * rows,
            batch.values,
            [list(headers or ()) for headers in batch.headers or [None] * rows],
            batch.timestamps or [-1] * rows,
            batch.partitions or [-1] * rows,
            strict=True,
        )
    )


def decode(line: str, number: int = 17, **options: object) -> Batch:
    return JsonDecoder(**options).decode([line.encode()], number)  # type: ignore[arg-type]


@given(RECORDS, DELIMITER, ENCODING, ENCODING)
def test_any_record_can_be_printed_and_read(
    records: list[Record], delimiter: bytes, key_encoding: str, value_encoding: str
) -> None:
    text = JsonEncoder(delimiter, key_encoding, value_encoding).encode(batch_of(records))
    lines = text.split(delimiter)
    decoder = JsonDecoder(delimiter, keep_partition=True, key_encoding=key_encoding, value_encoding=value_encoding)

    assert lines.pop() == b""
    assert records_of(decoder.decode(lines, 1)) == [(k, v, list(h), t, p) for k, v, h, t, p in records]


@given(RECORDS)
def test_json_lines_have_seven_members_in_order(records: list[Record]) -> None:
    """Every line is JSON for the parser of Python, too, and has the seven members in order."""
    for place, line in enumerate(JsonEncoder().encode(batch_of(records)).splitlines()):
        parsed = json.loads(line)

        assert list(parsed) == ["topic", "partition", "offset", "timestamp", "key", "value", "headers"]
        assert (parsed["topic"], parsed["partition"], parsed["offset"]) == ("t%", records[place][4], place)


@given(RECORDS, ENCODING, ENCODING, st.none() | st.binary(max_size=4), st.lists(st.tuples(NAME, DATA), max_size=2))
def test_encode_back_is_read_as_the_same_record(
    records: list[Record],
    key_encoding: str,
    value_encoding: str,
    key: bytes | None,
    extra: list[tuple[str, bytes | None]],
) -> None:
    decoder = JsonDecoder(
        b"\n", key, extra, keep_partition=True, key_encoding=key_encoding, value_encoding=value_encoding
    )
    read = decoder.decode(JsonEncoder(b"\n", key_encoding, value_encoding).encode(batch_of(records)).splitlines(), 1)
    again = b"".join(decoder.encode_back(*record) for record in records_of(read))  # type: ignore[arg-type]

    assert records_of(decoder.decode(again.split(b"\n")[:-1], 1)) == records_of(read)


@given(st.binary(max_size=60))
def test_any_line_is_a_record_or_a_usage_error(line: bytes) -> None:
    try:
        JsonDecoder(keep_partition=True).decode([line], 17)
    except UsageError as exc:
        assert str(exc).startswith("line 17: ")  # noqa: PT017 - either is right


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["key", "value", "headers", "timestamp", "partition", "offset", "base64", "x"]), inner
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_a_record_or_a_usage_error(document: object) -> None:
    try:
        decode(json.dumps(document), 3, keep_partition=True)
    except UsageError as exc:
        assert str(exc).startswith("line 3: ")  # noqa: PT017 - either is right


def test_line_has_every_part_of_the_record() -> None:
    batch = Batch([b"v"], [b"\xff"], [[("a", b"1"), ("a", None)]], [1700000000000], ["t"], [3], [42])

    assert JsonEncoder().encode(batch) == (
        b'{"topic":"t","partition":3,"offset":42,"timestamp":1700000000000,"key":{"base64":"/w=="},"value":"v",'
        b'"headers":[["a","1"],["a",null]]}\n'
    )


def test_json_of_missing_columns_is_null() -> None:
    """Columns that the batch does not have are null; headers are an empty list."""
    assert JsonEncoder().encode(Batch([None])) == (
        b'{"topic":null,"partition":null,"offset":null,"timestamp":null,"key":null,"value":null,"headers":[]}\n'
    )


def test_empty_batch_is_an_empty_text() -> None:
    assert JsonEncoder().encode(Batch()) == b""


def test_missing_timestamp_is_null() -> None:
    lines = JsonEncoder().encode(Batch([b"a", b"b"], timestamps=[-1, 5])).splitlines()

    assert [json.loads(line)["timestamp"] for line in lines] == [None, 5]


def test_json_header_name_with_a_lone_surrogate() -> None:
    """A lone surrogate in the name of a header becomes a question mark."""
    line = JsonEncoder().encode(Batch([b"v"], headers=[[("a\ud800", b"1")]]))

    assert json.loads(line)["headers"] == [["a?", "1"]]


def test_values_are_printed_in_their_encoding() -> None:
    batch = Batch([b"\xff\x00", None], [b"k", b""])
    lines = [json.loads(line) for line in JsonEncoder(b"\n", "hex", "base64").encode(batch).splitlines()]

    assert [(line["key"], line["value"]) for line in lines] == [("6b", "/wA="), ("", None)]


def test_null_differs_from_empty() -> None:
    batch = JsonDecoder().decode([b'{"key":"","value":null}', b'{"key":null,"value":""}'], 1)

    assert (batch.keys, batch.values) == ([b"", None], [None, b""])


@pytest.mark.parametrize("line", ["{}", '{"key":null,"value":null,"headers":null,"timestamp":null}', '{"headers":[]}'])
def test_absent_is_null(line: str) -> None:
    assert decode(line) == Batch([None])


def test_topic_offset_and_partition_are_ignored() -> None:
    assert decode('{"topic":7,"offset":"x","partition":"y","value":"v"}') == Batch([b"v"])


def test_keep_partition_reads_partitions() -> None:
    decoder = JsonDecoder(keep_partition=True)

    assert decoder.decode([b'{"partition":2}', b"{}"], 1).partitions == [2, -1]
    assert decoder.decode([b"{}"], 1).partitions is None


def test_timestamp_missing_in_one_record_is_negative() -> None:
    """A missing timestamp differs from timestamp 0, which is the beginning of 1970."""
    decoder = JsonDecoder()
    assert decoder.decode([b'{"timestamp":0}', b"{}"], 1).timestamps == [0, -1]

    assert decoder.decode([b'{"timestamp":5}', b"{}", b'{"timestamp":-1}'], 1).timestamps == [5, -1, -1]
    assert decoder.decode([b'{"timestamp":null}', b'{"timestamp":-1}'], 1).timestamps is None


def test_the_size_is_the_bytes_of_keys_and_values() -> None:
    assert JsonDecoder().decode(['{"key":"ä","value":"abc"}'.encode(), b'{"value":"d"}'], 1).size == 6


def test_fixed_key_and_fixed_headers() -> None:
    """The key of -k is for records without a key; the headers of -H come last."""
    decoder = JsonDecoder(key=b"k", headers=[("h", b"1")])
    batch = decoder.decode([b'{"key":"own","headers":[["a",null]]}', b'{"key":null}', b'{"key":""}'], 1)

    assert batch.keys == [b"own", b"k", b""]
    assert batch.headers == [(("a", None), ("h", b"1")), (("h", b"1"),), (("h", b"1"),)]


def test_fixed_headers_reach_every_record() -> None:
    """The headers of -H are in every record, also in one without headers."""
    assert decode("{}", headers=[("h", b"1")]).headers == [(("h", b"1"),)]


def test_last_of_a_repeated_member_counts() -> None:
    assert decode('{"value":"a","value":"b"}').values == [b"b"]


def test_base64_object_is_always_bytes() -> None:
    """{"base64": ...} is bytes under every encoding."""
    text = base64.b64encode(b"\xff").decode()

    assert decode(f'{{"value":{{"base64":"{text}"}}}}', value_encoding="hex").values == [b"\xff"]
