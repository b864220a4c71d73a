"""Lines: what is printed can be read again if a line can contain it; null differs from empty."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kdg.core.records import Batch
from kdg.errors import UsageError
from kdg.formats.lines import LineDecoder, LineEncoder

DATA = st.binary(max_size=12)
DELIMITER = st.sampled_from([b"\n", b"\0", b"\r\n", b"||"])
KEY_DELIMITER = st.sampled_from([b":", b"\t", b"::", b"%", b"=>"])
ENCODING = st.sampled_from(["utf8", "hex", "base64"])


def records_of(batch: Batch) -> list[tuple[bytes | None, bytes | None]]:
    """Key and value of each record."""
    return list(zip(batch.keys or [None] * len(batch), batch.values, strict=True))


@given(st.lists(DATA, min_size=1), DELIMITER)
def test_lines_round_trip(values: list[bytes], delimiter: bytes) -> None:
    """Values without the delimiter can be printed and read again."""
    assume(all(delimiter not in value + delimiter[:-1] for value in values))
    lines = LineEncoder(delimiter).encode(Batch(values)).split(delimiter)

    assert lines.pop() == b""
    assert LineDecoder(delimiter).decode(lines, 1) == Batch(values)


@given(st.lists(st.tuples(DATA, DATA), min_size=1), DELIMITER, KEY_DELIMITER)
def test_any_bytes_survive_as_base64_or_hex(
    records: list[tuple[bytes, bytes]], delimiter: bytes, key_delimiter: bytes
) -> None:
    keys, values = zip(*records, strict=True)
    text = LineEncoder(delimiter, key_delimiter, b"", "hex", "base64").encode(Batch(values, keys))
    decoder = LineDecoder(delimiter, key_delimiter, key_encoding="hex", value_encoding="base64")

    assert records_of(decoder.decode(text.split(delimiter)[:-1], 1)) == records


@given(DATA, DELIMITER, KEY_DELIMITER | st.none(), st.none() | DATA, st.booleans())
def test_encode_back_is_read_as_the_same_record(
    line: bytes, delimiter: bytes, key_delimiter: bytes | None, key: bytes | None, empty_is_null: bool
) -> None:
    assume(delimiter not in line + delimiter[:-1])
    assume(key is None or key_delimiter is None)  # `produce` refuses -k together with -K
    decoder = LineDecoder(delimiter, key_delimiter, key, None, empty_is_null)
    read = decoder.decode([line], 1)
    again = decoder.encode_back(*records_of(read)[0], None, None)

    assert again.endswith(delimiter)
    assert records_of(decoder.decode([again.removesuffix(delimiter)], 1)) == records_of(read)


@given(st.sampled_from([b"0A", b"0a:QQ==", b":QQ==", b"", b"0A:", b"QQ=="]), st.none() | DATA, st.booleans())
def test_encode_back_in_an_encoding(line: bytes, key: bytes | None, empty_is_null: bool) -> None:
    decoder = LineDecoder(b"\n", b":", key, empty_is_null=empty_is_null, key_encoding="hex", value_encoding="base64")
    try:
        read = decoder.decode([line], 1)
    except UsageError:
        return
    assert records_of(decoder.decode([decoder.encode_back(*records_of(read)[0], None, None)[:-1]], 1)) == records_of(
        read
    )


def test_a_value_is_a_line() -> None:
    assert LineEncoder().encode(Batch([b"a", b"", b"\xff"])) == b"a\n\n\xff\n"


def test_no_records_are_no_lines() -> None:
    assert LineEncoder().encode(Batch()) == b""
    assert LineDecoder().decode([], 1) == Batch([])


def test_null_and_empty_print_differently() -> None:
    """null is printed as nothing, or with -Z as NULL; an empty value is always printed as nothing."""
    batch = Batch([None, b""], [b"", None])

    assert LineEncoder(b"\n", b":").encode(batch) == b":\n:\n"
    assert LineEncoder(b"\n", b":", b"NULL").encode(batch) == b":NULL\nNULL:\n"


def test_records_without_keys_print_null_keys() -> None:
    assert LineEncoder(b"\n", b":", b"NULL").encode(Batch([b"v"])) == b"NULL:v\n"


def test_keys_are_needed_only_if_printed() -> None:
    assert LineEncoder().columns == {"values"}
    assert LineEncoder(key_delimiter=b":").columns == {"keys", "values"}


def test_values_are_printed_in_their_encoding() -> None:
    batch = Batch([b"\xff", None], [b"k", b"k"])

    assert LineEncoder(b"\n", b":", b"", "base64", "hex").encode(batch) == b"aw==:ff\naw==:\n"


def test_plain_lines_are_not_changed() -> None:
    lines = [b"a", b"", b"a:b"]
    batch = LineDecoder().decode(lines, 1)

    assert batch.values is lines
    assert (batch.keys, batch.size) == (None, 4)


def test_only_the_first_key_delimiter_splits() -> None:
    """Only the first key delimiter of a line counts; a line without one has a null key."""
    batch = LineDecoder(key_delimiter=b":").decode([b"k:v:w", b"v", b":v", b"k:", b""], 1)

    assert records_of(batch) == [(b"k", b"v:w"), (None, b"v"), (b"", b"v"), (b"k", b""), (None, b"")]


def test_with_z_an_empty_key_or_value_is_null() -> None:
    batch = LineDecoder(key_delimiter=b":", empty_is_null=True).decode([b":v", b"k:", b""], 1)

    assert records_of(batch) == [(None, b"v"), (b"k", None), (None, None)]
    assert LineDecoder(empty_is_null=True).decode([b"", b"v"], 1).values == [None, b"v"]


def test_fixed_key_is_for_lines_without_a_key() -> None:
    assert records_of(LineDecoder(key=b"f").decode([b"a", b"b"], 1)) == [(b"f", b"a"), (b"f", b"b")]
    assert records_of(LineDecoder(key_delimiter=b":", key=b"f").decode([b"k:a", b"b", b":c"], 1)) == [
        (b"k", b"a"),
        (b"f", b"b"),
        (b"", b"c"),
    ]


def test_fixed_headers_are_in_every_record() -> None:
    headers = [("a", b"1"), ("a", None)]

    assert LineDecoder(headers=headers).decode([b"x", b"y"], 1).headers == [headers, headers]
    assert LineDecoder(headers=[]).decode([b"x"], 1).headers is None


def test_the_size_is_the_bytes_of_keys_and_values() -> None:
    assert LineDecoder(key_delimiter=b":").decode([b"k:abc", b"d"], 1).size == 5
    assert LineDecoder(key=b"kk").decode([b"a", b"b"], 1).size == 6


def test_encode_back_keeps_the_line() -> None:
    """encode_back does not write the key of -k and the headers of -H, which are added again."""
    assert LineDecoder(key=b"f", headers=[("a", b"1")]).encode_back(b"f", b"v", [("a", b"1")], 5, 3) == b"v\n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"0g:QQ==", "line 17: key is not hex: "),
        (b"0:QQ==", "line 17: key is not hex: "),
        (b"00:QQ", "line 17: value is not base64: "),
        (b"00:QQ==\r", "line 17: value is not base64: "),
        (b"00:\xff", "line 17: value is not base64: "),
    ],
)
def test_value_not_in_its_encoding_is_refused(line: bytes, message: str) -> None:
    decoder = LineDecoder(key_delimiter=b":", key_encoding="hex", value_encoding="base64")
    with pytest.raises(UsageError) as caught:
        decoder.decode([b"00:QQ==", line], 16)

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(("delimiter", "key_delimiter", "flag"), [(b"a", b":", "-D"), (b"\n", b"ff", "-K")])
def test_delimiter_that_can_occur_in_an_encoding(delimiter: bytes, key_delimiter: bytes, flag: str) -> None:
    with pytest.raises(UsageError, match=f"{flag} .* can occur in hex text"):
        LineDecoder(delimiter, key_delimiter, value_encoding="hex")
