"""`kdg consume`: records of topics to stdout, a file, a table or a command."""

from __future__ import annotations

from typing import Annotated

import typer

from kdg.cli import completion
from kdg.cli.options import command
from kdg.settings.options.common import Common
from kdg.settings.options.reading import Deduplication, Output, OutputFraming, PartitionReading


def register(app: typer.Typer) -> None:
    """Add the command to the application."""

    @command(app, "consume", "TOPIC...", takes_command=True)
    def consume(
        topics: Annotated[list[str], typer.Argument(metavar="TOPIC", hidden=True, autocompletion=completion.topics)],
        *,
        cmd: tuple[str, ...],
        common: Common,
        reading: PartitionReading,
        output: Output,
        deduplication: Deduplication,
        framing: OutputFraming,
    ) -> None:
        """Print the records of TOPIC... on stdout, store them in a file or a table, or hand them to CMD.

        A TOPIC that begins with ^ is a pattern: all topics whose names match, and with -G also those that are created
        later.

        With -G, the position of the group moves: before a record is printed (at-most-once), or after it
        (at-least-once). Without -G no position outlives the run. Only committed records are read.

        exactly-once keeps the positions with the records, in the file of --output or --sqlite; -G then only shows the
        progress.

        CMD runs once per batch. The batch is on the stdin of CMD, as it would be printed, and its offsets are in the
        environment: KDG_BATCH is [{"topic": ..., "partition": ..., "first": ..., "last": ...}, ...]. The batch is
        committed when CMD exits with 0. It may take as long as it takes: kdg stays in the group meanwhile.
        """
        from kdg.runs.consume import run

        code = run(
            topics,
            cmd=cmd,
            common=common,
            reading=reading,
            output=output,
            deduplication=deduplication,
            framing=framing,
        )
        raise typer.Exit(code)
