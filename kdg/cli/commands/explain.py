"""`kdg explain`: what a guarantee, a setting or an exit code means."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Annotated

import typer

from kdg.cli import completion
from kdg.cli.options import command
from kdg.settings.options.option import Option


@dataclass(frozen=True, slots=True)
class Options:
    """The options of explain."""

    client: Annotated[
        str,
        Option("--client", "librdkafka|python|dotnet|java|go|kcat", "Use the names and calls of this client."),
    ] = "librdkafka"
    format_: Annotated[
        str,
        Option("--format", "text|markdown|json", "How the page is written."),
    ] = "text"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""

    @command(app, "explain", "[NAME...]")
    def explain(
        names: Annotated[list[str] | None, typer.Argument(autocompletion=completion.pages, hidden=True)] = None,
        *,
        options: Options,
    ) -> None:
        """Explain a guarantee, a setting or an exit code. Two guarantees are shown side by side; no NAME shows the table.

        `questions`, `contradictions`, `exit-codes` and `config` have pages of their own. Other words are searched for.
        """
        from kdg.explain import explain as page

        color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        sys.stdout.write(page(names or [], client=options.client, format=options.format_, color=color))
