"""Owns the options of the commands that answer a question on stdout: explain and check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from kdg.settings.options.common import ConfigFile, Profile
from kdg.settings.options.option import Option


@dataclass(frozen=True, slots=True)
class ExplainOptions:
    """The options of explain."""

    client: Annotated[
        str,
        Option("--client", "librdkafka|python|dotnet|java|go|kcat", "Use the names and calls of this client."),
    ] = "librdkafka"
    program: Annotated[
        bool,
        Option("--program", "", "Print only the whole program that the page of the guarantee shows (with --client)."),
    ] = False
    format_: Annotated[
        str,
        Option("--format", "text|markdown|json", "How the page is written."),
    ] = "text"


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """The options of check."""

    guarantee: Annotated[
        str | None,
        Option(
            "-g --guarantee",
            "GUARANTEE",
            "The guarantee to judge by (default: at-least-once); exit 10 if it is not reached.",
            completes="guarantees",
        ),
    ] = None
    config: ConfigFile = None
    profile: Profile = None
    settings: Annotated[
        list[str] | None,
        Option("-X", "PROP=VALUE", "Judge this property, too. It is stronger than FILE. May be repeated."),
    ] = None
    topic: Annotated[
        list[str] | None,
        Option(
            "--topic", "TOPIC", "Judge this topic, too, as it is on the cluster; may be repeated.", completes="topics"
        ),
    ] = None
    brokers: Annotated[
        str | None,
        Option(
            "-b --brokers",
            "HOST:PORT,...",
            "The brokers of the cluster that has the topic. Default: KDG_BROKERS, else as in FILE.",
        ),
    ] = None
    client: Annotated[
        str | None,
        Option("--client", "librdkafka|java|dotnet", "Whose configuration it is (default: as its names suggest)."),
    ] = None
    role: Annotated[
        str | None,
        Option("--role", "producer|consumer", "Which client it is for (default: as its names suggest)."),
    ] = None
    format_: Annotated[
        str,
        Option("--format", "text|markdown|json", "How the answer is written."),
    ] = "text"
