"""`kdg check`: which guarantee a client configuration and a live topic really give, and why."""

from __future__ import annotations

import typer

from kdg.cli.options import command
from kdg.settings.options.asking import CheckOptions


def register(app: typer.Typer) -> None:
    """Add the command to the application."""

    @command(app, "check", "")
    def check(*, options: CheckOptions) -> None:
        """Judge the client configuration in FILE, and topics: what they lose or duplicate, and what to change.

        FILE is librdkafka's or Java's key=value, .NET's appsettings.json, Spring's or Quarkus's application.properties
        or .yml, or kdg's TOML. No broker is needed for FILE.
        The answer is on stdout. The exit code is 0 only if everything allows the guarantee, else 10.
        """
        from kdg.runs.check import run

        raise typer.Exit(run(options))
