"""`kdg consume`: records of topics to stdout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from kdg.cli import completion
from kdg.cli.options import Common, Delimiter, Encoding, Json, KeyDelimiter, Partitions, Reading, command
from kdg.cli.plan import Plan, ReadingPlan, plan_of, reading_plan
from kdg.cli.progress import of_source, progress_of
from kdg.cli.reading import begin, open_source, with_group
from kdg.cli.report import Outcome, plural, reader_gone_is_fine
from kdg.cli.run import Frame, Session, execute
from kdg.errors import UsageError
from kdg.formats import Encoder
from kdg.guarantees import Role
from kdg.pump import Pump


@dataclass(frozen=True, slots=True)
class Options:
    """What was typed for consume alone."""

    topics: Sequence[str]
    partitions: Sequence[int]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""

    @command(app, "consume", short_help="Print records of topics.")
    def consume(
        topics: Annotated[list[str], typer.Argument(metavar="TOPIC...", autocompletion=completion.topics)],
        *,
        common: Common,
        reading: Reading,
        partition: Partitions = None,
        delimiter: Delimiter = r"\n",
        key_delimiter: KeyDelimiter = None,
        json: Json = False,
        format_: Annotated[str | None, typer.Option("--format", "-f", metavar="FORMAT", help=r"kcat's tokens: %s %S %R %k %K %T %h %t %p %o, \n \t \0 \xHH.")] = None,
        null: Annotated[bool, typer.Option("--null", "-Z", help="Print a null key or value as NULL.")] = False,
        key_encoding: Encoding = "utf8",
        value_encoding: Encoding = "utf8",
    ) -> None:  # fmt: skip
        """Print the records of TOPIC... on stdout.

        A TOPIC that begins with ^ is a pattern: all topics whose names match; with -G also those that are made later.

        With -G, the group's position moves: at-most-once before a record is printed, at-least-once after it was. Without -G
        nothing outlives the run. Only committed records are read.
        """
        plan = plan_of(common, "consume", {"group.id": reading.group}, [Role.CONSUMER], [])
        plan, group = with_group(plan)
        if group is not None and plan.row.transactional:
            raise UsageError(
                f"{plan.row.name} cannot end at stdout with a group: the position in the group and the bytes in the pipe cannot be kept together.",
                "Use `kdg pipe` to a topic, drop -G (each committed record once, nothing outlives the run), or choose -g at-least-once.",
            )
        encoder = _encoder(json, format_, delimiter, key_delimiter, null, key_encoding, value_encoding)
        options = Options(tuple(dict.fromkeys(topics)), tuple(partition or ()))
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

    def open_session(frame: Frame) -> Session:
        from kdg.ports import NoTransaction
        from kdg.sinks.stdout import Stdout

        target = Stdout(encoder, frame.signals, durable=reading.group is not None)
        if reading.group is not None and target.is_pipe and not plan.row.may_lose:
            plan.note("what sits in the pipe is lost if its reader dies: the guarantee ends at the file descriptor")
        source = open_source(frame, reading, options.topics, encoder.columns, options.partitions, check=True)
        pump = Pump(
            cycle=plan.cycle(settles=reading.group is not None),
            source=source,
            target=target,
            transaction=NoTransaction(),
            interval=plan.interval(to_an_end=reading.exit_at_end),
            limits=reading.limits,
            signals=frame.signals,
            crash_at=plan.crash_at,
        )
        source.rebalance = pump.on_rebalance
        pump.progress = progress = progress_of(plan, of_source(source), ends=reading.exit_at_end, prints=True)
        begin(source, plan, options.topics, options.partitions)
        return Session(pump, lambda outcome: _tell(outcome, reading), progress)

    return execute(plan, open_session)


def _tell(outcome: Outcome, reading: ReadingPlan) -> None:
    outcome.error = reader_gone_is_fine(outcome.error, group=reading.group is not None)
    counts = outcome.counts
    lost = ""
    if outcome.plan.row.commits_first and reading.group is not None:
        most = min(counts.read, outcome.plan.batch_records)
        lost = f"; a crash could have lost at most {most} (--batch-records {outcome.plan.batch_records})"
    outcome.what = f"read {plural(counts.read, 'record')}, wrote {counts.written}{lost}"
    if reading.group is None:
        outcome.positions = {}
