"""Owns how a guarantee is written for other Kafka clients: the names of the settings, and what is to be known.

    dialect              what kdg knows about one client, as data
    python, dotnet, java, go, kcat
                         that data, one module a client
    program              a guarantee's program in one client, its configuration and its steps

Sources: confluent-kafka-python, confluent-kafka-dotnet, confluent-kafka-go, kafka-clients 4.3, librdkafka's rdkafka.h.
"""

from __future__ import annotations

from kdg.explain.dialects.dialect import Dialect
from kdg.explain.dialects.dotnet import DOTNET
from kdg.explain.dialects.go import GO
from kdg.explain.dialects.java import JAVA
from kdg.explain.dialects.kcat import KCAT
from kdg.explain.dialects.python import PYTHON

DIALECTS: dict[str, Dialect] = {"python": PYTHON, "dotnet": DOTNET, "java": JAVA, "go": GO, "kcat": KCAT}
"""Every client but librdkafka itself, by the name that `--client` takes."""

CLIENTS = ("librdkafka", *DIALECTS)
"""What `--client` takes."""
