"""`kdg verify`: a guarantee of kdg, or of any other program, under faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from kdg.cli.options import command
from kdg.settings.options.verifying import VerifyOptions

if TYPE_CHECKING:
    from kdg.verify.progress import Progress
    from kdg.verify.setup import Setup


def register(app: typer.Typer) -> None:
    """Add the command to the application."""

    @command(app, "verify", "", takes_command=True)
    def verify(*, cmd: tuple[str, ...], options: VerifyOptions) -> None:
        """Feed numbered records, kill and pause the workers that copy them, and count the records that arrive.

        kdg starts a real Apache Kafka for it, and removes the cluster afterwards. The workers are `kdg pipe`, or CMD:
        any program that copies records from one topic to another without changing their values. CMD finds in its
        environment

        KDG_BROKERS (bootstrap brokers), KDG_SOURCE and KDG_TARGET (topics), KDG_GROUP (consumer group),
        KDG_WORKER (1, 2, ...).

        With a session.timeout.ms of 6000 in the consumer of CMD, the group recovers from a kill in time for the next
        one.

        The exit code is 0 if the promise held and enough faults came while records flowed, else 10.
        """
        from kdg.runs.verify import run

        raise typer.Exit(run(options, cmd, live_view))


@contextmanager
def live_view(setup: Setup) -> Iterator[Callable[[Progress], None]]:
    """The live view on stderr. Rich is imported only here, when a view is shown."""
    from kdg.cli.verify_view import View

    with View(setup) as view:
        yield view.show
