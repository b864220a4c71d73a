"""Owns what kdg is compared with and where it is: kcat, and Kafka's console tools among the sandbox's jars."""

from __future__ import annotations

import shutil

CONSOLE_TOOLS = {
    "kafka-console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-console-producer": "org.apache.kafka.tools.ConsoleProducer",
}
"""The class behind each of the scripts in Kafka's bin folder."""


class MissingPeerError(Exception):
    """A program to compare with is not installed; its text says how to get it."""


def kcat() -> str:
    """Where kcat is. Raises MissingPeerError."""
    found = shutil.which("kcat")
    if found is None:
        raise MissingPeerError("kcat is not installed: apt-get install kcat (as root), or brew install kcat")
    return found
