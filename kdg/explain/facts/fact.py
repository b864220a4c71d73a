"""Owns the shape of a fact about a setting, and of a client's default."""

from __future__ import annotations

from typing import NamedTuple


class Default(NamedTuple):
    """The value that a client or a broker uses if nobody sets one.

    value: as the client writes it; "" if the setting exists and is unset; None if the client does not have the setting.
    note: more about it, such as the version that changed it.

    Examples: Default("all", "since 1.0"), Default(""), Default(None, "Java calls it buffer.memory")
    """

    value: str | None
    note: str = ""

    def __str__(self) -> str:
        shown = "absent" if self.value is None else self.value or "none"
        return f"{shown} ({self.note})" if self.note else shown


class Fact(NamedTuple):
    """A setting.

    name: librdkafka's name, or Kafka's for a topic or a broker. side: producer, consumer, topic or broker.
    librdkafka, java: the defaults of the two client libraries.
    broker: the default of Kafka 4.3, for a topic or a broker.
    loss, duplicates, order: how the setting affects each of the three; "" if it does not.
    note: what else is good to know.
    """

    name: str
    side: str
    librdkafka: Default = Default(None)
    java: Default = Default(None)
    broker: Default | None = None
    loss: str = ""
    duplicates: str = ""
    order: str = ""
    note: str = ""

    def default(self, library: str) -> Default:
        """The default of a library: librdkafka or java."""
        return self.java if library == "java" else self.librdkafka
