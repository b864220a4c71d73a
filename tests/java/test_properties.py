"""kdg reads a Java file as Java reads it; the cases are generated (KDG_JAVA_FILES=20000 for the long form)."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kdg.errors import UsageError
from kdg.settings import keyvalue
from kdg.settings.java_login import login
from kdg.settings.keyvalue import PropertyFile

from .conftest import Reader

FILES = int(os.environ.get("KDG_JAVA_FILES", "600"))
many = settings(max_examples=FILES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

# What a file consists of: the signs that mean something, and texts around them.
_SIGNS = [
    "\\",
    "\\\\",
    "=",
    ":",
    " ",
    "\t",
    "\f",
    "#",
    "!",
    "\n",
    "\r",
    "\r\n",
    "\\\n",
    "\\\r\n  ",
    "\\:",
    "\\=",
    "\\ ",
]
_ESCAPES = [
    "\\n",
    "\\t",
    "\\r",
    "\\f",
    "\\x",
    "\\u0041",
    "\\u003d",
    "\\u000a",
    "\\ud83d\\ude00",
    "\\u12",
    "\\uzzzz",
    "\\U0041",
]
_TEXTS = [
    "acks",
    "bootstrap.servers",
    "all",
    "h",
    "9092",
    "\u2028",
    "\x85",
    "\x0b",
    "\x1c",
    "\xa0",
    "\U0001f600",
    "\x00",
]
FILE = st.lists(st.sampled_from(_SIGNS + _ESCAPES + _TEXTS), max_size=30).map("".join)


@many
@given(text=FILE)
@example(text="bootstrap.servers=h\\:9092\n")
@example(text="\\\n# a comment\na=1")
@example(text="a=1\\")
@example(text="sasl.password=one\u2028two")
def test_properties_are_read_as_java_reads_them(reader: Reader, text: str) -> None:
    """The same pairs; or both refuse the text."""
    try:
        read: dict[str, str] | None = keyvalue.read_java(text, "f")
    except UsageError:
        read = None
    assert _named(read) == _named(reader.properties(text))


def _named(properties: dict[str, str] | None) -> dict[str, str] | None:
    """Without the empty name that Java finds where a file ends in a lone backslash; half a character is U+FFFD."""
    if properties is None:
        return None
    return {_whole(name): _whole(value) for name, value in properties.items() if name}


def _whole(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


_QUOTABLE = st.text(st.sampled_from("aZ9 \\\"';=/*#nrtbfv07\u00e4\U0001f600\t"), max_size=8)


@many
@given(password=_QUOTABLE, quote=st.sampled_from("\"'"))
@example(password="a\\nb", quote='"')  # noqa: S106
def test_login_is_read_as_java_reads_it(reader: Reader, password: str, quote: str) -> None:
    """The password of sasl.jaas.config is the one that Kafka's own reading of it gives, where Kafka takes it."""
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    jaas = f"{module} required username=u password={quote}{password}{quote};"
    expected = reader.jaas(jaas)
    if expected is not None:
        file = PropertyFile("f", {"sasl.jaas.config": jaas}, {}, is_java=True)
        assert login(file) == {"sasl.username": "u", "sasl.password": expected["password"]}
