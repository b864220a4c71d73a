"""Owns the run of `kdg pipe`: opens its source, target and transaction, and says what happened."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from kdg.core.guarantees import Role
from kdg.core.pump import Filter, Pump
from kdg.errors import UsageError
from kdg.runs.cluster_check import check_cluster
from kdg.runs.dedup import DedupPlan, dedup_plan, open_dedup
from kdg.runs.destination import check_command
from kdg.runs.identity import is_named_member, with_id_of_member
from kdg.runs.kafka_source import begin, open_source, with_group
from kdg.runs.plan import Plan, ReadingPlan, checked_acks, plan_of, reading_plan
from kdg.runs.progress import of_source, progress_line
from kdg.runs.report import Outcome, transactions_text
from kdg.runs.session import Frame, Session, execute
from kdg.settings.options.common import Common
from kdg.settings.options.reading import Deduplication, Reading
from kdg.settings.options.sending import Copying, Filtering
from kdg.text.words import plural

COLUMNS = frozenset({"keys", "headers", "timestamps"})

MOST_STATUS = 255

TOGETHER = 0.05

"""Seconds that a READ waits for more records, where each batch starts a process."""


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """What pipe is to do, beyond its plan. bare: CMD reads and writes values, and not JSON."""

    source: str
    target: str
    keep_partition: bool
    cmd: tuple[str, ...]
    bare: bool
    ok_exit: frozenset[int]
    dedup: DedupPlan | None


def _refuse_endless(options: Options, sources: Sequence[str], reading: ReadingPlan) -> None:
    if options.target in sources and not reading.stops:
        raise UsageError(
            f"pipe {options.source} {options.target} would read what it writes, for ever.",
            "Name another target, or a stop such as -e.",
        )


def _options(
    source: str, target: str, cmd: Sequence[str], copying: Copying, filtering: Filtering, dedup: DedupPlan | None
) -> Options:
    for flag, typed in (("--lines", filtering.lines), ("--ok-exit", filtering.ok_exit is not None)):
        if typed and not cmd:
            raise UsageError(f"{flag} is for a command, and there is none.", f"Add -- CMD, or drop {flag}.")
    if filtering.lines and copying.keep_partition:
        raise UsageError(
            "--keep-partition needs JSON: bare values name no partition.", "Drop --lines or --keep-partition."
        )
    if dedup is not None and cmd and not dedup.survives_command:
        raise UsageError(
            "--dedup-by position cannot tell what CMD wrote: a new record has no position in SOURCE.",
            "Use --dedup-by key, value or header:NAME.",
        )
    check_command(cmd)
    return Options(
        source=source,
        target=target,
        keep_partition=copying.keep_partition,
        cmd=tuple(cmd),
        bare=filtering.lines,
        ok_exit=_statuses(filtering.ok_exit),
        dedup=dedup,
    )


def _statuses(text: str | None) -> frozenset[int]:
    """The exit statuses of `--ok-exit N,...`. Raises UsageError."""
    words = "0" if text is None else text
    try:
        found = frozenset(map(int, words.split(",")))
    except ValueError:
        found = frozenset()
    if not found or min(found) < 0 or max(found) > MOST_STATUS:
        raise UsageError(f"--ok-exit {text!r} names no exit statuses.", "Write numbers from 0 to 255: --ok-exit 0,1.")
    return found


def run(
    source: str,
    target: str,
    *,
    cmd: Sequence[str],
    common: Common,
    reading: Reading,
    copying: Copying,
    filtering: Filtering,
    deduplication: Deduplication,
) -> int:
    """The exit code of `kdg pipe` with these options. Raises UsageError before anything is opened."""
    checked_acks(copying.acks)
    plan = plan_of("pipe", [Role.CONSUMER, Role.PRODUCER], common, reading, copying, deduplication)
    plan, group = with_group(plan)
    if group is None:
        raise UsageError("pipe needs a group, which keeps its position.", "Add -G GROUP, or set KDG_GROUP.")
    options = _options(source, target, cmd, copying, filtering, dedup_plan(deduplication))
    reads = reading_plan(reading, group, plan.timeout)
    _refuse_endless(options, [source], reads)
    return start(with_id_of_member(plan, group), reads, options)


def start(plan: Plan, reading: ReadingPlan, options: Options) -> int:
    """Open, pump, conclude."""
    return execute(plan, lambda frame: _open(frame, reading, options))


def _open(frame: Frame, reading: ReadingPlan, options: Options) -> Session:
    from kdg.kafka.client import reach
    from kdg.kafka.lookup import partitions_of
    from kdg.kafka.patterns import matching
    from kdg.kafka.target import KafkaTarget, ProducerHandle, abort_on_failure, stop_on_failure

    plan = frame.plan
    handle = ProducerHandle(plan.settings(Role.PRODUCER), frame.surroundings.clients, verbose=plan.verbose)
    # All topics: asking for one by name would make it, and pipe never makes a topic.
    metadata = reach(handle.producer, handle.watch, frame.deadline, plan.brokers)
    partitions = len(partitions_of(metadata, options.target, plan.brokers))
    sources = matching(metadata, [options.source], plan.brokers)
    _refuse_endless(options, sources, reading)
    for name in sources:
        partitions_of(metadata, name, plan.brokers)
    check_cluster(frame, Role.PRODUCER, metadata, [*sources, options.target])
    on_failure = (
        _told(plan)
        if plan.guarantee.may_lose
        else abort_on_failure
        if plan.guarantee.transactional
        else stop_on_failure
    )
    seconds = float(plan.value(Role.PRODUCER, "transaction.timeout.ms") or 60_000) / 1000
    target = KafkaTarget(handle, options.target, frame.deadline, on_failure, keep_partition=options.keep_partition, partitions=partitions, settle_seconds=seconds if plan.guarantee.transactional else None)  # fmt: skip
    frame.closing.callback(target.close)
    transaction = _transaction(frame, handle, seconds)
    filter_, read_by_command = _filter(frame, options)
    columns = COLUMNS | ({"partitions"} if options.keep_partition else set()) | read_by_command
    columns |= options.dedup.columns if options.dedup is not None else frozenset()
    fenced = transaction.taken_over if is_named_member(plan) else None
    source = open_source(frame, reading, [options.source], columns, [], fenced=fenced)
    source.gather = TOGETHER if options.cmd else 0.0
    if plan.guarantee.transactional:
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
    pump.progress = progress = progress_line(plan, of_source(source), ends=lambda: reading.exit_at_end)
    begin(source, plan, [options.source], [])
    return Session(pump, lambda outcome: _tell(outcome, options, target.most_unsent), progress)


def _filter(frame: Frame, options: Options) -> tuple[Filter | None, frozenset[str]]:
    """What CMD makes of a batch, and the columns that this reads."""
    if not options.cmd:
        return None, frozenset()
    from kdg.formats import Decoder, Encoder
    from kdg.runtime.child import BatchCommand
    from kdg.transforms.command_filter import DELIMITER, READS, CommandFilter

    encoder: Encoder
    decoder: Decoder
    if options.bare:
        from kdg.formats.lines import LineDecoder, LineEncoder

        frame.plan.note("--lines: keys, headers and timestamps are dropped")
        encoder, decoder = LineEncoder(DELIMITER), LineDecoder(DELIMITER)
    else:
        from kdg.formats.json import JsonDecoder, JsonEncoder

        encoder, decoder = JsonEncoder(DELIMITER), JsonDecoder(DELIMITER, keep_partition=options.keep_partition)
    command = BatchCommand(options.cmd, frame.deadline, captured=True)
    return CommandFilter(command, encoder, decoder, options.ok_exit, options.bare), encoder.columns | READS


def _transaction(frame: Frame, handle: Any, seconds: float) -> Any:
    from kdg.core.ports import NoTransaction

    if not frame.plan.guarantee.transactional:
        return NoTransaction()
    from kdg.kafka.transaction import KafkaTransaction

    transaction = KafkaTransaction(handle, frame.deadline, seconds)
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
    transactions = transactions_text(counts) if plan.guarantee.transactional else ""
    lost = ""
    if plan.guarantee.commits_first:
        lost = f", unconfirmed; a crash could have lost at most {unsent} (--batch-records {plan.batch_records}, and what waited to be sent)"
    dropped = "" if options.dedup is None else f", dropped {plural(counts.dropped, 'duplicate')}"
    outcome.what = f"read {counts.read}, wrote {counts.written} to {options.target}{dropped}{transactions}{lost}"
