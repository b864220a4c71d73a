"""Templates: every token of kcat's -f, the escapes, and the messages for anything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdg.core.records import Batch
from kdg.errors import UsageError
from kdg.formats.template import TemplateEncoder, parse_delimiter

FULL = Batch(
    [b"value"], [b"key"], [[("a", b"1"), ("b", b""), ("a", None)]], [1700000000000], ["orders"], [3], [42]
)  # fmt: skip
NULL = Batch([None])


@pytest.mark.parametrize(
    ("template", "full", "null"),
    [
        ("%s", b"value", b""),
        ("%S", b"5", b"-1"),
        ("%R", b"\0\0\0\x05", b"\xff\xff\xff\xff"),
        ("%k", b"key", b""),
        ("%K", b"3", b"-1"),
        ("%T", b"1700000000000", b"-1"),
        ("%h", b"a=1,b=,a=NULL", b""),
        ("%t", b"orders", b""),
        ("%p", b"3", b"-1"),
        ("%o", b"42", b"-1"),
        ("%%", b"%", b"%"),
        ("%%s%%%s", b"%s%value", b"%s%"),
        (r"\n\t\r\0\x41\x4a\\", b"\n\t\r\0AJ\\", b"\n\t\r\0AJ\\"),
        (r"\012\"\%s", b'\n"\\value', b'\n"\\'),
        (r"end\\", b"end\\", b"end\\"),
        ("end\\", b"end\\", b"end\\"),
        ("%t [%p] at %o: key %k: %s\\n", b"orders [3] at 42: key key: value\n", b" [-1] at -1: key : \n"),
        ("", b"", b""),
        ("ä", "ä".encode(), "ä".encode()),
        ("\udcff", b"\xff", b"\xff"),
    ],
)  # fmt: skip
def test_a_token_prints_what_kcat_prints(template: str, full: bytes, null: bytes) -> None:
    assert TemplateEncoder(template).encode(FULL) == full
    assert TemplateEncoder(template).encode(NULL) == null


def test_only_null_is_printed_as_null() -> None:
    encoder = TemplateEncoder("%k=%s %K %S\\n", b"NULL")

    assert encoder.encode(Batch([None, b""], [b"", None])) == b"=NULL 0 -1\nNULL= -1 0\n"


def test_each_record_is_printed_in_order() -> None:
    assert TemplateEncoder("%s;").encode(Batch([b"a", b"b"])) == b"a;b;"
    assert TemplateEncoder("x").encode(Batch([b"a", b"b"])) == b"xx"
    assert TemplateEncoder("%s").encode(Batch()) == b""


def test_template_lengths_are_those_of_the_bytes() -> None:
    """Keys and values are printed in their encoding; their lengths are the lengths of the bytes."""
    encoder = TemplateEncoder("%k %K %s %S", key_encoding="hex", value_encoding="base64")

    assert encoder.encode(Batch([b"\xff"], [b"\xff"])) == b"ff 1 /w== 1"


def test_template_needs_the_columns_it_prints() -> None:
    assert TemplateEncoder("%s").columns == {"values"}
    assert TemplateEncoder("%k %K %h %o%%").columns == {"keys", "headers", "offsets", "values"}


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("%s %x", "-f: unknown token '%x' at character 4: use %s %S"),
        ("ab%", "-f: unknown token '%' at character 3"),
        ("%s%\\n", "-f: unknown token '%\\' at character 3"),
        ("%s \\q", "-f: unknown escape \\q: use "),
        ("\\xg", "-f: unknown escape \\x: use "),
        ("\\9", "-f: unknown escape \\9: use "),
    ],
)
def test_unknown_token_or_escape_is_refused(template: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        TemplateEncoder(template)

    assert str(caught.value).startswith(message)
    assert " at character " in str(caught.value)


@given(st.binary(max_size=12))
def test_other_text_is_printed_as_it_is(text: bytes) -> None:
    text = text.replace(b"%", b"").replace(b"\\", b"")
    template = text.decode("utf-8", "surrogateescape")

    assert TemplateEncoder(template + "%s").encode(Batch([b"v"])) == text + b"v"


@given(st.binary(min_size=1, max_size=12))
def test_any_delimiter_can_be_written_in_hex(delimiter: bytes) -> None:
    assert parse_delimiter("".join(f"\\x{byte:02x}" for byte in delimiter), "-D") == delimiter


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [(r"\n", b"\n"), (r"\t\0", b"\t\0"), (r"\x54!\x45\x53T", b"T!EST"), (r"\\", b"\\"), ("§", "§".encode())],
)  # fmt: skip
def test_escapes_in_a_delimiter(text: str, delimiter: bytes) -> None:
    assert parse_delimiter(text, "-D") == delimiter


def test_empty_delimiter_is_refused() -> None:
    with pytest.raises(UsageError, match="-K: a delimiter cannot be empty"):
        parse_delimiter("", "-K")


def test_wrong_escape_in_a_delimiter_is_refused() -> None:
    """The message for a wrong escape in a delimiter names the flag."""
    with pytest.raises(UsageError, match=r"-D '\\\\xzz': unknown escape \\x"):
        parse_delimiter(r"\xzz", "-D")
