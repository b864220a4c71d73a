"""Owns a guarantee in one client: the program that copies a topic, its configuration, its steps, and the notes.

The programs are files in kdg/explain/programs. tests/dialects runs them under the faults of `kdg verify`. A heading
such as `# == Steps ==` begins a part of a program. The pages show two of the parts.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Sequence

from kdg.core.guarantees import Guarantee, Role, Setting, Step
from kdg.explain.dialects.dialect import Dialect
from kdg.explain.dialects.dotnet import dotnet_name, dotnet_value

_COMMAND = "pipe"
"""The settings are those of `kdg pipe`, which has both clients."""

_LIBRDKAFKA = {
    Step.READ: "rd_kafka_consumer_poll",
    Step.COMMIT: "rd_kafka_commit",
    Step.BEGIN: "rd_kafka_begin_transaction",
    Step.WRITE: "rd_kafka_producev",
    Step.FLUSH: "rd_kafka_flush",
    Step.RECORD_POSITION: "rd_kafka_send_offsets_to_transaction",
    Step.COMMIT_TRANSACTION: "rd_kafka_commit_transaction",
}

CONFIGURATION, STEPS = "Configuration", "Steps"
"""The parts that every program has."""

_SUFFIXES = {"python": ".py", "dotnet": ".cs", "java": ".java", "go": ".go", "kcat": ".sh"}
_PASCAL_CASE = (".java", ".cs")


def file_name(guarantee: Guarantee, client: str) -> str:
    """The name of a program's file in kdg/explain/programs, such as exactly_once.py."""
    suffix, words = _SUFFIXES[client], guarantee.name.split("-")
    stem = "".join(map(str.capitalize, words)) if suffix in _PASCAL_CASE else "_".join(words)
    return f"{stem}{suffix}"


def program(guarantee: Guarantee, client: str) -> str:
    """A whole program."""
    found = pkgutil.get_data("kdg.explain", f"programs/{file_name(guarantee, client)}")
    return (found or b"").decode()


def part(text: str, heading: str) -> tuple[str, ...]:
    """The lines of a program between a heading and the next one; they begin at the left, in a class, too."""
    lines = text.expandtabs(4).splitlines()
    marks = [number for number, line in enumerate(lines) if line.strip(" #/").startswith("==")]
    first = next(number for number in marks if lines[number].strip(" #/=") == heading)
    last = next((number for number in marks if number > first), len(lines))
    indent = lines[first][: -len(lines[first].lstrip())]
    found = [line.removeprefix(indent) for line in lines[first + 1 : last] if line.startswith(indent) or not line]
    return tuple("\n".join(found).strip("\n").splitlines())


def shown_value(setting: Setting) -> str:
    """The value of a setting for people: `none` if it has to stay unset, `...` if the user chooses it."""
    return setting.value or ("none" if setting.locked else "...")


def functions(steps: Sequence[Step]) -> str:
    """librdkafka's functions for these steps, in their order."""
    return " > ".join(_LIBRDKAFKA[step] for step in steps if step in _LIBRDKAFKA)


def one_line(guarantee: Guarantee) -> str:
    """The first two settings of the producer, which are the most important ones, as one line of C#."""
    first = list(_settings(guarantee, Role.PRODUCER))[:2]
    return f"new ProducerConfig {{ {', '.join(f'{dotnet_name(n)} = {dotnet_value(n, v)}' for n, v in first)} }}"


def _settings(guarantee: Guarantee, role: Role) -> Iterator[tuple[str, str]]:
    """What has to be set, in librdkafka's terms; a setting that has to stay unset is left out."""
    for setting in guarantee.settings(role):
        if (setting.value or not setting.locked) and (not setting.commands or _COMMAND in setting.commands):
            yield setting.name, shown_value(setting)


def notes(dialect: Dialect, steps: Sequence[Step]) -> tuple[str, ...]:
    """Common mistakes in these steps."""
    return tuple(text for step, text in dialect.notes if step in steps)
