"""Owns the command that sends the records of `--undelivered FILE` again, as the message after exit 3 prints it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Any

from kdg.settings.options.option import Option, given
from kdg.settings.resolve import is_secret

NOT_AGAIN = frozenset(
    {
        "--undelivered",
        "--report",
        "--dry-run",
        "--strict",
        "--timeout",
        "--crash-at",
        "--progress/--no-progress",
        "-q",
        "-v",
        "-c",
    }
)
"""Options of the first run that say nothing about what a record is or where it goes."""


def command_again(topic: str, file: str, groups: Iterable[Any]) -> str:
    """The command, for a shell: `kdg produce TOPIC FILE` with each typed option that a record depends on.

    groups: the options that were typed. Without `-K` the key would become a part of the value, for example. The value
    of a secret is not printed: `-X sasl.password=...`.
    """
    words = ["kdg", "produce", _as_argument(topic), _as_argument(file)]
    for option, value in given(groups):
        if option.name not in NOT_AGAIN:
            words += _typed(option, value)
    return " ".join(map(shlex.quote, words))


def _typed(option: Option, value: object) -> list[str]:
    if value is True:
        return [option.name]
    values = value if isinstance(value, list | tuple) else [value]
    shown = [_without_secret(str(each)) if option.name == "-X" else str(each) for each in values]
    return [word for each in shown for word in (option.name, each)]


def _without_secret(pair: str) -> str:
    name, equals, value = pair.partition("=")
    return f"{name}=..." if equals and is_secret(name) and not value.startswith("@") else pair


def _as_argument(word: str) -> str:
    """The word so that it is not read as an option."""
    return f"./{word}" if word.startswith("-") else word
