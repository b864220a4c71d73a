"""Owns the shape of a contradiction: settings that a client refuses together. Names are librdkafka's. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from kdg.core.guarantees import Role

LIBRDKAFKA, JAVA = "librdkafka", "java"
BOTH = (LIBRDKAFKA, JAVA)
DROP = ""
"""In a change: the setting is to be removed."""


class Values(Protocol):
    """The settings of one client, defaults included."""

    def value(self, name: str) -> str:
        """The value that the client uses; "" if there is none."""

    def number(self, name: str) -> float:
        """The value as a number; -1 if it is not a number."""

    def written(self, name: str) -> bool:
        """Whether the configuration sets it, so that it is not the default."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Settings with which a client does not start.

    role: for producers or for consumers. clients: the libraries that refuse the settings. names: the settings.
    says: the rule that they break. holds: whether given settings break it. change: values that end the contradiction.
    """

    role: Role
    clients: tuple[str, ...]
    names: tuple[str, ...]
    says: str
    holds: Callable[[Values], bool]
    change: tuple[tuple[str, str], ...] = ()
