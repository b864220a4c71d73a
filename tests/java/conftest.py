"""A running Reader.java, which says how Java reads a text or a value."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.java import java

# Drawn configurations can keep a JVM waiting, which `make test` has no time for: `make dialects` runs them.
collect_ignore = [] if "KDG_DRAWN" in os.environ else ["test_drawn.py"]
READER = Path(__file__).with_name("Reader.java")
CLIENTS = ("producer", "consumer", "admin")


class Name(NamedTuple):
    """A property in the definition of one of Java's clients."""

    name: str
    type: str
    default: str
    validator: str


class Reader:
    """The conversation with Reader.java. An answer is None if Java refuses the text or the value."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def properties(self, text: str) -> dict[str, str] | None:
        """The pairs that java.util.Properties reads."""
        answer = self._ask("properties", _base64(text))
        return None if answer is None else {_text(n): _text(v) for n, v in (p.split(":") for p in answer.split())}

    def parse(self, client: str, name: str, value: str) -> str | None:
        """What the definition of a client makes of a value."""
        answer = self._ask("parse", client, name, _base64(value))
        return None if answer is None else _text(answer)

    def jaas(self, value: str) -> dict[str, str] | None:
        """The options that Kafka's clients read in sasl.jaas.config."""
        answer = self._ask("jaas", _base64(value))
        return None if answer is None else {_text(n): _text(v) for n, v in (p.split(":") for p in answer.split())}

    def names(self, client: str) -> list[Name]:
        """The names of a client's definition."""
        answer = self._ask("names", client) or ""
        parts = (p.split(":") for p in answer.split())
        return [Name(name, kind, _text(default), _text(validator)) for name, kind, default, validator in parts]

    def start(self, client: str, properties: Mapping[str, str]) -> str:
        """Why a client does not start with the properties; "" if it starts. It reaches no broker."""
        pairs = " ".join(f"{_base64(name)}:{_base64(value)}" for name, value in properties.items())
        answer = self._ask("start", client, _base64(pairs)) or "refused"
        return "" if answer == "started" else _text(answer.partition(" ")[2]) or "refused"

    def _ask(self, *words: str) -> str | None:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(" ".join(words) + "\n")
        stdin.flush()
        answer = stdout.readline()
        assert answer.endswith("\n"), "Reader.java has ended"
        return None if answer == "refused\n" else answer[:-1]


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-16-be", "surrogatepass")).decode()


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode("utf-16-be", "surrogatepass")


@pytest.fixture(scope="session")
def reader() -> Iterator[Reader]:
    """One Reader.java for all tests."""
    argv = java(READER)
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        yield Reader(process)
        assert process.stdin is not None
        process.stdin.close()
