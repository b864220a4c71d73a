"""`kdg pipe`: records of one topic into another, through a command if wanted, settled together."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from kdg.cli import completion
from kdg.cli.dedup import DedupPlan, dedup_plan, open_dedup, used
from kdg.cli.durability import check_cluster
from kdg.cli.ends import check_command
from kdg.cli.options import Acks, Common, Compression, Deduplication, Reading, TransactionalId, command
from kdg.cli.plan import Plan, ReadingPlan, plan_of, reading_plan
from kdg.cli.progress import of_source, progress_of
from kdg.cli.reading import begin, open_source, with_group
from kdg.cli.report import Outcome, plural, transactions_text
from kdg.cli.run import Frame, Session, execute
from kdg.errors import UsageError
from kdg.guarantees import Role
from kdg.pump import Filter, Pump
from kdg.settings import Resolved

COLUMNS = frozenset({"keys", "headers", "timestamps"})
MOST_STATUS = 255
TOGETHER = 0.05
"""Seconds that a READ waits for more records, where each batch starts a process."""


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """What was typed for pipe alone."""

    source: str
    target: str
    keep_partition: bool
    cmd: tuple[str, ...]
    bare: bool
    ok_exit: frozenset[int]
    dedup: DedupPlan | None


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
        from kdg.cli.produce import checked_acks

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


def _refuse_endless(options: Options, sources: Sequence[str], reading: ReadingPlan) -> None:
    if options.target in sources and not reading.stops:
        raise UsageError(
            f"pipe {options.source} {options.target} would read what it writes, for ever.",
            "Name another target, or a stop such as -e.",
        )


def _identified(plan: Plan, group: str) -> Plan:
    """With a transactional id: one of its own, so that any number of instances share a group, or the one that was given."""
    if not plan.row.transactional:
        return plan
    producer, consumer = dict(plan.clients[Role.PRODUCER]), dict(plan.clients[Role.CONSUMER])
    given = producer.get("transactional.id")
    if given is None:
        name = f"kdg.{group}.{secrets.token_hex(8)}"
        why = "one a process; the group's metadata fences a former member"
        producer["transactional.id"] = Resolved("transactional.id", name, plan.row.name, why)
    elif plan.value(Role.CONSUMER, "group.protocol") != "consumer":  # there, a static member would fence the newcomer
        why = "started again, it takes its partitions over at once"
        named = Resolved("group.instance.id", given.value, f"follows {given.name}", why)
        consumer.setdefault("group.instance.id", named)
    return dataclasses.replace(plan, clients={Role.CONSUMER: consumer, Role.PRODUCER: producer})


def _is_named(plan: Plan) -> bool:
    """Whether its transactional id is its name in the group, too."""
    name = plan.value(Role.CONSUMER, "group.instance.id")
    return plan.row.transactional and name == plan.value(Role.PRODUCER, "transactional.id")


def run(plan: Plan, reading: ReadingPlan, options: Options) -> int:
    """Open, pump, conclude."""
    return execute(plan, lambda frame: _open(frame, reading, options))


def _open(frame: Frame, reading: ReadingPlan, options: Options) -> Session:
    from kdg.kafka.client import reach
    from kdg.kafka.lookup import partitions_of
    from kdg.kafka.patterns import matching
    from kdg.kafka.target import KafkaTarget, ProducerHandle, abort_on_failure, stop_on_failure

    plan = frame.plan
    handle = ProducerHandle(plan.settings(Role.PRODUCER), verbose=plan.verbose)
    # All topics: asking for one by name would make it, and pipe never makes a topic.
    metadata = reach(handle.producer, handle.watch, frame.patience, plan.brokers)
    partitions = len(partitions_of(metadata, options.target, plan.brokers))
    sources = matching(metadata, [options.source], plan.brokers)
    _refuse_endless(options, sources, reading)
    for name in sources:
        partitions_of(metadata, name, plan.brokers)
    check_cluster(frame, Role.PRODUCER, metadata, [*sources, options.target])
    on_failure = _told(plan) if plan.row.may_lose else abort_on_failure if plan.row.transactional else stop_on_failure
    seconds = float(plan.value(Role.PRODUCER, "transaction.timeout.ms") or 60_000) / 1000
    target = KafkaTarget(handle, options.target, frame.patience, on_failure, keep_partition=options.keep_partition, partitions=partitions, settle_seconds=seconds if plan.row.transactional else None)  # fmt: skip
    frame.closing.callback(target.close)
    transaction = _transaction(frame, handle, seconds)
    filter_, read_by_command = _filter(frame, options)
    columns = COLUMNS | ({"partitions"} if options.keep_partition else set()) | read_by_command
    columns |= options.dedup.columns if options.dedup is not None else frozenset()
    fenced = transaction.taken_over if _is_named(plan) else None
    source = open_source(frame, reading, [options.source], columns, [], fenced=fenced)
    source.gather = TOGETHER if options.cmd else 0.0
    if plan.row.transactional:
        transaction.group_metadata = source.group_metadata
    pump = Pump(
        cycle=plan.cycle(),
        source=source,
        target=target,
        transaction=transaction,
        interval=plan.interval(to_an_end=reading.exit_at_end),
        limits=reading.limits,
        signals=frame.signals,
        filter=filter_,
        dedup=open_dedup(frame, options.dedup, reading.group, options.source, source.topic_id),
        crash_at=plan.crash_at,
    )
    source.rebalance = pump.on_rebalance
    pump.progress = progress = progress_of(plan, of_source(source), ends=reading.exit_at_end)
    begin(source, plan, [options.source], [])
    return Session(pump, lambda outcome: _tell(outcome, options, target.most_unsent), progress)


def _filter(frame: Frame, options: Options) -> tuple[Filter | None, frozenset[str]]:
    """What CMD makes of a batch, and the columns that this reads."""
    if not options.cmd:
        return None, frozenset()
    from kdg.command import BatchCommand
    from kdg.filter import DELIMITER, READS, CommandFilter
    from kdg.formats import Decoder, Encoder

    encoder: Encoder
    decoder: Decoder
    if options.bare:
        from kdg.formats.lines import LineDecoder, LineEncoder

        frame.plan.note("--lines: keys, headers and timestamps are dropped")
        encoder, decoder = LineEncoder(DELIMITER), LineDecoder(DELIMITER)
    else:
        from kdg.formats.json import JsonDecoder, JsonEncoder

        encoder, decoder = JsonEncoder(DELIMITER), JsonDecoder(DELIMITER, keep_partition=options.keep_partition)
    command = BatchCommand(options.cmd, frame.patience, captured=True)
    return CommandFilter(command, encoder, decoder, options.ok_exit, options.bare), encoder.columns | READS


def _transaction(frame: Frame, handle: Any, seconds: float) -> Any:
    from kdg.ports import NoTransaction

    if not frame.plan.row.transactional:
        return NoTransaction()
    from kdg.kafka.transaction import KafkaTransaction

    transaction = KafkaTransaction(handle, frame.patience, seconds)
    transaction.start()
    return transaction


def _told(plan: Plan) -> Any:
    """Where loss is allowed it is still named."""
    from kdg.kafka.errors import describe
    from kdg.kafka.target import name_record, telling

    def tell(failures: Any) -> None:
        first = telling(failures)
        plan.note(f"{len(failures)} records were not sent, such as {name_record(first)}: {describe(first.reason)}")

    return tell


def _tell(outcome: Outcome, options: Options, unsent: int) -> None:
    plan, counts = outcome.plan, outcome.counts
    unconfirmed = plan.value(Role.PRODUCER, "acks") == "0"
    outcome.unconfirmed = counts.written if unconfirmed else 0
    transactions = transactions_text(counts) if plan.row.transactional else ""
    lost = ""
    if plan.row.commits_first:
        lost = f", unconfirmed; a crash could have lost at most {unsent} (--batch-records {plan.batch_records}, and what waited to be sent)"
    dropped = "" if options.dedup is None else f", dropped {plural(counts.dropped, 'duplicate')}"
    outcome.what = f"read {counts.read}, wrote {counts.written} to {options.target}{dropped}{transactions}{lost}"
