"""Owns the table of Confluent.Kafka's public names, and compiling a C# program against it.

The table is C# itself: tests/dialects/dotnet/Declarations.cs, which names its source.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

DECLARATIONS = Path(__file__).parents[1] / "dialects" / "dotnet" / "Declarations.cs"
_TEXT = DECLARATIONS.read_text(encoding="utf-8")

ENUMS = {
    name: {member.partition(" ")[0] for member in members.split(", ")}
    for name, members in re.findall(r"public enum (\w+) \{ (.*) \}", _TEXT)
}
"""The members of each enum: `Acks` has `None`, `Leader` and `All`."""

_CLASSES = dict(re.findall(r"public class (\w+Config) : \w+\n    \{\n(.*?)\n    \}", _TEXT, re.DOTALL))
_COMMON = _CLASSES.pop("ClientConfig")

PROPERTIES = {
    name: {prop: kind for kind, prop in re.findall(r"public ([\w?]+) (\w+) \{", _COMMON + body)}
    for name, body in _CLASSES.items()
}
"""The type of each property of ProducerConfig and ConsumerConfig: `int?` for `LingerMs`, and `Acks?` for `Acks`."""

WORDS = set(re.findall(r"\b[A-Z]\w*", re.sub(r"//.*", "", _TEXT)))
"""Every name in the table."""


def fits(kind: str, value: str) -> bool:
    """Whether C# accepts a value, such as `Acks.All` or `500`, for a property of this type."""
    plain = kind.rstrip("?")
    if plain in ENUMS:
        name, _, member = value.partition(".")
        return name == plain and member in ENUMS[plain]
    literals = {"bool": r"true|false", "int": r"-?\d+", "double": r"-?\d+(\.\d+)?", "string": r'".*"|[A-Z]\w*( \+ .*)?'}
    return re.fullmatch(literals[plain], value) is not None


def compiler() -> str | None:
    """The C# compiler of this machine that needs nothing else: Mono's; None if there is none."""
    return shutil.which("mcs")


def compiled(source: Path, folder: Path) -> str:
    """Compile a program against the table, and return what the compiler says; nothing if all is well."""
    argv = [str(compiler()), "-langversion:latest", f"-out:{folder / source.stem}.exe", str(DECLARATIONS), str(source)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
