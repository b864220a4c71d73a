"""Owns the run of `kdg check`: reads the configuration and asks the cluster, has both judged, and prints the page."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kdg.check.appsettings import json_readings
from kdg.check.frameworks import framework_readings, is_framework
from kdg.check.own import kdg_readings
from kdg.check.page import page, reached
from kdg.check.reading import DIALECTS, Reading, readings
from kdg.check.verdict import judge
from kdg.check.yamlfile import yaml_properties
from kdg.core.guarantees import Role
from kdg.errors import NotMet, UsageError
from kdg.runs.plan import guarantee_of
from kdg.runtime.deadline import Deadline
from kdg.runtime.signals import Signals
from kdg.runtime.standard_streams import require_stdout
from kdg.settings import keyvalue
from kdg.settings.files import (
    Configuration,
    environment,
    expanded,
    load,
    passed_over,
    properties_of,
    read,
    shown,
    without_passed_over,
)
from kdg.settings.java import is_java_only
from kdg.settings.java_values import trimmed
from kdg.settings.keyvalue import PropertyFile
from kdg.settings.librdkafka import canonical, is_librdkafka_only, roles_of
from kdg.settings.options.asking import CheckOptions
from kdg.settings.options.properties import parse_properties
from kdg.settings.requirements import LogFacts
from kdg.settings.resolve import Layer
from kdg.text.plain import print_note
from kdg.text.render import FORMATS, render

SECONDS = 30.0
"""How long the cluster has to answer."""


def run(options: CheckOptions) -> int:
    """Judge, print, and return the exit code: 10 if the guarantee is not reached. Raises UsageError, Unreachable."""
    require_stdout()
    _one_of("--format", options.format_, tuple(FORMATS))
    given, topics = parse_properties(options.settings or []), options.topic or []
    judged = _judged(options, given, _kind(options), connect=bool(topics))
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
    """What the options say of the configuration; None where the names in the configuration have to show it."""

    client: str | None
    role: Role | None


@dataclass(frozen=True, slots=True)
class _Judged:
    """What is judged. configuration: how kdg itself reaches the cluster."""

    name: str
    readings: Sequence[Reading]
    configuration: Configuration


def _kind(options: CheckOptions) -> _Kind:
    if options.role is not None:
        _one_of("--role", options.role, [role.value for role in Role])
    if options.client is not None:
        _one_of("--client", options.client, DIALECTS)
    return _Kind(options.client, None if options.role is None else Role(options.role))


def _one_of(flag: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise UsageError(f"{flag} {value!r} is not known.", f"Choose one of {', '.join(known)}.")


def _judged(options: CheckOptions, given: Mapping[str, str], kind: _Kind, *, connect: bool) -> _Judged:
    """The configuration in FILE, of any kind, with -X on top. connect: its secrets are needed. Raises UsageError."""
    typed, outside = Layer("-X", given), environment()
    if options.config is None:
        found = load(None, options.profile, secrets=connect)
        found_readings = readings(given, kind.client, kind.role) if given else []
        return _Judged("-X" if given else "topics", found_readings, _stacked(found, typed, *found.layers))
    file = expanded(options.config)
    text, name = read(file), shown(file)
    if text.lstrip()[:1] == "{" or kind.client == "dotnet":
        sections = [reading.with_(given) for reading in json_readings(text, name, kind.role)]
        return _Judged(name, sections, _stacked(outside, typed, *outside.layers, Layer(name, sections[0].given)))
    if file.suffix == ".toml":
        found = load(options.config, options.profile, secrets=connect)
        of_toml = found.layers[len(outside.layers) :]
        own = {**_merged(of_toml), **given}
        if not _recognised(own) and found.guarantee is None:
            raise _nothing_recognised(name)
        if kind.client is None:
            runs = guarantee_of(options.guarantee if found.guarantee is None else None, found)
            of_file = kdg_readings([typed, *of_toml], runs, kind.role)
        else:
            of_file = readings(own, kind.client, kind.role)
        return _Judged(name, of_file, _stacked(found, typed, *found.layers))
    framework = _of_framework(file, text, name, kind)
    if framework is not None:
        sections = [reading.with_(given) for reading in framework]
        return _Judged(name, sections, _stacked(outside, typed, *outside.layers, Layer(name, sections[0].given)))
    usable, notes = properties_of(text, name) if connect else (Layer(name, {}), ())
    of_file = _of_properties(keyvalue.parse(text, name), given, kind)
    return _Judged(name, of_file, replace(_stacked(outside, typed, *outside.layers, usable), notes=notes))


def _of_framework(file: Path, text: str, name: str, kind: _Kind) -> list[Reading] | None:
    """The readings of a file of Spring or Quarkus; None if it is not one. Raises UsageError."""
    if file.suffix in (".yml", ".yaml"):
        values, remarks = yaml_properties(text, name)
    else:
        values, remarks = dict(keyvalue.parse(text, name).values), []
        if not is_framework(list(values)):
            return None
    found = framework_readings(values, kind.role, remarks)
    if not found:
        raise _nothing_recognised(name)
    return found


def _nothing_recognised(name: str) -> UsageError:
    return UsageError(
        f"{name}: no setting of a Kafka client was recognised, so there is nothing to judge.",
        "kdg check reads the names of librdkafka, of Java's clients, of .NET (JSON), and of Spring and Quarkus "
        "(.properties, .yml).",
    )


def _recognised(names: Iterable[str]) -> bool:
    """Whether there is the name of a setting of a Kafka client among the names."""
    return any(roles_of(canonical(name)) or is_java_only(name) or is_librdkafka_only(name) for name in names)


def _of_properties(file: PropertyFile, given: Mapping[str, str], kind: _Kind) -> list[Reading]:
    """The readings of a `key=value` file."""
    if not _recognised(file.values):
        raise _nothing_recognised(file.origin)
    remarks = tuple(passed_over(file.values, file.origin))
    if file.is_java:
        file = trimmed(file)
    own = {file.label(name): value for name, value in without_passed_over(file.values).items()}
    found = readings({**own, **given}, kind.client or ("java" if file.is_java else None), kind.role)
    return [replace(reading, remarks=(*reading.remarks, *remarks)) for reading in found]


def _stacked(configuration: Configuration, *layers: Layer) -> Configuration:
    """The configuration with these layers, the strongest first."""
    return replace(configuration, layers=list(layers))


def _merged(layers: Sequence[Layer]) -> dict[str, str]:
    return {canonical(name): value for layer in reversed(layers) for name, value in layer.values.items()}


def _logs(topics: list[str], brokers: str | None, connection: Configuration) -> list[LogFacts]:
    """What the cluster says of the topics and of its transaction log. Raises Unreachable, UsageError."""
    from kdg.kafka.client import Watch, make_admin
    from kdg.kafka.cluster_facts import look
    from kdg.kafka.lookup import partitions_of
    from kdg.kafka.reach import reach

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
        deadline = Deadline(signals, SECONDS, reach=SECONDS, note=print_note)
        admin = make_admin(settings, watch)
        metadata = reach(admin, watch, deadline, where)
        for topic in topics:
            partitions_of(metadata, topic, where, making="kdg check never makes a topic")
        return look(admin, metadata, topics, transactional=True)
