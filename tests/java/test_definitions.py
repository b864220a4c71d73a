"""The tables of java.py and java_values.py, and how values are read, beside the definitions of Kafka's clients."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdg.core.guarantees import Role
from kdg.errors import UsageError
from kdg.explain import explain
from kdg.explain.facts import FACTS
from kdg.kafka.client import validate
from kdg.settings.java import NEAREST, PASSED_OVER, READ_TOGETHER, RENAMED, WITHOUT_MEANING, java_name
from kdg.settings.java_values import RANGES, translate
from kdg.settings.keyvalue import PropertyFile
from kdg.settings.librdkafka import LARGEST, canonical, roles_of

from .conftest import CLIENTS, Name, Reader
from .test_properties import many

NUMBERS = ("INT", "LONG", "SHORT")
OLDER = {"auto.include.jmx.reporter", "key.deserializer.encoding"}
"""Names of older clients and of the console tools."""
WITH_MINUS_ONE = {"connections.max.idle.ms", "receive.buffer.bytes", "send.buffer.bytes"}
"""Settings for which Java documents -1."""
AROUND = {
    "max.poll.interval.ms": {"session.timeout.ms": "1"},
    "session.timeout.ms": {"max.poll.interval.ms": "86400000"},
    "reconnect.backoff.ms": {"reconnect.backoff.max.ms": "3600000"},
    "reconnect.backoff.max.ms": {"reconnect.backoff.ms": "0"},
}
"""Settings that librdkafka compares with the one that is tried."""


@pytest.fixture(scope="module")
def names(reader: Reader) -> dict[str, tuple[str, Name]]:
    """Every property of Java's clients, with a client that has it."""
    return {name.name: (client, name) for client in CLIENTS for name in reader.names(client)}


def _translated(name: str, value: str) -> dict[str, str]:
    return dict(translate(PropertyFile("f", {name: value}, {name: 1}, is_java=True)).values)


def _used(name: str) -> bool:
    """Whether librdkafka gets a value for a name of Java."""
    ignored = (WITHOUT_MEANING, PASSED_OVER, NEAREST, READ_TOGETHER)
    return not any(name in group for group in ignored)


def test_every_name_of_java_has_a_meaning(names: dict[str, tuple[str, Name]]) -> None:
    """Each is in a group, or librdkafka has the same name; and the groups have no other names."""
    unknown = [name for name in names if _used(name) and not roles_of(canonical(RENAMED.get(name, name)))]
    assert unknown == []
    assert {*RENAMED, *WITHOUT_MEANING, *PASSED_OVER, *NEAREST, *READ_TOGETHER} - set(names) <= OLDER


def test_every_number_has_a_range(names: dict[str, tuple[str, Name]]) -> None:
    assert {name for name, (_, own) in names.items() if own.type in NUMBERS and _used(name)} == set(RANGES)


@pytest.mark.parametrize("name", RANGES)
def test_number_that_java_takes_is_usable(name: str, reader: Reader, names: dict[str, tuple[str, Name]]) -> None:
    """librdkafka takes what each number of Java becomes. Java's definitions take -1 even where it means nothing."""
    client, _ = names[name]
    tried = [-1, 0, 1, 9, 1024, 600_000, 86_400_001, LARGEST - 1, LARGEST, LARGEST + 1, 2**63 - 1]
    for number in tried:
        if reader.parse(client, name, str(number)) is None:
            continue
        if number < 0 and name not in WITH_MINUS_ONE:
            with pytest.raises(UsageError, match=f"f line 1: {name}"):
                _translated(name, str(number))
            continue
        ((own, value),) = _translated(name, str(number)).items()
        role = Role.PRODUCER if Role.PRODUCER in roles_of(canonical(own)) else Role.CONSUMER
        validate({**AROUND.get(name, {}), own: value}, role)


@many
@given(
    name=st.sampled_from(["group.id", "client.id", "security.protocol", "compression.type", "linger.ms", "retries"]),
    value=st.text(st.sampled_from("a1 \t\n\r\x00\x1f\x85\xa0\u2003\u2028"), min_size=1, max_size=6),
)
def test_value_is_trimmed_as_java_trims_it(reader: Reader, name: str, value: str) -> None:
    """Control characters and spaces go; other blanks, which Python would take away, stay."""
    client = "consumer" if name == "group.id" else "producer"
    expected = reader.parse(client, name, value)
    if expected is not None:
        ((_, read),) = _translated(name, value).items()
        assert read == expected


@pytest.mark.parametrize("name", [name for name in FACTS if java_name(name)])
def test_java_takes_the_value_that_its_page_prints(
    name: str, reader: Reader, names: dict[str, tuple[str, Name]]
) -> None:
    """WRITTEN of `kdg explain SETTING`, in Java's unit and spelling."""
    written = json.loads(explain([name], format="json"))["written"]["java"]
    shown, _, value = written.partition("=")
    client, _ = names[shown]
    assert value == "..." or reader.parse(client, shown, value) is not None
