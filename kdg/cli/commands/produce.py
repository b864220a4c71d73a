"""`kdg produce`: lines or JSON from stdin, a file or a command into a topic."""

from __future__ import annotations

from typing import Annotated

import typer

from kdg.cli import completion
from kdg.cli.options import command
from kdg.settings.options.common import Common
from kdg.settings.options.sending import Delivery, InputFraming, Placing


def register(app: typer.Typer) -> None:
    """Add the command to the application."""

    @command(app, "produce", "TOPIC [FILE]", takes_command=True)
    def produce(
        topic: Annotated[str, typer.Argument(metavar="TOPIC", autocompletion=completion.topics, hidden=True)],
        file: Annotated[str | None, typer.Argument(metavar="FILE", hidden=True)] = None,
        *,
        cmd: tuple[str, ...],
        common: Common,
        delivery: Delivery,
        framing: InputFraming,
        placing: Placing,
    ) -> None:
        """Send records to TOPIC from FILE (stdin if FILE is absent or -), or from the output of CMD.

        at-most-once: each record is sent once, and no answer is waited for.

        at-least-once: a record counts when it is acknowledged. Records that are not acknowledged are counted and named,
        and the exit code is 3.

        exactly-once: the whole input is one transaction. With --resume NAME there are many transactions, and each one
        also stores the position in the input: the run can be stopped and started again at any moment.
        """
        from kdg.runs.produce import run

        code = run(topic, file, cmd=cmd, common=common, delivery=delivery, framing=framing, placing=placing)
        raise typer.Exit(code)
