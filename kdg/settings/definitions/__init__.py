"""Owns the settings of each client as data: type, unit, default, range and members, and what a client does not take.

    librdkafka, java, dotnet
              the tables, as text
    table     the definitions in the tables, read when they are first needed
    values    how each library reads a value: what it refuses, and the number that it makes of a text

`python -m tests.definitions` writes the tables: librdkafka's from the installed library, Java's from the definitions in
the sandbox's jars, .NET's from Config_gen.cs of confluent-kafka-dotnet. Tests compare the first two with the clients.
Python, Go and kcat have librdkafka's settings. Pure.
"""

from __future__ import annotations

from kdg.settings.definitions.table import (
    Definition,
    DotnetProperty,
    definition,
    definitions,
    dotnet_enums,
    dotnet_properties,
)

__all__ = ["Definition", "DotnetProperty", "definition", "definitions", "dotnet_enums", "dotnet_properties"]
