"""Owns the run of `kdg pipe`: its options, the opening of its source, target and transaction, and its outcome."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from kdg.core.guarantees import Role
from kdg.core.ports import NoTransaction
from kdg.core.pump import Pump
from kdg.errors import UsageError
from kdg.runs.cluster_check import check_cluster
from kdg.runs.dedup import DedupPlan, dedup_plan, open_dedup
from kdg.runs.destination import check_command
from kdg.runs.group import with_group
from kdg.runs.identity import is_named_member, with_id_of_member
from kdg.runs.kafka_target import name_culprit, open_producer, open_target, open_transaction
from kdg.runs.plan import Plan, ReadingPlan, checked_acks, plan_of, reading_plan
from kdg.runs.progress import of_source, progress_line
from kdg.runs.report import Outcome, transactions_text
from kdg.runs.session import Frame, Session, execute
from kdg.runtime.clock import SYSTEM_CLOCK, Clock
from kdg.settings.options.common import Common
from kdg.settings.options.reading import Deduplication, Reading
from kdg.settings.options.sending import Copying, Filtering
from kdg.text.words import plural, plural_were

if TYPE_CHECKING:
    from kdg.formats import Decoder, Encoder
    from kdg.kafka.producer import ProducerHandle
    from kdg.kafka.source import KafkaSource
    from kdg.kafka.target import KafkaTarget
    from kdg.kafka.transaction import KafkaTransaction
    from kdg.kafka.undelivered_records import OnUndelivered, UndeliveredRecord
    from kdg.transforms.command_filter import CommandFilter

COPIED = frozenset({"keys", "headers", "timestamps"})
"""The columns of a Batch that are copied to the target; the values always are."""
MOST_STATUS = 255
"""The largest exit status of a process."""
TOGETHER = 0.05
"""Extra seconds in which a READ waits for more records, because each batch starts a process."""


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


def _refuse_endless(options: Options, sources: Sequence[str], reading: ReadingPlan, clock: Clock) -> None:
    if options.target in sources and not reading.bounded(clock.time()):
        raise UsageError(
            f"pipe {options.source} {options.target} would read what it writes, for ever.",
            "Name another target, or a stop that the new records cannot delay: -e, -c N, or --until with a past time.",
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
    _refuse_endless(options, [source], reads, SYSTEM_CLOCK)
    return start(with_id_of_member(plan, group), reads, options)


def start(plan: Plan, reading: ReadingPlan, options: Options) -> int:
    """Run pipe and return its exit code."""
    return execute(plan, lambda frame: open_session(frame, reading, options))


def open_session(frame: Frame, reading: ReadingPlan, options: Options) -> Session:
    """Open the target and its transaction, then the source.

    The order matters: positions are looked up after older instances are fenced.
    """
    from kdg.runs.kafka_source import Wanted, open_source

    plan = frame.plan
    handle = open_producer(frame)
    partitions = _find_topics(frame, reading, options, handle)
    target = open_target(
        frame,
        handle,
        options.target,
        _on_undelivered(plan),
        partitions=partitions,
        keep_partition=options.keep_partition,
    )
    transaction = open_transaction(frame, handle, options.target)
    command = _open_filter(frame, options)
    fenced = transaction.taken_over if transaction is not None and is_named_member(plan) else None
    gather = TOGETHER if command is not None else 0.0
    wanted = Wanted([options.source], _columns(options, command), gather=gather, fenced=fenced)
    source = open_source(frame, reading, wanted)
    if transaction is not None:
        transaction.group_metadata = source.group_metadata
    progress = progress_line(plan, of_source(source), ends=lambda: reading.exit_at_end)
    pump = Pump(
        cycle=plan.cycle(),
        source=source,
        target=target,
        transaction=transaction or NoTransaction(),
        interval=plan.interval(to_an_end=reading.exit_at_end),
        limits=reading.limits,
        signals=frame.signals,
        filter=command,
        dedup=open_dedup(frame, options.dedup, reading.group, options.source, source.topic_ids.of),
        crash_at=plan.crash_at,
        progress=progress,
        look=target.look,
        clock=frame.surroundings.clock.monotonic,
    )
    source.begin(pump.on_rebalance)
    return Session(pump, partial(_describe, options, target, transaction, source), progress)


def _find_topics(frame: Frame, reading: ReadingPlan, options: Options, handle: ProducerHandle) -> int:
    """The number of partitions of the target.

    Raises Unreachable if it or a source is missing, UsageError for a circle.
    """
    from kdg.kafka.lookup import partitions_of
    from kdg.kafka.patterns import matching
    from kdg.kafka.reach import reach

    brokers = frame.plan.brokers
    # The metadata of all topics: a broker may create a topic that is asked for by name, and pipe never creates one.
    metadata = reach(handle.producer, handle.watch, frame.deadline, brokers)
    partitions = partitions_of(metadata, options.target, brokers)
    sources = matching(metadata, [options.source], brokers)
    _refuse_endless(options, sources, reading, frame.surroundings.clock)
    for name in sources:
        partitions_of(metadata, name, brokers)
    handle.fit(check_cluster(frame, Role.PRODUCER, metadata, [*sources, options.target]), options.target)
    return len(partitions)


def _on_undelivered(plan: Plan) -> OnUndelivered:
    """What happens to records that were not delivered, under the guarantee."""
    from kdg.kafka.undelivered_records import abort_on_undelivered, stop_on_undelivered

    if plan.guarantee.may_lose:
        return partial(_note_lost, plan)
    return abort_on_undelivered if plan.guarantee.transactional else stop_on_undelivered


def _note_lost(plan: Plan, records: Sequence[UndeliveredRecord]) -> None:
    """The guarantee allows that records are lost; the user still reads of it."""
    from kdg.kafka.undelivered_records import example_of

    plan.note(f"{plural_were(len(records), 'record')} not sent, such as {example_of(records)}")


def _open_filter(frame: Frame, options: Options) -> CommandFilter | None:
    """The filter that gives each batch to CMD, or None if there is no CMD."""
    if not options.cmd:
        return None
    from kdg.transforms.command_filter import DELIMITER, CommandFilter

    encoder: Encoder
    decoder: Decoder
    if options.bare:
        from kdg.formats.lines import LineDecoder, LineEncoder

        frame.plan.note("--lines: keys, headers and timestamps are dropped")
        encoder, decoder = LineEncoder(DELIMITER), LineDecoder(DELIMITER)
    else:
        from kdg.formats.json import JsonDecoder, JsonEncoder

        encoder, decoder = JsonEncoder(DELIMITER), JsonDecoder(DELIMITER, keep_partition=options.keep_partition)
    command = frame.surroundings.command(options.cmd, frame.deadline, captured=True)
    return CommandFilter(command, encoder, decoder, options.ok_exit, options.bare)


def _columns(options: Options, command: CommandFilter | None) -> frozenset[str]:
    """The columns of a Batch that the target, the filter or the deduplication reads."""
    columns = COPIED
    if options.keep_partition:
        columns |= {"partitions"}
    if command is not None:
        from kdg.transforms.command_filter import READS

        columns |= command.encoder.columns | READS
    return columns if options.dedup is None else columns | options.dedup.columns


def _describe(
    options: Options, target: KafkaTarget, transaction: KafkaTransaction | None, source: KafkaSource, outcome: Outcome
) -> None:
    """Settle what came before a record that cannot be delivered, and complete the outcome with the summary."""
    from kdg.kafka.undelivered_records import LeftOut, Stopped

    plan, counts = outcome.plan, outcome.counts
    name_culprit(outcome, target, transaction)
    if isinstance(outcome.error, LeftOut):
        counts.stop_without(outcome.error.count + target.give_up_rest())
    if isinstance(outcome.error, Stopped) and outcome.error.before is not None:
        source.settle_before(outcome.error.before)
        outcome.positions = source.offsets()
    unconfirmed = plan.value(Role.PRODUCER, "acks") == "0"
    outcome.unconfirmed = counts.written if unconfirmed else 0
    transactions = transactions_text(counts) if plan.guarantee.transactional else ""
    lost = ""
    if plan.guarantee.commits_first:
        lost = (
            f", unconfirmed; a crash could have lost at most {target.most_unsent} "
            f"(--batch-records {plan.batch_records}, and what waited to be sent)"
        )
    dropped = "" if options.dedup is None else f", dropped {plural(counts.dropped, 'duplicate')}"
    outcome.what = f"read {counts.read}, wrote {counts.written} to {options.target}{dropped}{transactions}{lost}"
