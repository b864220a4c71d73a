"""Owns what a shell offers after Tab: guarantees, pages of `kdg explain`, and the topics and groups of the cluster.

A completion prints no error and does not wait long: if the cluster does not answer, nothing is offered.
"""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Callable, Mapping

import typer

from kdg.core.guarantees import GUARANTEES
from kdg.settings.files import load
from kdg.settings.librdkafka import canonical


def guarantees(incomplete: str) -> list[str]:
    """The names of the guarantees."""
    return [guarantee.name for guarantee in GUARANTEES if guarantee.name.startswith(incomplete)]


def pages(incomplete: str) -> list[str]:
    """The names of the pages of `kdg explain`."""
    from kdg.explain import names

    return [name for name in names() if name.startswith(incomplete)]


def topics(context: typer.Context, incomplete: str) -> list[str]:
    """The topics of the cluster that the line names."""
    return _asked(context, incomplete, _topics)


def groups(context: typer.Context, incomplete: str) -> list[str]:
    """The consumer groups of the cluster that the line names."""
    return _asked(context, incomplete, _groups)


def _topics(settings: Mapping[str, str]) -> list[str]:
    from kdg.kafka.admin import topic_names

    return topic_names(settings)


def _groups(settings: Mapping[str, str]) -> list[str]:
    from kdg.kafka.admin import group_names

    return group_names(settings)


def _asked(context: typer.Context, incomplete: str, ask: Callable[[Mapping[str, str]], list[str]]) -> list[str]:
    with contextlib.suppress(Exception):  # an error would be printed into a line that is half typed
        settings = _connection(context.params)
        if settings.get("bootstrap.servers"):
            return [word for name in ask(settings) if name.startswith(incomplete) and (word := _as_word(name))]
    return []


def _as_word(name: str) -> str | None:
    """A name from the cluster as one word of the shell that asks; None if it is not to be offered.

    A group's name may hold any character: `x;rm -rf .` would run on Enter. zsh and fish quote what they insert, bash
    does not. zsh evaluates what it is given, and Typer does not escape all of it.
    """
    if not name.isprintable():
        return None
    shell = os.environ.get("_KDG_COMPLETE", "")
    if "bash" in shell:
        return shlex.quote(name)
    return name if "fish" in shell or name == shlex.quote(name) else None


def _connection(typed: Mapping[str, object]) -> dict[str, str]:
    """The settings with which the half-typed line reaches its cluster: -b, -X, -F, --profile, the environment."""
    layers = load(_text(typed.get("config")), _text(typed.get("profile"))).layers
    settings = {canonical(name): value for layer in reversed(layers) for name, value in layer.values.items()}
    pairs = typed.get("settings")
    for pair in pairs if isinstance(pairs, list | tuple) else ():
        name, _, value = str(pair).partition("=")
        settings[canonical(name)] = value
    brokers = _text(typed.get("brokers"))
    return settings | ({"bootstrap.servers": brokers} if brokers else {})


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
