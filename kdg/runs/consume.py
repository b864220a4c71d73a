"""Owns the run of `kdg consume`: its options, the opening of its source and destination, and its outcome."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from kdg.core.destinations import DestinationKind
from kdg.core.guarantees import Role
from kdg.core.ports import NoTransaction, Sink, Transaction
from kdg.core.pump import Pump
from kdg.errors import UsageError
from kdg.formats import Encoder
from kdg.runs.dedup import DedupPlan, dedup_plan, open_dedup
from kdg.runs.destination import Destination, destination_of, open_destination, refuse_destination
from kdg.runs.framing import encoder_of
from kdg.runs.group import with_group
from kdg.runs.plan import Plan, ReadingPlan, plan_of, reading_plan
from kdg.runs.progress import of_source, progress_line
from kdg.runs.report import Outcome, reader_gone_is_fine, transactions_text
from kdg.runs.session import Frame, Session, execute
from kdg.settings.options.common import Common
from kdg.settings.options.reading import Deduplication, Output, OutputFraming, PartitionReading
from kdg.text.words import plural

if TYPE_CHECKING:
    from kdg.kafka.source import KafkaSource


@dataclass(frozen=True, slots=True)
class Options:
    """What consume is to do, beyond its plan."""

    topics: Sequence[str]
    partitions: Sequence[int]
    destination: Destination
    dedup: DedupPlan | None


def run(
    topics: Sequence[str],
    *,
    cmd: Sequence[str],
    common: Common,
    reading: PartitionReading,
    output: Output,
    deduplication: Deduplication,
    framing: OutputFraming,
) -> int:
    """The exit code of `kdg consume` with these options. Raises UsageError before anything is opened."""
    plan = plan_of("consume", [Role.CONSUMER], common, reading, output, deduplication)
    plan, group = with_group(plan)
    destination = destination_of(output, cmd)
    refuse_destination(plan.guarantee, destination.kind, group)
    if destination.kind is DestinationKind.SQLITE and (framing.json or framing.format_ is not None):
        raise UsageError(
            "-J and -f say how a record is printed, and --sqlite prints nothing.",
            "Drop it: a table has a column for each part of a record.",
        )
    encoder = encoder_of(framing)
    options = Options(
        topics=tuple(dict.fromkeys(topics)),
        partitions=tuple(reading.partition or ()),
        destination=destination,
        dedup=dedup_plan(deduplication),
    )
    return start(plan, reading_plan(reading, group, plan.timeout), options, encoder)


def start(plan: Plan, reading: ReadingPlan, options: Options, encoder: Encoder) -> int:
    """Run consume and return its exit code."""
    return execute(plan, lambda frame: open_session(frame, reading, options, encoder))


def open_session(frame: Frame, reading: ReadingPlan, options: Options, encoder: Encoder) -> Session:
    """Open the destination first: it may hold the positions from which the source goes on."""
    from kdg.runs.kafka_source import Wanted, open_source

    plan, to_stdout = frame.plan, options.destination.kind is DestinationKind.STDOUT
    opened = open_destination(frame, options.destination, reading, encoder)
    store = opened.position_store
    columns = opened.columns if options.dedup is None else opened.columns | options.dedup.columns
    # Positions in a sink are the only ones that count: partitions are assigned, and a group at most shows the progress.
    reads = reading if store is None else dataclasses.replace(reading, group=None)
    wanted = Wanted(options.topics, columns, options.partitions, checks_topics=True, position_store=store)
    source = open_source(frame, reads, wanted)
    progress = progress_line(plan, of_source(source), ends=lambda: reading.exit_at_end, prints=to_stdout)
    pump = Pump(
        cycle=plan.cycle(settles=reading.group is not None or not to_stdout or options.dedup is not None),
        source=source,
        target=opened.target,
        transaction=_open_transaction(frame, store, source, reading.group),
        interval=plan.interval(to_an_end=reading.exit_at_end),
        limits=reading.limits,
        signals=frame.signals,
        dedup=open_dedup(frame, options.dedup, reading.group, "", source.topic_ids.of, opened.database),
        crash_at=plan.crash_at,
        progress=progress,
        clock=frame.surroundings.clock.monotonic,
    )
    source.begin(pump.on_rebalance)
    describe = partial(_describe, options, in_group=reading.group is not None, in_sink=store is not None)
    return Session(pump, describe, progress)


def _open_transaction(frame: Frame, sink: Sink | None, source: KafkaSource, group: str | None) -> Transaction:
    """The transaction of a sink that keeps the positions. With a group, the group shows the progress as well."""
    if sink is None:
        return NoTransaction()
    if group is None:
        return sink
    from kdg.kafka.lag_mirror import LagMirror

    mirror = LagMirror(sink, source.consumer.client, group, frame.plan.note, frame.deadline)
    frame.closing.callback(mirror.close)
    return mirror


def _describe(options: Options, outcome: Outcome, *, in_group: bool, in_sink: bool) -> None:
    """Complete the outcome with the summary. in_group, in_sink: where positions outlive the run."""
    plan, counts = outcome.plan, outcome.counts
    outcome.error = reader_gone_is_fine(outcome.error, group=in_group)
    lost = ""
    if plan.guarantee.commits_first and in_group:
        most = min(counts.read, plan.batch_records)
        lost = f"; a crash could have lost at most {most} (--batch-records {plan.batch_records})"
    transactions = transactions_text(counts) if in_sink else ""
    dropped = "" if options.dedup is None else f", dropped {plural(counts.dropped, 'duplicate')}"
    read = f"read {plural(counts.read, 'record')}"
    outcome.what = f"{read}, wrote {counts.written}{options.destination.where}{dropped}{transactions}{lost}"
    if not in_group and not in_sink:
        outcome.positions = {}
