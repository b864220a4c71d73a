"""`kdg explain`: what a guarantee, a setting or an exit code means."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from kdg.cli import completion
from kdg.cli.options import command
from kdg.settings.options.asking import ExplainOptions


def register(app: typer.Typer) -> None:
    """Add the command to the application."""

    @command(app, "explain", "[NAME...]")
    def explain(
        names: Annotated[list[str] | None, typer.Argument(autocompletion=completion.pages, hidden=True)] = None,
        *,
        options: ExplainOptions,
    ) -> None:
        """Explain a guarantee, a setting or an exit code. Two guarantees are shown side by side; no NAME shows the
        table.

        `questions`, `contradictions`, `exit-codes` and `config` have pages of their own. Other words are searched for.
        """
        from kdg.explain import explain as page

        color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        sys.stdout.write(
            page(names or [], client=options.client, format=options.format_, program=options.program, color=color)
        )
