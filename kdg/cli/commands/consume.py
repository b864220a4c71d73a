"""`kdg consume`: records of topics to stdout, a file, a table or a command."""

from __future__ import annotations

from typing import Annotated

import typer

from kdg.cli import completion
from kdg.cli.options import (
    Common,
    Deduplication,
    Delimiter,
    Encoding,
    Json,
    KeyDelimiter,
    Partitions,
    Reading,
    command,
)
from kdg.core.destinations import DestinationKind
from kdg.core.guarantees import Role
from kdg.errors import UsageError
from kdg.formats import Encoder
from kdg.runs.consume import Options, run
from kdg.runs.dedup import dedup_plan, used
from kdg.runs.destination import destination_of, refuse_destination
from kdg.runs.kafka_source import with_group
from kdg.runs.plan import plan_of, reading_plan


def register(app: typer.Typer) -> None:
    """Add the command to the application."""

    @command(app, "consume", takes_command=True)
    def consume(
        topics: Annotated[list[str], typer.Argument(metavar="TOPIC... [-- CMD...]", autocompletion=completion.topics)],
        *,
        cmd: tuple[str, ...],
        common: Common,
        reading: Reading,
        partition: Partitions = None,
        output: Annotated[str | None, typer.Option("--output", metavar="FILE", help="Append to FILE instead of stdout; exactly-once: with its journal FILE.kdg.")] = None,
        sqlite: Annotated[str | None, typer.Option("--sqlite", metavar="FILE", help="Insert into a table of this SQLite database: topic, partition, offset, timestamp, key, value, headers.")] = None,
        table: Annotated[str | None, typer.Option("--table", metavar="NAME", help="The table of --sqlite (records).")] = None,
        retry: Annotated[int | None, typer.Option("--retry", metavar="N", min=0, help="at-least-once: give a batch to CMD up to N times more, with a pause that grows.")] = None,
        deduplication: Deduplication,
        delimiter: Delimiter = r"\n",
        key_delimiter: KeyDelimiter = None,
        json: Json = False,
        format_: Annotated[str | None, typer.Option("--format", "-f", metavar="FORMAT", help=r"kcat's tokens: %s %S %R %k %K %T %h %t %p %o, \n \t \0 \xHH.")] = None,
        null: Annotated[bool, typer.Option("--null", "-Z", help="Print a null key or value as NULL.")] = False,
        key_encoding: Encoding = "utf8",
        value_encoding: Encoding = "utf8",
    ) -> None:  # fmt: skip
        """Print the records of TOPIC... on stdout, or store them in FILE, or hand them to CMD.

        A TOPIC that begins with ^ is a pattern: all topics whose names match; with -G also those that are made later.

        With -G, the group's position moves: at-most-once before a record is printed, at-least-once after it was. Without -G
        nothing outlives the run. Only committed records are read.

        exactly-once with --output or --sqlite keeps the positions with the records: there, -G only shows the progress.

        CMD runs once a batch, with the batch on stdin as it would be printed, and its offsets in the environment: KDG_BATCH is
        [{"topic": ..., "partition": ..., "first": ..., "last": ...}, ...]. The batch is committed when CMD exits with 0.
        """
        typed = {"--retry": retry, **used(deduplication)}
        flags = [flag for flag, value in typed.items() if value is not None]
        plan = plan_of(common, "consume", {"group.id": reading.group}, [Role.CONSUMER], flags)
        plan, group = with_group(plan)
        destination = destination_of(output, sqlite, table, cmd, retry)
        refuse_destination(plan.guarantee, destination.end, group)
        if destination.end is DestinationKind.SQLITE and (json or format_ is not None):
            raise UsageError(
                "-J and -f say how a record is printed, and --sqlite prints nothing.",
                "Drop it: a table has a column for each part of a record.",
            )
        encoder = _encoder(json, format_, delimiter, key_delimiter, null, key_encoding, value_encoding)
        options = Options(tuple(dict.fromkeys(topics)), tuple(partition or ()), destination, dedup_plan(deduplication))
        raise typer.Exit(run(plan, reading_plan(reading, group, plan.timeout), options, encoder))


def _encoder(json: bool, template: str | None, delimiter: str, key_delimiter: str | None, null: bool, key_encoding: str, value_encoding: str) -> Encoder:  # one call, right above  # fmt: skip
    from kdg.formats.template import parse_delimiter

    between = parse_delimiter(delimiter, "-D")
    printed = b"NULL" if null else b""
    if json and template is not None:
        raise UsageError("-J and -f both say how a record is printed.", "Drop one of them.")
    if json:
        from kdg.formats.json import JsonEncoder

        return JsonEncoder(between, key_encoding=key_encoding, value_encoding=value_encoding)
    if template is not None:
        from kdg.formats.template import TemplateEncoder

        return TemplateEncoder(template, null=printed, key_encoding=key_encoding, value_encoding=value_encoding)
    from kdg.formats.lines import LineEncoder

    between_key = None if key_delimiter is None else parse_delimiter(key_delimiter, "-K")
    return LineEncoder(between, between_key, null=printed, key_encoding=key_encoding, value_encoding=value_encoding)
