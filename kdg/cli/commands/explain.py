"""`kdg explain`: what a guarantee, a setting or an exit code means."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from kdg.cli import completion
from kdg.cli.options import command


def register(app: typer.Typer) -> None:
    """Add the command to the application."""

    @command(app, "explain")
    def explain(
        names: Annotated[list[str] | None, typer.Argument(metavar="[NAME...]", show_default=False, autocompletion=completion.pages)] = None,
        client: Annotated[str, typer.Option("--client", metavar="librdkafka|python|dotnet|java|go|kcat", help="Whose names and calls.")] = "librdkafka",
        format_: Annotated[str, typer.Option("--format", metavar="text|markdown|json", help="How the page is written.")] = "text",
    ) -> None:  # fmt: skip
        """Explain a guarantee, a setting or an exit code; two guarantees side by side; without a name, the table.

        `questions`, `contradictions`, `exit-codes` and `config` have pages of their own; any other words are searched for.
        """
        from kdg.explain import explain as page

        color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        sys.stdout.write(page(names or [], client=client, format=format_, color=color))
