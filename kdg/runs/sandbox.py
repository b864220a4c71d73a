"""Owns the running of `kdg sandbox`: a cluster for a command, or for a shell until Ctrl-C."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from kdg.errors import UsageError
from kdg.runtime.deadline import Deadline
from kdg.runtime.signals import Signals
from kdg.runtime.standard_streams import require_stdout
from kdg.settings.options.sandboxing import SandboxOptions
from kdg.text.plain import print_note

if TYPE_CHECKING:
    from kdg.sandbox import Sandbox


def run(options: SandboxOptions, cmd: Sequence[str]) -> int:
    """Start a cluster, run CMD or wait for a signal, and remove the cluster.

    Returns the exit code. Raises UsageError.
    """
    from kdg.sandbox import Sandbox as Cluster

    if not cmd:
        require_stdout()
    topics = [_topic(text) for text in options.topic or []]
    mode = _mode(options.security)
    note = _ignore if options.quiet else print_note
    with Signals() as signals, Cluster(options.brokers, secured=mode is not None, note=note) as cluster:
        if topics:
            from kdg.kafka.admin import make_topics

            make_topics(cluster.bootstrap, topics, Deadline(signals, note=note))
        variables = {"KDG_BROKERS": cluster.bootstrap} if mode is None else _secured(cluster, mode)
        return _run_command(cmd, variables, signals) if cmd else _wait(variables, signals, note)


def _ignore(_line: str) -> None:
    pass


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


def _wait(variables: Mapping[str, str], signals: Signals, note: Callable[[str], None]) -> int:
    """Print the variables for a shell, and wait for a signal."""
    sys.stdout.write("".join(f"export {name}={value}\n" for name, value in variables.items()))
    sys.stdout.flush()
    note("Ctrl-C ends it and removes everything")
    while signals.received is None:
        signals.wait_for(signals.wakeup, 3600)
    return 128 + signals.received


def _secured(cluster: Sandbox, mode: str) -> dict[str, str]:
    """The variables of a secured sandbox. The restricted user gets the right to read topics, and no other."""
    from kdg.kafka.admin import ANY, allow
    from kdg.sandbox.security import RESTRICTED

    allow(cluster.bootstrap, RESTRICTED, [("READ", "TOPIC", ANY), ("DESCRIBE", "TOPIC", ANY)])
    return {"KDG_BROKERS": cluster.secured_bootstrap(mode), "KDG_CONFIG": str(cluster.config_file(mode))}


def _run_command(cmd: Sequence[str], variables: Mapping[str, str], signals: Signals) -> int:
    """Run CMD and return its status as a shell reports it. A signal that kdg receives is passed on to CMD once."""
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
