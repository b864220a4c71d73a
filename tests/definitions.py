"""Owns writing the tables of kdg/settings/definitions: `python -m tests.definitions [Config_gen.cs [TAG]]`.

librdkafka's table comes from the installed library, Java's from the definitions in the sandbox's jars, and .NET's from
Config_gen.cs of confluent-kafka-dotnet, if a copy of that file is given. The column `since` of librdkafka is kept: it
comes from CONFIGURATION.md of each release.
"""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from kdg.settings.definitions.table import definitions
from tests.java.conftest import READER, Name, Reader
from tests.support.java import java

FOLDER = Path(__file__).parent.parent / "kdg" / "settings" / "definitions"
_TYPES = {"enum value": "enum", "CSV flags": "flags", "pattern list": "string"}
_OF_JAVA = {"INT": "integer", "LONG": "integer", "SHORT": "integer", "DOUBLE": "float", "BOOLEAN": "boolean"}
_LARGEST = {"INT": (-(2**31), 2**31 - 1), "LONG": (-(2**63), 2**63 - 1), "SHORT": (-(2**15), 2**15 - 1)}
_OMITTED = {"builtin.features", "opaque", "default_topic_conf", "interceptors"}
_ROW = re.compile(
    r"^([\w.]+) +\| +([*CP]) +\| +([^|]*?) *\| +([^|]*?) *\| \w+ +\| (.*?) ?<br>\*Type: (.*)\*$", re.MULTILINE
)
_BEYOND_THE_LIST: Mapping[str, Mapping[int, str]] = {
    "fetch.min.bytes": {3: "1", 4: "100000000"},  # rd_kafka_conf_finalize, for consumers that share no group
    "acks": {5: "~all"},
    "request.required.acks": {5: "~all"},
    "partition.assignment.strategy": {2: "list", 5: "range|roundrobin|cooperative-sticky"},
    "broker.version.fallback": {2: "nonempty"},
    "group.protocol.type": {2: "exact", 5: "consumer"},
}
"""What the library checks and does not print, by the number of the column."""


def printed() -> str:
    """Every property of the installed librdkafka, as the library prints them (rd_kafka_conf_properties_show)."""
    import confluent_kafka

    packages = Path(confluent_kafka.__file__).parent.parent
    library = ctypes.CDLL(str(next(packages.glob("confluent_kafka*/**/librdkafka*"))))
    libc = ctypes.CDLL(None)
    libc.fopen.restype = ctypes.c_void_p
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "properties"
        stream = ctypes.c_void_p(libc.fopen(str(file).encode(), b"w"))
        library.rd_kafka_conf_properties_show(stream)
        libc.fclose(stream)
        return file.read_text()


def librdkafka_rows() -> list[str]:
    """The rows of librdkafka's table. A property of clients comes before one of topics that has the same name."""
    found: dict[str, list[str]] = {}
    for name, roles, limits, default, text, kind in _ROW.findall(printed()):
        if name in found or name in _OMITTED or (kind == "see dedicated API" and name != "auto.commit.enable"):
            continue
        low, high, members = _limits(limits)
        kind = _TYPES.get(kind, kind)  # noqa: PLW2901
        if name == "partitioner":
            kind, members = "trimmed", "|".join(re.findall(r"`(\w+)` - ", text))  # noqa: PLW2901
        elif kind in ("enum", "flags"):
            members = f"~{members}"
        if name == "fetch.min.bytes":
            found[f"{name} P"] = [name, "P", kind, low, high, "", default]
        row = [name, roles, kind, low, high, "" if kind == "boolean" else members, default or "-"]
        for column, value in _BEYOND_THE_LIST.get(name, {}).items():
            row[column] = value
        found[name] = row
    since = {name: each[0].since for name, each in definitions("librdkafka").items()}
    return ["\t".join([*row, since.get(row[0], "")]).rstrip() for row in found.values()]


def _limits(text: str) -> tuple[str, str, str]:
    numbers = re.fullmatch(r"(-?\d+) \.\. (-?\d+)", text)
    return (numbers[1], numbers[2], "") if numbers else ("", "", text.replace(", ", "|"))


def java_rows(reader: Reader) -> list[str]:
    """The rows of Java's table; two for a name whose definition differs between producer and consumer."""
    found: dict[str, dict[str, str]] = {}
    for role, client in (("P", "producer"), ("C", "consumer")):
        for each in reader.names(client):
            found.setdefault(each.name, {})[role] = "\t".join(_of_java(each))
    rows = []
    for name in sorted(found):
        own = found[name]
        if len(set(own.values())) == 1 and len(own) > 1:
            rows.append(f"{name}\t*\t{own['P']}")
        else:
            rows += [f"{name}\t{role}\t{row}" for role, row in own.items()]
    return [row.rstrip("\t") for row in rows]


def _of_java(each: Name) -> list[str]:
    """The columns after name and roles: type, low, high, members, default."""
    kind = _OF_JAVA.get(each.type, each.type.lower())
    low, high = map(str, _LARGEST.get(each.type, ("", "")))
    bracketed = re.search(r"\[(.*?)\]", each.validator)
    members = ""
    if bracketed and "..." in bracketed[1]:
        limits = bracketed[1].split(",...")
        low, high = limits[0], limits[1].lstrip(",") or high
        members = "-1" if each.validator.endswith(" or -1") else ""
    elif bracketed:
        fold = "~" if each.validator.startswith("(case insensitive)") else ""
        kind, members = "enum", fold + "|".join(sorted(bracketed[1].split(", ")))
    elif each.validator == "non-empty string":
        kind = "nonempty"
    default = "-" if each.default in ("null", "") else each.default.replace("class ", "")
    return [kind, low, high, members, default]


def dotnet_rows(source: str) -> list[str]:
    """The rows of .NET's table, out of Config_gen.cs."""
    enums = re.findall(r"public enum (\w+)[^{]*\{(.*?)\n    \}", source, re.DOTALL)
    members = {name: re.findall(r"^ +(\w+)(?: = -?\d+)?,?$", body, re.MULTILINE) for name, body in enums}
    rows = [f"enum\t{name}\t{'|'.join(own)}" for name, own in members.items()]
    properties = re.findall(r'public ([\w?]+) (\w+)\s*\{.*?"([a-z][\w.]+)"', source)
    rows += ["Acks\tAcks\tacks", "SaslMechanism\tSaslMechanism\tsasl.mechanism"]  # written over several lines
    return rows + [f"{name}\t{kind.rstrip('?')}\t{setting}" for kind, name, setting in properties]


def table(comment: str, rows: Iterable[str]) -> str:
    """The text of a module with a table; a long row goes on after a backslash."""
    cut = re.compile(r"(.{1,80}[|\t])(?=.{10})")
    lines = (cut.sub(r"\1\\\n", row) if len(row.expandtabs(4)) > 90 else row for row in rows)
    body = "\n".join(lines)
    head = f'"""Owns the settings of {comment}. Pure.\n\n`python -m tests.definitions` writes it.\n"""'
    return f'{head}\n\nTABLE = """\\\n{body}\n"""\n'


def main(arguments: Sequence[str]) -> None:
    """Write the tables."""
    import confluent_kafka

    version = confluent_kafka.libversion()[0]
    _write("librdkafka", table(f"librdkafka {version}", librdkafka_rows()))
    with subprocess.Popen(java(READER), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        _write("java", table("Java's clients in kafka-clients 4", java_rows(Reader(process))))
    if arguments:
        source = Path(arguments[0]).read_text()
        comment = f"Confluent.Kafka, from Config_gen.cs of confluent-kafka-dotnet {''.join(arguments[1:])}"
        _write("dotnet", table(comment, dotnet_rows(source)))


def _write(name: str, text: str) -> None:
    (FOLDER / f"{name}.py").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
