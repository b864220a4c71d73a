"""The list of brokers is checked before anything is dialled: what is clear is understood, the rest is exit 2."""

from __future__ import annotations

import pytest

from kdg.core.guarantees import DEFAULT, Role
from kdg.errors import UsageError
from kdg.kafka.admin import topic_names
from kdg.settings.brokers import PROTOCOLS, address, understood
from kdg.settings.resolve import Layer, plain, resolve


@pytest.mark.parametrize(
    ("text", "protocol", "dialled", "named"),
    [
        ("a", None, "a", None),
        ("a:1", None, "a:1", None),
        (":1", None, ":1", None),
        (" a:1 , b:2 ", None, "a:1,b:2", None),
        ("[::1]", None, "[::1]", None),
        ("[::1]:65535", None, "[::1]:65535", None),
        ("[fe80::1%eth0]:1", None, "[fe80::1%eth0]:1", None),
        ("SASL_SSL://a:1", None, "a:1", "SASL_SSL"),
        ("sasl_ssl://a:1,SASL_SSL://b", None, "a:1,b", "SASL_SSL"),
        ("SSL://[::1]:1/", "ssl", "[::1]:1", "SSL"),
        ("plaintext://a:1", "PLAINTEXT", "a:1", "PLAINTEXT"),
    ],
)
def test_clear_list_is_understood(text: str, protocol: str | None, dialled: str, named: str | None) -> None:
    """Blanks around an entry go, and a protocol before a broker is that of the client."""
    assert understood(text, protocol, "-b") == (dialled, named)


@pytest.mark.parametrize(
    ("text", "wrong", "instead"),
    [
        (",", "-b ',' holds an entry without a broker", "Write HOST:PORT"),
        ("SSL://", "an entry without a broker", "Write HOST:PORT"),
        ("a:1,,b:2", "an entry without a broker", "Write HOST:PORT"),
        ("a:1,", "an entry without a broker", "Write HOST:PORT"),
        ("a:0", "'0' is not a port, which is a number from 1 to 65535", "Write a:9092"),
        ("a:65536", "'65536' is not a port", "Write a:9092"),
        ("a:70000", "'70000' is not a port", "Write a:9092"),
        ("a:-1", "'-1' is not a port", "Write a:9092"),
        ("a:", "'' is not a port", "Write a:9092"),
        ("a:http", "'http' is not a port", "Write a:9092"),
        ("[::1]:0", "'0' is not a port", "Write [::1]:9092"),
        ("::1:9", "where the host ends", "[::1]:9;"),
        ("::1", "where the host ends", "[::1]:9092;"),
        ("a:1:2", "where the host ends", "a comma between two brokers"),
        ("[::1:9092", "not an IPv6 address", "[::1]:9092"),
        ("[a]:1", "not an IPv6 address", "[::1]:9092"),
        ("[::1]9092", "not an IPv6 address", "[::1]:9092"),
        ("a:1 b:2", "not HOST:PORT", "a comma between two brokers"),
        ("a:1;b:2", "not HOST:PORT", "a comma between two brokers"),
        ("a: 1", "not HOST:PORT", "no blank"),
        ("a:1/kafka", "holds a path", "Write a:1"),
        ("kafka://a:1", "kafka:// is not a protocol of Kafka", "Write a:1"),
        ("http://a:1", "http:// is not a protocol of Kafka", "Write a:1"),
        ("://a:1", "is not a protocol", "Write a:1"),
        ("SSL://a:1,SASL_SSL://b:2", "different protocols: SSL (a:1) and SASL_SSL (b:2)", "speak one protocol"),
        ("SSL://a:1,b:2", "different protocols: SSL (a:1) and no protocol (b:2)", "speak one protocol"),
    ],
)
def test_unclear_list_is_exit_2_with_what_to_write(text: str, wrong: str, instead: str) -> None:
    """The message has the origin, what is wrong, and what to write instead."""
    with pytest.raises(UsageError) as caught:
        understood(text, None, "-b")
    assert str(caught.value).startswith("-b")
    assert wrong in str(caught.value)
    assert instead in caught.value.hint


def test_protocol_of_the_list_may_not_contradict_the_setting() -> None:
    """The library would drop the broker, and wait for others."""
    with pytest.raises(UsageError, match=r"contradicts security\.protocol=ssl"):
        understood("SASL_SSL://a:1", "ssl", "-b")


def test_login_in_the_list_is_refused_and_not_shown() -> None:
    """A password may hold any character, so nothing of the text is shown."""
    for text in ("user:hunter2@a:1", "SASL_SSL://user:hun,ter2@a:1", "hunter2://u@a:1"):
        with pytest.raises(UsageError, match="holds a login") as caught:
            understood(text, None, "-b")
        assert "hun" not in f"{caught.value} {caught.value.hint}"


def test_addresses_are_dialled_as_the_library_does() -> None:
    """The port of Kafka and this machine, where an entry names none."""
    found = [address(entry) for entry in ("SASL_SSL://a:1", " [::1]:2", "[::1]", "c", ":3")]
    assert found == [("a", 1), ("::1", 2), ("::1", 9092), ("c", 9092), ("localhost", 3)]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_dry_run_shows_the_protocol_that_the_list_names(protocol: str) -> None:
    """Every client of a run has it."""
    for role in Role:
        settings = resolve(DEFAULT, role, "pipe", [Layer("-b", {"bootstrap.servers": f"{protocol}://a:1"})])
        assert plain(settings)["bootstrap.servers"] == "a:1"
        assert plain(settings)["security.protocol"] == protocol
        assert settings["security.protocol"].origin == "-b"


def test_client_of_the_completion_checks_the_list() -> None:
    """Every client is made in one place, which checks the list."""
    with pytest.raises(UsageError, match="'70000' is not a port"):
        topic_names({"bootstrap.servers": "a:70000"})
