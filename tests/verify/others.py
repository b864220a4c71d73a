"""`make verify-others`: how many records other programs lose and duplicate under the faults of `kdg verify`.

It prints a table for the README. Each program is given to `kdg verify` as CMD, with its own settings; only the session
timeout is 6 s, so that the group recovers before the next fault. kcat has to be installed (apt-get install kcat, brew
install kcat). The console tools are in the sandbox's jars.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kdg.core.guarantees import GUARANTEES
from kdg.sandbox import Sandbox
from tests.peers.programs import CONSOLE_TOOLS, MissingPeerError, kcat
from tests.support.programs import command

KDG = str(Path(sys.executable).with_name("kdg"))
PROGRAMS = Path(__file__).with_name("programs.py")


@dataclass(frozen=True, slots=True)
class Other:
    """A program. guarantee: the one that it is tested for. script: for a shell; if empty, the program is `kdg pipe`."""

    name: str
    guarantee: str
    script: str = ""
    workers: int = 3


CONSOLE = """\
kafka-console-consumer --bootstrap-server $KDG_BROKERS --group $KDG_GROUP --topic $KDG_SOURCE --from-beginning \
--command-property session.timeout.ms=6000 \
| kafka-console-producer --bootstrap-server $KDG_BROKERS --topic $KDG_TARGET"""
KCAT = """\
kcat -b $KDG_BROKERS -X session.timeout.ms=6000 -X auto.offset.reset=earliest -q -G $KDG_GROUP $KDG_SOURCE \
| kcat -b $KDG_BROKERS -P -t $KDG_TARGET"""
PYTHON = "python {programs} {name}"

OTHERS = (
    Other("`kdg pipe -g at-least-once`", "at-least-once"),
    Other("`kdg pipe -g exactly-once`", "exactly-once"),
    Other("kcat into kcat", "at-least-once", KCAT),
    Other("console consumer into console producer", "at-least-once", CONSOLE, workers=2),
    Other(
        "a Python loop with the library's defaults (`plain`)",
        "at-least-once",
        PYTHON.format(programs=PROGRAMS, name="plain"),
    ),
    Other(
        "the same with a slow producer (`auto-commit`)",
        "at-least-once",
        PYTHON.format(programs=PROGRAMS, name="auto-commit"),
    ),
    Other(
        "a Python loop that commits after the flush (`commit-after`)",
        "at-least-once",
        PYTHON.format(programs=PROGRAMS, name="commit-after"),
    ),
)


def programs() -> Iterator[Other]:
    """The programs of `kdg explain GUARANTEE --client X` that need nothing but kdg and its sandbox."""
    for client in ("python", "java"):
        for guarantee in GUARANTEES:
            shown = f"`kdg explain {guarantee.name} --client {client} --program`"
            yield Other(shown, guarantee.name, shlex.join(command(guarantee, client)))


def verify(other: Other, seconds: str, path: str, report: Path) -> Mapping[str, Any]:
    """Run `kdg verify` on the program and return its report."""
    argv = [KDG, "verify", "-g", other.guarantee, "--for", seconds, "--workers", str(other.workers)]
    argv += ["--seed", "1", "--report", str(report)]
    argv += ["--", "sh", "-c", other.script] if other.script else []
    subprocess.run(argv, env={**os.environ, "PATH": path}, stdout=sys.stderr, check=False)
    found: Mapping[str, Any] = json.loads(report.read_text())
    return found


def wrappers(folder: Path) -> None:
    """Write scripts for Kafka's console tools, with the names that they have in Kafka's bin folder."""
    sandbox = Sandbox()
    for name, main_class in CONSOLE_TOOLS.items():
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec {shlex.join(sandbox.tool(main_class))} "$@"\n')
        script.chmod(0o755)


def row(other: Other, report: Mapping[str, Any]) -> str:
    """One line of the table."""
    numbers = [f"{report[name]:,}" for name in ("records", "lost", "doubled", "out_of_order")]
    injected = sum(report["faults"].values())
    outcome = "broken" if report["broken"] else "not shown" if report["not_shown"] else "held"
    return f"| {' | '.join([other.name, other.guarantee, str(injected), *numbers, outcome])} |\n"


def main(arguments: Sequence[str]) -> int:
    """Print the table on stdout, and each row on stderr as soon as it is there. Returns 2 if kcat is not installed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.verify.others",
        description="Run `kdg verify` on other programs, and print what they lose and duplicate as a Markdown table.",
    )
    parser.add_argument(
        "seconds",
        nargs="?",
        default="60s",
        metavar="DURATION",
        help="how long there are faults, for each (default: 60s)",
    )
    seconds = parser.parse_args(arguments).seconds
    try:
        kcat()
    except MissingPeerError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    lines = ["| program | held to | faults | records | lost | doubled | out of order | |\n", "| --- " * 8 + "|\n"]
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        wrappers(folder)
        path = os.pathsep.join([home, str(Path(sys.executable).parent), os.environ["PATH"]])
        for other in (*OTHERS, *programs()):
            lines.append(row(other, verify(other, seconds, path, folder / "report.json")))
            sys.stderr.write(lines[-1])
    sys.stdout.write(f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, --for {seconds}\n\n{''.join(lines)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
