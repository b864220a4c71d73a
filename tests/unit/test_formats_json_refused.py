"""JSON lines that are not a record are refused with the number of the line, and the message says what is wrong."""

from __future__ import annotations

import re

import pytest

from kdg.core.records import Batch
from kdg.errors import UsageError
from kdg.formats.json import JsonDecoder, JsonEncoder


def decode(line: str, number: int = 17, **options: object) -> Batch:
    return JsonDecoder(**options).decode([line.encode()], number)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "empty, but it has to be a JSON object"),
        ("  ", "empty, but it has to be a JSON object"),
        ("{", "not JSON: "),
        ("NaN", "not JSON: "),
        ('{"value":1e999}', "not JSON: "),
        ('{"value":"\\ud800"}', "not JSON: "),
        ("[" * 5000, "not JSON: "),
        ("[]", "an array, but it has to be a JSON object"),
        ("null", "null, but"),
        ("5", "a number, but"),
        ('{"payload":"v"}', "unknown member 'payload': a record has key, value, headers and timestamp"),
        ('{"value":1}', 'value is a number: it has to be a string, {"base64": "..."} or null (jq: tostring)'),
        ('{"value":1.5}', "value is a number"),
        ('{"value":true}', "value is true or false"),
        ('{"value":["a"]}', "value is an array"),
        ('{"key":{"a":1}}', "key is an object"),
        ('{"value":{"base64":1}}', "value is an object"),
        ('{"value":{"base64":"AA==","x":1}}', "value is an object"),
        ('{"value":{"base64":"A"}}', "value is not base64: "),
        ('{"value":{"base64":"ä"}}', "value is not base64: "),
        ('{"headers":["a","1"]}', "an item of headers is not [name, value]"),
        ('{"headers":[["a"]]}', "an item of headers is not [name, value]"),
        ('{"headers":[[null,"1"]]}', "an item of headers is not [name, value]"),
        ('{"headers":[["a",1]]}', "header 'a' is a number"),
        ('{"headers":[["a\\u0000b","1"]]}', "header 'a\\x00b': a name cannot contain \\0"),
        ('{"headers":{}}', "headers is an object: it has to be [[name, value], ...]"),
        ('{"headers":false}', "headers is true or false"),
        ('{"timestamp":1.5}', "timestamp is 1.5: it has to be milliseconds since 1970, a whole number from 0 to "),
        ('{"timestamp":true}', "timestamp is true or false"),
        ('{"timestamp":"1"}', "timestamp is a string"),
        ('{"timestamp":-2}', "timestamp is -2"),
        ('{"timestamp":9223372036854775808}', "timestamp is 9223372036854775808"),
        ('{"timestamp":123456789012345678901234567890}', "timestamp is 1.23"),
        ('{"partition":-2}', "partition is -2: it has to be a partition's number, a whole number from 0 to 2147483647"),
        ('{"partition":2147483648}', "partition is 2147483648"),
    ],
)
def test_not_a_record_is_refused_with_its_line(line: str, reason: str) -> None:
    """The message has the number of the line and the reason."""
    with pytest.raises(UsageError) as caught:
        JsonDecoder(keep_partition=True).decode([b"{}", line.encode(), b"{}"], 16)

    assert str(caught.value).startswith(f"line 17: {reason}")


def test_string_not_in_its_encoding_is_refused() -> None:
    with pytest.raises(UsageError, match="line 17: key is not hex: "):
        decode('{"key":"xy"}', key_encoding="hex")


def test_bytes_that_are_not_utf8_are_not_json() -> None:
    with pytest.raises(UsageError, match="line 1: not JSON"):
        JsonDecoder().decode([b'{"value":"\xff"}'], 1)


def test_message_says_record_for_another_delimiter() -> None:
    with pytest.raises(UsageError, match="record 2: "):
        JsonDecoder(b"\0").decode([b"{}", b"["], 1)


@pytest.mark.parametrize("delimiter", [b",", b" ", b"::", "§".encode()])
def test_delimiter_that_can_occur_in_json(delimiter: bytes) -> None:
    with pytest.raises(UsageError, match="can occur in JSON"):
        JsonDecoder(delimiter)


def test_unknown_encoding_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="unknown encoding 'rot13': choose utf8, hex, base64"):
        JsonEncoder(key_encoding="rot13")


def test_controls_that_json_allows_are_escaped() -> None:
    """U+009B begins a command to a terminal. The line is ASCII there, and reads back as the same bytes."""
    values: list[bytes | None] = ["a\x9b31m\x80\x9f".encode(), "\u00a0\u00e9\u00a3".encode(), b"\xc2", b"\xff\xc2\x9b"]
    text = JsonEncoder().encode(Batch(values, ["\x85".encode()] * 4, headers=[[("\x90", "\x90".encode())]] * 4))
    assert b'"a\\u009b31m\\u0080\\u009f"' in text
    assert not re.search("[\x80-\x9f]", text.decode())
    batch = JsonDecoder().decode(text.split(b"\n")[:-1], 1)
    assert (list(batch.values), list(batch.keys or ())) == (values, ["\x85".encode()] * 4)
    assert batch.headers == [(("\x90", "\x90".encode()),)] * 4
