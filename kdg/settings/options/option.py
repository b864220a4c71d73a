"""Owns what an option of the command line is, as data: its names, its help, what it sets, and under which guarantees.

An option is described once, as a field of a group:

    acks: Annotated[str | None, Option("--acks", "all|leader", "who must store a record ...", sets="acks")] = None

Everything else reads this description: the command line declares the option, `--help` shows it, the shell completes its
value, `--dry-run` names it as an origin, and a guarantee to which it does not belong refuses it. Nothing is parsed
here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, get_type_hints

from kdg.core.guarantees import Guarantee
from kdg.errors import UsageError


@dataclass(frozen=True, slots=True)
class Option:
    """One option.

    flags: its names, separated by spaces: "-G --group", "--progress/--no-progress".
    metavar: how help names its value: "FILE"; empty for a flag, which has no value.
    summary: what it does; help shows this text.
    sets: the librdkafka property that takes its value, if there is one.
    only_under: the guarantees under which it may be used; empty for all of them.
    completes: what a shell offers as its value: "guarantees", "topics" or "groups".
    least, most: the range of a number, both included.
    empty: what an empty value means. Where this is empty, too, an empty value is refused: it comes from a variable of
    the shell that is not set, and an option that counts as absent may send records to another place.
    """

    flags: str
    metavar: str
    summary: str
    sets: str = ""
    only_under: tuple[Guarantee, ...] = ()
    completes: str = ""
    least: int | None = None
    most: int | None = None
    empty: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Its names: ("-G", "--group")."""
        return tuple(self.flags.split())

    @property
    def name(self) -> str:
        """The name that messages and `--dry-run` use: the short one, if there is one."""
        return min(self.names, key=len)

    @property
    def help(self) -> str:
        """Its line of `--help`; it begins with the guarantees to which the option is limited."""
        if not self.only_under:
            return self.summary
        return f"{' or '.join(guarantee.name for guarantee in self.only_under)} only: {self.summary}"


def options_of(group: type) -> Mapping[str, Option]:
    """The options of a group (a dataclass) by the name of their field, in the order in which help shows them."""
    hints = get_type_hints(group, include_extras=True)
    return {field.name: hints[field.name].__metadata__[0] for field in fields(group)}


def refuse_empty(groups: Iterable[Any]) -> None:
    """Raises UsageError for an option whose typed value is empty, unless its description says what that means."""
    for group in groups:
        for field, option in options_of(type(group)).items():
            value = getattr(group, field)
            if not option.empty and "" in (value if isinstance(value, list | tuple) else (value,)):
                raise UsageError(
                    f'{option.name} "" is empty: is a variable of the shell not set?',
                    f"Give {option.name} its {option.metavar}, or leave {option.name} out.",
                )


def given(groups: Iterable[Any]) -> Iterator[tuple[Option, Any]]:
    """The options that were typed, with their values: those that differ from the default of their field."""
    for group in groups:
        options = options_of(type(group))
        for field in fields(group):
            value = getattr(group, field.name)
            if value != field.default and value not in (None, (), []):
                yield options[field.name], value
