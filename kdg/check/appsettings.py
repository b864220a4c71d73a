"""Owns how .NET's appsettings.json is read: each section with settings of a Kafka client becomes a reading. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from kdg.check.reading import Reading, readings
from kdg.core.guarantees import Role
from kdg.errors import UsageError
from kdg.explain.dialects.dotnet import dotnet_name
from kdg.settings.librdkafka import KNOWN, canonical

_NAMES = {dotnet_name(name).lower(): name for name in KNOWN if dotnet_name(name)}
_ONLY_DOTNET = {
    "enabledeliveryreports",
    "enablebackgroundpoll",
    "deliveryreportfields",
    "cancellationdelaymaxms",
    "consumeresultfields",
}
"""Settings of .NET's own, in lower case; librdkafka does not have them."""
_ENUMS = {
    "acks": {"none": "0", "leader": "1", "all": "all"},
    "sasl.mechanism": {"scramsha256": "SCRAM-SHA-256", "scramsha512": "SCRAM-SHA-512", "oauthbearer": "OAUTHBEARER"},
    "partition.assignment.strategy": {"cooperativesticky": "cooperative-sticky"},
}
_PASCAL_CASE = (
    "isolation.level",
    "auto.offset.reset",
    "security.protocol",
    "group.protocol",
    "compression.type",
)
"""Settings whose values are librdkafka's in PascalCase: ReadCommitted for read_committed."""


def json_readings(text: str, name: str, role: Role | None) -> list[Reading]:
    """A reading for each section with settings of a Kafka client.

    name: of the file, for messages. role: None if the names of the settings and the path decide. Raises UsageError.
    """
    try:
        whole = json.loads(text)
        found = [r for path, section in _sections(whole, "", {}) for r in _of_section(section, path, role)]
    except ValueError as exc:
        raise UsageError(f"{name} is not JSON: {exc}.", "Check the file.") from exc
    except RecursionError:
        raise UsageError(f"{name} is nested too deeply.", "Check the file.") from None
    if not found:
        raise UsageError(
            f"{name} has no section with settings of a Kafka client.",
            "kdg looks for the names of ProducerConfig and ConsumerConfig, such as Acks or GroupId.",
        )
    return found


def _sections(value: Any, path: str, above: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The innermost objects that contain settings, each with the settings of the objects around it.

    path: the names of the objects around it, as in `Kafka:Orders`.
    """
    if not isinstance(value, dict):
        return
    own = {**above, **{k: v for k, v in value.items() if not isinstance(v, dict | list)}}
    inherited = own if any(_librdkafkas(k) for k in own) else {}
    inner = [s for k, v in value.items() for s in _sections(v, f"{path}:{k}" if path else k, inherited)]
    if inner:
        yield from inner
    elif any(_librdkafkas(k) for k in value):
        yield path, own


def _librdkafkas(name: str) -> str:
    """librdkafka's name for a name in .NET or in librdkafka; "" if it is not a setting."""
    return _NAMES.get(name.lower()) or (canonical(name) if canonical(name) in KNOWN else "")


def _of_section(section: Mapping[str, Any], path: str, role: Role | None) -> list[Reading]:
    given = {own: _value(own, value) for name, value in section.items() if (own := _librdkafkas(name))}
    others = [name for name in section if not _librdkafkas(name) and name.lower() not in _ONLY_DOTNET]
    remarks = [f"{name} is not a property of ProducerConfig or ConsumerConfig" for name in others]
    if str(section.get("EnableDeliveryReports", True)).lower() == "false":
        remarks.append("EnableDeliveryReports=false: the program cannot find out which records were not delivered")
    named = [r for r in Role if r.value in path.lower()]
    found = readings(given, "dotnet", role or (named[0] if len(named) == 1 else None), path)
    return [replace(each, remarks=(*each.remarks, *remarks)) for each in found]


def _value(name: str, value: Any) -> str:
    """A value of JSON as librdkafka writes it."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    known = _ENUMS.get(name, {}).get(text.lower().replace("-", ""))
    if known is not None:
        return known
    pascal = name in _PASCAL_CASE and re.fullmatch(r"(?:[A-Z][a-z]+){1,3}", text)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", text).lower() if pascal else text
