"""`kdg consume`: records of topics to stdout, a file, a table or a command."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import typer

from kdg.cli import completion
from kdg.cli.dedup import DedupPlan, dedup_plan, open_dedup, used
from kdg.cli.ends import Ending, ending_of, open_end, refuse_end
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
from kdg.cli.plan import Plan, ReadingPlan, plan_of, reading_plan
from kdg.cli.progress import of_source, progress_of
from kdg.cli.reading import begin, open_source, with_group
from kdg.cli.report import Outcome, plural, reader_gone_is_fine, transactions_text
from kdg.cli.run import Frame, Session, execute
from kdg.errors import UsageError
from kdg.formats import Encoder
from kdg.guarantees import End, Role
from kdg.pump import Pump


@dataclass(frozen=True, slots=True)
class Options:
    """What was typed for consume alone."""

    topics: Sequence[str]
    partitions: Sequence[int]
    ending: Ending
    dedup: DedupPlan | None


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
        ending = ending_of(output, sqlite, table, cmd, retry)
        refuse_end(plan.row, ending.end, group)
        if ending.end is End.SQLITE and (json or format_ is not None):
            raise UsageError(
                "-J and -f say how a record is printed, and --sqlite prints nothing.",
                "Drop it: a table has a column for each part of a record.",
            )
        encoder = _encoder(json, format_, delimiter, key_delimiter, null, key_encoding, value_encoding)
        options = Options(tuple(dict.fromkeys(topics)), tuple(partition or ()), ending, dedup_plan(deduplication))
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


def run(plan: Plan, reading: ReadingPlan, options: Options, encoder: Encoder) -> int:
    """Open, pump, conclude."""
    return execute(plan, lambda frame: _open(frame, reading, options, encoder))


def _open(frame: Frame, reading: ReadingPlan, options: Options, encoder: Encoder) -> Session:
    plan = frame.plan
    opened = open_end(frame, options.ending, reading, encoder)
    columns = opened.columns | (options.dedup.columns if options.dedup is not None else frozenset())
    # A sink that keeps the positions is the only truth: partitions are assigned, and a group shows the progress at most.
    reads = reading if opened.keeper is None else dataclasses.replace(reading, group=None)
    source = open_source(frame, reads, options.topics, columns, options.partitions, check=True, keeper=opened.keeper)
    dedup = open_dedup(frame, options.dedup, reading.group, "", source.topic_id, opened.connection)
    pump = Pump(
        cycle=plan.cycle(settles=reading.group is not None or options.ending.end is not End.STDOUT or options.dedup is not None),
        source=source,
        target=opened.target,
        transaction=_transaction(frame, opened.keeper, source, reading.group),
        interval=plan.interval(to_an_end=reading.exit_at_end),
        limits=reading.limits,
        signals=frame.signals,
        dedup=dedup,
        crash_at=plan.crash_at,
    )  # fmt: skip
    source.rebalance = pump.on_rebalance
    prints = options.ending.end is End.STDOUT
    pump.progress = progress = progress_of(plan, of_source(source), ends=reading.exit_at_end, prints=prints)
    begin(source, plan, options.topics, options.partitions)
    tell = partial(_tell, options=options, group=reading.group is not None, kept=opened.keeper)
    return Session(pump, tell, progress)


def _transaction(frame: Frame, keeper: Any, source: Any, group: str | None) -> Any:
    """The sink's, where it has one; with a group, shown there."""
    from kdg.ports import NoTransaction

    if keeper is None or group is None:
        return keeper or NoTransaction()
    from kdg.kafka.mirror import Mirror

    mirror = Mirror(keeper, source.consumer, group, frame.plan.note)
    frame.closing.callback(mirror.close)
    return mirror


def _tell(outcome: Outcome, options: Options, *, group: bool, kept: object) -> None:
    plan, counts = outcome.plan, outcome.counts
    outcome.error = reader_gone_is_fine(outcome.error, group=group)
    lost = transactions = ""
    if plan.row.commits_first and group:
        most = min(counts.read, plan.batch_records)
        lost = f"; a crash could have lost at most {most} (--batch-records {plan.batch_records})"
    if kept is not None:
        transactions = transactions_text(counts)
    dropped = "" if options.dedup is None else f", dropped {plural(counts.dropped, 'duplicate')}"
    outcome.what = f"read {plural(counts.read, 'record')}, wrote {counts.written}{options.ending.where}{dropped}{transactions}{lost}"
    if not group and kept is None:
        outcome.positions = {}
