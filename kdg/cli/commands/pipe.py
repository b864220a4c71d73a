"""`kdg pipe`: records of one topic into another, through a command if wanted, settled together."""

from __future__ import annotations

from typing import Annotated

import typer

from kdg.cli import completion
from kdg.cli.options import command
from kdg.settings.options.common import Common
from kdg.settings.options.reading import Deduplication, Reading
from kdg.settings.options.sending import Copying, Filtering


def register(app: typer.Typer) -> None:
    """Add the command to the application."""

    @command(app, "pipe", "SOURCE TARGET", takes_command=True)
    def pipe(
        source: Annotated[str, typer.Argument(metavar="SOURCE", autocompletion=completion.topics, hidden=True)],
        target: Annotated[str, typer.Argument(metavar="TARGET", autocompletion=completion.topics, hidden=True)],
        *,
        cmd: tuple[str, ...],
        common: Common,
        reading: Reading,
        copying: Copying,
        filtering: Filtering,
        deduplication: Deduplication,
    ) -> None:
        """Copy records from SOURCE to TARGET: key, value, headers and timestamp.

        A SOURCE that begins with ^ is a pattern: all topics whose names match, and those that are created later.

        The position of the group (-G, required) moves before a batch is sent (at-most-once), after all of the batch is
        acknowledged (at-least-once), or in the same transaction (exactly-once). Any number of instances can share the
        work of a group.

        CMD runs once per batch. It reads the batch on stdin as JSON lines (see kdg consume -J), and the JSON lines that
        it prints are sent instead: grep, head and jq -c work on whole records. If CMD exits with another status than 0
        (or one of --ok-exit), nothing of the batch is settled, and the run ends. KDG_BATCH in the environment of CMD
        names the batch: [{"topic": ..., "partition": ..., "first": ..., "last": ...}, ...]. It may take as long as it
        takes: kdg stays in the group meanwhile.
        """
        from kdg.runs.pipe import run

        code = run(
            source,
            target,
            cmd=cmd,
            common=common,
            reading=reading,
            copying=copying,
            filtering=filtering,
            deduplication=deduplication,
        )
        raise typer.Exit(code)
