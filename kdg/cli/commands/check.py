"""`kdg check`: which guarantee a client configuration and a live topic really give, and why."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kdg.cli import completion
from kdg.cli.options import ConfigFile, Profile, command
from kdg.core.guarantees import Role
from kdg.errors import NotMet, UsageError
from kdg.runs.plan import guarantee_of, properties
from kdg.runtime.deadline import Deadline
from kdg.runtime.signals import Signals
from kdg.settings.files import Configuration, environment, load, properties_of, read, shown
from kdg.settings.librdkafka import canonical
from kdg.settings.resolve import Layer

if TYPE_CHECKING:
    from kdg.check.reading import Reading
    from kdg.settings.requirements import LogFacts

SECONDS = 30.0


def register(app: typer.Typer) -> None:
    """Add the command to the application."""

    @command(app, "check")
    def check(
        guarantee: Annotated[str | None, typer.Option("--guarantee", "-g", autocompletion=completion.guarantees, help="What is asked for; exit 10 when it is not reached (at-least-once).")] = None,
        config: ConfigFile = None,
        profile: Profile = None,
        settings: Annotated[list[str] | None, typer.Option("-X", metavar="PROP=VALUE", help="Judge this property, too; wins over FILE.")] = None,
        topic: Annotated[list[str] | None, typer.Option("--topic", metavar="TOPIC", autocompletion=completion.topics, help="Look at this live topic, too; may be repeated.")] = None,
        brokers: Annotated[str | None, typer.Option("--brokers", "-b", metavar="HOST:PORT,...", help="Where the topic is; else what FILE or KDG_BROKERS says.")] = None,
        client: Annotated[str | None, typer.Option("--client", metavar="librdkafka|java|dotnet", help="Whose configuration it is; else its names tell.")] = None,
        role: Annotated[str | None, typer.Option("--role", metavar="producer|consumer", help="Which client it is for; else its names tell.")] = None,
        format_: Annotated[str, typer.Option("--format", metavar="text|markdown|json", help="How the answer is written.")] = "text",
    ) -> None:  # fmt: skip
        """Judge the client configuration in FILE, and the topics: what they lose, what they double, and what to change.

        FILE is librdkafka's or Java's key=value, .NET's appsettings.json, or kdg's TOML; no broker is needed for it. The answer is
        on stdout. Exit 0 only if all of it allows the guarantee asked for, else 10.
        """
        from kdg.check.page import page, reached
        from kdg.check.verdict import judge
        from kdg.text.render import FORMATS, render

        _one_of("--format", format_, tuple(FORMATS))
        kind = Role(role) if role in list(Role) else None
        if role is not None and kind is None:
            _one_of("--role", role, [r.value for r in Role])
        judged = _judged(config, profile, properties(settings or []), _Kind(client, kind), connect=bool(topic))
        row = guarantee_of(guarantee, judged.configuration)
        if not judged.readings and not topic:
            raise UsageError("nothing to check.", "Give --config FILE, -X PROP=VALUE, or --topic TOPIC.")
        logs = _logs(topic, brokers, judged.configuration) if topic else []
        verdicts = [judge(reading) for reading in judged.readings]
        color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        sys.stdout.write(render(page(judged.name, verdicts, logs, row), format_, color=color))
        if not reached(verdicts, logs, row):
            raise typer.Exit(NotMet.exit_code)


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
    from kdg.check.reading import DIALECTS, json_readings, readings
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
