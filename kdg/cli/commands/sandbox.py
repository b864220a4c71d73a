"""`kdg sandbox`: a real Apache Kafka on this machine, for a shell, a demo or a CI job."""

from __future__ import annotations

import typer

from kdg.cli.options import command
from kdg.settings.options.sandboxing import SandboxOptions


def register(app: typer.Typer) -> None:
    """Add the command to the application."""

    @command(app, "sandbox", "", takes_command=True)
    def sandbox(*, cmd: tuple[str, ...], options: SandboxOptions) -> None:
        """Start a real Apache Kafka, run CMD with KDG_BROKERS set, and exit with the status of CMD.

        Without CMD it prints the setting for a shell and runs until Ctrl-C. At the end it removes everything that it
        created.
        """
        from kdg.runs.sandbox import run

        raise typer.Exit(run(options, cmd))
