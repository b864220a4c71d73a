"""`kdg pipe`: records of one topic into another, through a command if wanted, settled together."""

from __future__ import annotations

from typing import Annotated

import typer

from kdg.cli import completion
from kdg.cli.options import Acks, Common, Compression, Deduplication, Reading, TransactionalId, command
from kdg.core.guarantees import Role
from kdg.errors import UsageError
from kdg.runs.dedup import DedupPlan, dedup_plan, used
from kdg.runs.destination import check_command
from kdg.runs.kafka_source import with_group
from kdg.runs.pipe import (
    MOST_STATUS,
    Options,
    _identified,
    _refuse_endless,
    run,
)
from kdg.runs.plan import plan_of, reading_plan


def register(app: typer.Typer) -> None:
    """Add the command to the application."""

    @command(app, "pipe", takes_command=True)
    def pipe(
        source: Annotated[str, typer.Argument(metavar="SOURCE", autocompletion=completion.topics)],
        target: Annotated[str, typer.Argument(metavar="TARGET [-- CMD...]", autocompletion=completion.topics)],
        *,
        cmd: tuple[str, ...],
        common: Common,
        reading: Reading,
        transactional_id: TransactionalId = None,
        acks: Acks = None,
        compression: Compression = None,
        keep_partition: Annotated[bool, typer.Option("--keep-partition", help="Send each record to the partition it came from.")] = False,
        lines: Annotated[bool, typer.Option("--lines", help="CMD gets and writes bare values, one a line; keys, headers and timestamps are dropped.")] = False,
        ok_exit: Annotated[str | None, typer.Option("--ok-exit", metavar="N,...", help="The exit statuses of CMD that are fine (0).")] = None,
        deduplication: Deduplication,
    ) -> None:  # fmt: skip
        """Copy records from SOURCE to TARGET: key, value, headers and timestamp.

        A SOURCE that begins with ^ is a pattern: all topics whose names match, also those that are made later.

        The group's position (-G) moves under the guarantee: at-most-once before a batch is sent, at-least-once after all of it is
        acknowledged, exactly-once in the same transaction. Any number of instances share the work of a group.

        With CMD, each batch is on CMD's stdin as JSON lines (see consume -J), and the JSON lines that it writes are sent in its
        place: grep, head and jq -c work on whole records. An exit status other than 0 settles nothing of the batch and ends the
        run. KDG_BATCH in CMD's environment names the batch: [{"topic": ..., "partition": ..., "first": ..., "last": ...}, ...].
        """
        from kdg.cli.commands.produce import checked_acks

        typed = {"--acks": acks, "--transactional-id": transactional_id, **used(deduplication)}
        flags = {
            "group.id": reading.group,
            "transactional.id": transactional_id,
            "acks": checked_acks(acks),
            "compression.type": compression,
        }
        plan = plan_of(
            common, "pipe", flags, [Role.CONSUMER, Role.PRODUCER], [flag for flag, value in typed.items() if value]
        )
        plan, group = with_group(plan)
        if group is None:
            raise UsageError("pipe has no group: nobody would know where it stands.", "Add -G GROUP, or set KDG_GROUP.")
        options = _options(source, target, keep_partition, cmd, lines, ok_exit, dedup_plan(deduplication))
        reads = reading_plan(reading, group, plan.timeout)
        _refuse_endless(options, [source], reads)
        raise typer.Exit(run(_identified(plan, group), reads, options))


def _options(source: str, target: str, keep_partition: bool, cmd: tuple[str, ...], lines: bool, ok_exit: str | None, dedup: DedupPlan | None) -> Options:  # one call, right above  # fmt: skip
    for flag, given in (("--lines", lines), ("--ok-exit", ok_exit is not None)):
        if given and not cmd:
            raise UsageError(f"{flag} is for a command, and there is none.", f"Add -- CMD, or drop {flag}.")
    if lines and keep_partition:
        raise UsageError("--keep-partition needs JSON: bare values name no partition.", "Drop --lines or --keep-partition.")  # fmt: skip
    if dedup is not None and cmd and not dedup.survives_command:
        raise UsageError(
            "--dedup-by position cannot tell what CMD wrote: a new record has no position in SOURCE.",
            "Use --dedup-by key, value or header:NAME.",
        )
    check_command(cmd)
    return Options(source, target, keep_partition, cmd, lines, _statuses(ok_exit), dedup)


def _statuses(text: str | None) -> frozenset[int]:
    """What `--ok-exit` names. Raises UsageError."""
    words = "0" if text is None else text
    try:
        found = frozenset(map(int, words.split(",")))
    except ValueError:
        found = frozenset()
    if not found or min(found) < 0 or max(found) > MOST_STATUS:
        raise UsageError(f"--ok-exit {text!r} names no exit statuses.", "Write numbers from 0 to 255: --ok-exit 0,1.")
    return found
