"""Owns waiting for a condition, with a time limit: no test sleeps."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import KafkaException

T = TypeVar("T")


def eventually(what: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Whether the condition holds within the time."""
    deadline = time.monotonic() + seconds
    while not (held := what()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return held or what()


def answered(ask: Callable[[], T]) -> T:
    """The answer of a broker. A broker that has just started, or a new topic, is asked again."""
    found: list[T] = []

    def asked() -> bool:
        try:
            found.append(ask())
        except KafkaException:
            return False
        return True

    assert eventually(asked)
    return found[0]
