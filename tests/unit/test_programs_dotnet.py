"""The C# programs of `kdg explain` use only what Confluent.Kafka has: names, properties, their types, enums."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kdg.core.guarantees import GUARANTEES, Guarantee
from kdg.explain.dialects.dotnet import dotnet_name
from kdg.explain.facts import FACTS
from kdg.settings.librdkafka import KNOWN
from tests.support.dotnet import ENUMS, PROPERTIES, WORDS, compiled, compiler, fits
from tests.support.programs import FOLDER, source

every_program = pytest.mark.parametrize("path", sorted(FOLDER.glob("*.cs")), ids=lambda path: path.stem)

OF_DOTNET = {
    "Action",
    "Add",
    "AddSeconds",
    "Clear",
    "Collections",
    "Confluent",
    "Count",
    "DateTime",
    "Environment",
    "FromSeconds",
    "Generic",
    "GetEnvironmentVariable",
    "GroupBy",
    "IEnumerable",
    "Increment",
    "Interlocked",
    "InteropServices",
    "Kafka",
    "Key",
    "Last",
    "Linq",
    "List",
    "Main",
    "Runtime",
    "Select",
    "System",
    "Threading",
    "TimeSpan",
    "ToList",
    "UtcNow",
}
"""The names of .NET itself that the programs use."""


DECLARED = r"class|void|string|bool|[\w<>\[\], ]+>|IConsumerGroupMetadata|ConsumerConfig|ProducerConfig"
"""What stands before a name that a program declares."""


def code(path: Path) -> str:
    """A program without its comments and texts."""
    return re.sub(r'//.*|"[^"]*"', "", path.read_text(encoding="utf-8"))


@every_program
def test_names_are_those_of_the_client_or_of_dotnet(path: Path) -> None:
    text = code(path)
    own = set(re.findall(rf"\b(?:{DECLARED}) ([A-Z]\w*)", text))
    unknown = set(re.findall(r"\b[A-Z]\w*", text)) - WORDS - OF_DOTNET - own
    assert unknown == set()


@every_program
def test_configuration_has_properties_of_the_right_type(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for name, body in re.findall(r"new (\w+Config)\s*\{(.*?)\n    \};", text, re.DOTALL):
        for prop, value in re.findall(r"(\w+) = (.+),\n", body):
            assert fits(PROPERTIES[name][prop], value), f"{prop} = {value}"


def test_every_setting_with_a_page_is_a_property() -> None:
    """The name that the pages of the settings show exists in the client."""
    known = {prop for properties in PROPERTIES.values() for prop in properties}
    shown = {dotnet_name(name) for name in FACTS if name in KNOWN} - {""}
    assert shown - known == set()


@pytest.mark.parametrize(
    ("kind", "value", "right"),
    [
        ("Acks?", "Acks.All", True),
        ("Acks?", '"all"', False),
        ("CompressionType?", "CompressionType.Brotli", False),
        ("int?", "500", True),
        ("int?", '"500"', False),
        ("bool?", "true", True),
        ("string", '"range"', True),
        ("PartitionAssignmentStrategy?", '"range"', False),
    ],
)
def test_type_of_a_value_is_noticed(kind: str, value: str, right: bool) -> None:
    assert fits(kind, value) is right
    assert "ReadCommitted" in ENUMS["IsolationLevel"]


@pytest.mark.skipif(compiler() is None, reason="no C# compiler is installed (mono-mcs has one)")
@pytest.mark.parametrize("guarantee", GUARANTEES, ids=lambda guarantee: guarantee.name)
def test_program_compiles(guarantee: Guarantee, tmp_path: Path) -> None:
    assert "error" not in compiled(source(guarantee, "dotnet"), tmp_path)
    broken = tmp_path / "Broken.cs"
    broken.write_text(source(guarantee, "dotnet").read_text().replace("Consumer.Close()", "Consumer.End()"))
    assert "error" in compiled(broken, tmp_path)
