"""Owns how the programs of `kdg explain GUARANTEE --client X` are started: a command line for each."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import kdg.explain
from kdg.core.guarantees import Guarantee
from kdg.explain.dialects.program import file_name
from tests.support.go import go
from tests.support.java import java

FOLDER = Path(kdg.explain.__file__).parent / "programs"


def source(guarantee: Guarantee, client: str) -> Path:
    """The file of a program."""
    return FOLDER / file_name(guarantee, client)


_COMMANDS: Mapping[str, Callable[[Path], list[str]]] = {
    "python": lambda path: [sys.executable, str(path)],
    "java": java,
    "go": go,
}

CLIENTS = tuple(_COMMANDS)
"""The clients whose programs can be started."""


def command(guarantee: Guarantee, client: str) -> list[str]:
    """The command line that runs a program; it is compiled first if necessary."""
    return _COMMANDS[client](source(guarantee, client))
