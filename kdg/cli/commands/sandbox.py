"""`kdg sandbox`: a real Apache Kafka on this machine, for a shell, a demo or a CI job."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from kdg.cli.options import command
from kdg.errors import UsageError
from kdg.runtime.deadline import Deadline
from kdg.runtime.signals import Signals
from kdg.settings.options.option import Option

if TYPE_CHECKING:
    from kdg.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class Options:
    """The options of sandbox."""

    brokers: Annotated[
        int,
        Option(
            "--brokers",
            "N",
            "How many brokers. With 3, topics have 3 replicas and min.insync.replicas 2.",
            least=1,
            most=5,
        ),
    ] = 1
    topic: Annotated[
        list[str] | None,
        Option("--topic", "NAME[:PARTITIONS]", "Create this topic; may be repeated."),
    ] = None
    security: Annotated[
        str | None,
        Option(
            "--security",
            "tls|mtls|scram",
            "Secured listeners and an authorizer; also plain, oauthbearer. CMD gets KDG_CONFIG with the settings; its "
            "profile `restricted` may only read topics.",
        ),
    ] = None
    quiet: Annotated[
        bool,
        Option("-q --quiet", "", "No notes; errors are still shown."),
    ] = False


def register(app: typer.Typer) -> None:
    """Add the command to the application."""

    @command(app, "sandbox", "", takes_command=True)
    def sandbox(*, cmd: tuple[str, ...], options: Options) -> None:
        """Start a real Apache Kafka, run CMD with KDG_BROKERS set, and exit with the status of CMD.

        Without CMD it prints the setting for a shell and runs until Ctrl-C. At the end it removes everything that it created.
        """
        topics = [_topic(text) for text in options.topic or []]
        raise typer.Exit(run(options.brokers, topics, cmd, _mode(options.security), quiet=options.quiet))


def _topic(text: str) -> tuple[str, int]:
    name, colon, partitions = text.partition(":")
    if not name or (colon and (not partitions.isdigit() or int(partitions) < 1)):
        raise UsageError(f"--topic {text!r} is not a topic.", "Write --topic NAME or --topic NAME:PARTITIONS.")
    return name, int(partitions) if colon else 1


def _mode(security: str | None) -> str | None:
    from kdg.sandbox.security import LISTENER_OF

    if security is not None and security not in LISTENER_OF:
        raise UsageError(f"--security {security!r} is not known.", f"Choose one of {', '.join(LISTENER_OF)}.")
    return security


def run(brokers: int, topics: Sequence[tuple[str, int]], cmd: Sequence[str], security: str | None = None, *, quiet: bool) -> int:  # fmt: skip
    """Start, run CMD or wait for a signal, remove."""
    from kdg.sandbox import Sandbox as Cluster

    def note(line: str) -> None:
        if not quiet:
            sys.stderr.write(f"kdg: {line}\n")
            sys.stderr.flush()

    with Signals() as signals, Cluster(brokers, secured=security is not None, note=note) as cluster:
        if topics:
            from kdg.kafka.topics import make_topics

            make_topics(cluster.bootstrap, topics, Deadline(signals))
        variables = {"KDG_BROKERS": cluster.bootstrap} if security is None else _secured(cluster, security)
        if cmd:
            return _run_command(cmd, variables, signals)
        sys.stdout.write("".join(f"export {name}={value}\n" for name, value in variables.items()))
        sys.stdout.flush()
        note("Ctrl-C ends it and removes everything")
        while signals.received is None:
            signals.wait_for(signals.wakeup, 3600)
        return 128 + signals.received


def _secured(cluster: Sandbox, mode: str) -> dict[str, str]:
    """What a client needs, in a file; the restricted user is given the right to read topics, and no other."""
    from kdg.kafka.acls import ANY, allow
    from kdg.sandbox.security import RESTRICTED

    allow(cluster.bootstrap, RESTRICTED, [("READ", "TOPIC", ANY), ("DESCRIBE", "TOPIC", ANY)])
    return {"KDG_BROKERS": cluster.secured_bootstrap(mode), "KDG_CONFIG": str(cluster.config_file(mode))}


def _run_command(cmd: Sequence[str], variables: Mapping[str, str], signals: Signals) -> int:
    """CMD's status, as a shell gives it; a signal that only kdg got is passed on."""
    try:
        process = subprocess.Popen(cmd, env={**os.environ, **variables})
    except OSError as exc:
        raise UsageError(
            f"-- {cmd[0]}: the command cannot be started: {exc.strerror}.", "Check its name and path."
        ) from exc
    passed = False
    while True:
        try:
            status = process.wait(0.1)
        except subprocess.TimeoutExpired:
            if signals.received is not None and not passed:
                passed = True
                process.send_signal(signals.received)
            continue
        return 128 - status if status < 0 else status
