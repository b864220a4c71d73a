"""`kdg check`: which guarantee a client configuration and a live topic really give, and why."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kdg.cli.options import command
from kdg.core.guarantees import Role
from kdg.errors import NotMet, UsageError
from kdg.runs.plan import guarantee_of
from kdg.runtime.deadline import Deadline
from kdg.runtime.signals import Signals
from kdg.settings.files import Configuration, environment, load, properties_of, read, shown
from kdg.settings.librdkafka import canonical
from kdg.settings.options.common import ConfigFile, Profile
from kdg.settings.options.option import Option
from kdg.settings.options.properties import parse_properties
from kdg.settings.resolve import Layer

if TYPE_CHECKING:
    from kdg.check.reading import Reading
    from kdg.settings.requirements import LogFacts

SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Options:
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


def register(app: typer.Typer) -> None:
    """Add the command to the application."""

    @command(app, "check", "")
    def check(*, options: Options) -> None:
        """Judge the client configuration in FILE, and topics: what they lose or duplicate, and what to change.

        FILE is librdkafka's or Java's key=value, .NET's appsettings.json, or kdg's TOML. No broker is needed for FILE. The answer
        is on stdout. The exit code is 0 only if everything allows the guarantee, else 10.
        """
        raise typer.Exit(run(options))


def run(options: Options) -> int:
    """Judge, print, and return the exit code. Raises UsageError, Unreachable."""
    from kdg.check.page import page, reached
    from kdg.check.verdict import judge
    from kdg.text.render import FORMATS, render

    _one_of("--format", options.format_, tuple(FORMATS))
    if options.role is not None:
        _one_of("--role", options.role, [role.value for role in Role])
    kind = _Kind(options.client, None if options.role is None else Role(options.role))
    given, topics = parse_properties(options.settings or []), options.topic or []
    judged = _judged(options.config, options.profile, given, kind, connect=bool(topics))
    guarantee = guarantee_of(options.guarantee, judged.configuration)
    if not judged.readings and not topics:
        raise UsageError("nothing to check.", "Give --config FILE, -X PROP=VALUE, or --topic TOPIC.")
    logs = _logs(topics, options.brokers, judged.configuration) if topics else []
    verdicts = [judge(reading) for reading in judged.readings]
    color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    sys.stdout.write(render(page(judged.name, verdicts, logs, guarantee), options.format_, color=color))
    return 0 if reached(verdicts, logs, guarantee) else NotMet.exit_code


@dataclass(frozen=True, slots=True)
class _Kind:
    """What was typed about the configuration: whose it is and for which client; None where its names are to tell."""

    client: str | None
    role: Role | None


@dataclass(frozen=True, slots=True)
class _Judged:
    """What is judged, and how the cluster is reached."""

    name: str
    readings: Sequence[Reading]
    configuration: Configuration


def _one_of(flag: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise UsageError(f"{flag} {value!r} is not known.", f"Choose one of {', '.join(known)}.")


def _judged(config: str | None, profile: str | None, given: dict[str, str], kind: _Kind, *, connect: bool) -> _Judged:
    """The file, whatever it is, with -X on top. connect: its secrets are needed, too. Raises UsageError."""
    from kdg.check.appsettings import json_readings
    from kdg.check.reading import DIALECTS, readings
    from kdg.settings import keyvalue

    if kind.client is not None:
        _one_of("--client", kind.client, DIALECTS)
    typed, outside = [Layer("-X", given)], environment()
    if config is None:
        found = load(None, profile, secrets=connect)
        return _Judged("-X" if given else "topics", readings(given, kind.client, kind.role) if given else [], replace(found, layers=[*typed, *found.layers]))  # fmt: skip
    file = Path(config).expanduser()
    text, name = read(file), shown(file)
    if text.lstrip()[:1] == "{" or kind.client == "dotnet":
        sections = [reading.with_(given) for reading in json_readings(text, name, kind.role)]
        return _Judged(name, sections, replace(outside, layers=[*typed, *outside.layers, Layer(name, sections[0].given)]))  # fmt: skip
    if file.suffix == ".toml":
        found = load(config, profile, secrets=connect)
        own = _merged(found.layers[len(outside.layers) :]) | given
        return _Judged(name, readings(own, kind.client or "librdkafka", kind.role), replace(found, layers=[*typed, *found.layers]))  # fmt: skip
    raw, is_java = keyvalue.parse(text, name)
    whose = kind.client or ("java" if is_java else None)
    usable = Layer(name, properties_of(text, name) if connect else {})
    return _Judged(name, readings(raw | given, whose, kind.role), replace(outside, layers=[*typed, *outside.layers, usable]))  # fmt: skip


def _merged(layers: Sequence[Layer]) -> dict[str, str]:
    return {canonical(name): value for layer in reversed(layers) for name, value in layer.values.items()}


def _logs(topics: list[str], brokers: str | None, connection: Configuration) -> list[LogFacts]:
    """What the cluster says of the topics and of its transaction log. Raises Unreachable, UsageError."""
    from kdg.kafka.client import Watch, make_admin, reach
    from kdg.kafka.cluster_facts import look
    from kdg.kafka.lookup import partitions_of

    typed = {} if brokers is None else {"bootstrap.servers": brokers}
    settings = _merged(connection.layers) | typed
    where = settings.get("bootstrap.servers")
    if not where:
        raise UsageError(
            "no brokers: kdg does not know which cluster has the topic.",
            "Give -b HOST:PORT, or set KDG_BROKERS, or name them in FILE.",
        )
    watch = Watch()
    with Signals() as signals:
        deadline = Deadline(signals, SECONDS, reach=SECONDS)
        admin = make_admin(settings, watch)
        metadata = reach(admin, watch, deadline, where)
        for topic in topics:
            partitions_of(metadata, topic, where, making="kdg check never makes a topic")
        return look(admin, metadata, topics, transactional=True)
