"""Owns the run of `kdg consume`: opens its source, target and transaction, and says what happened."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from kdg.core.destinations import DestinationKind
from kdg.core.guarantees import Role
from kdg.core.pump import Pump
from kdg.errors import UsageError
from kdg.formats import Encoder
from kdg.runs.dedup import DedupPlan, dedup_plan, open_dedup
from kdg.runs.destination import Destination, destination_of, open_destination, refuse_destination
from kdg.runs.framing import encoder_of
from kdg.runs.kafka_source import begin, open_source, with_group
from kdg.runs.plan import Plan, ReadingPlan, plan_of, reading_plan
from kdg.runs.progress import of_source, progress_line
from kdg.runs.report import Outcome, reader_gone_is_fine, transactions_text
from kdg.runs.session import Frame, Session, execute
from kdg.settings.options.common import Common
from kdg.settings.options.reading import Deduplication, Output, OutputFraming, PartitionReading
from kdg.text.words import plural


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
    refuse_destination(plan.guarantee, destination.end, group)
    if destination.end is DestinationKind.SQLITE and (framing.json or framing.format_ is not None):
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
    """Open, pump, conclude."""
    return execute(plan, lambda frame: _open(frame, reading, options, encoder))


def _open(frame: Frame, reading: ReadingPlan, options: Options, encoder: Encoder) -> Session:
    plan = frame.plan
    opened = open_destination(frame, options.destination, reading, encoder)
    columns = opened.columns | (options.dedup.columns if options.dedup is not None else frozenset())
    # A sink that keeps the positions is the only truth: partitions are assigned, and a group shows the progress at most.
    reads = reading if opened.position_store is None else dataclasses.replace(reading, group=None)
    source = open_source(
        frame, reads, options.topics, columns, options.partitions, check=True, position_store=opened.position_store
    )
    dedup = open_dedup(frame, options.dedup, reading.group, "", source.topic_id, opened.connection)
    pump = Pump(
        cycle=plan.cycle(settles=reading.group is not None or options.destination.end is not DestinationKind.STDOUT or options.dedup is not None),
        source=source,
        target=opened.target,
        transaction=_transaction(frame, opened.position_store, source, reading.group),
        interval=plan.interval(to_an_end=reading.exit_at_end),
        limits=reading.limits,
        signals=frame.signals,
        dedup=dedup,
        crash_at=plan.crash_at,
    )  # fmt: skip
    source.rebalance = pump.on_rebalance
    prints = options.destination.end is DestinationKind.STDOUT
    pump.progress = progress = progress_line(plan, of_source(source), ends=lambda: reading.exit_at_end, prints=prints)
    begin(source, plan, options.topics, options.partitions)
    tell = partial(_tell, options=options, group=reading.group is not None, kept=opened.position_store)
    return Session(pump, tell, progress)


def _transaction(frame: Frame, position_store: Any, source: Any, group: str | None) -> Any:
    """The sink's, where it has one; with a group, shown there."""
    from kdg.core.ports import NoTransaction

    if position_store is None or group is None:
        return position_store or NoTransaction()
    from kdg.kafka.lag_mirror import Mirror

    mirror = Mirror(position_store, source.consumer, group, frame.plan.note, frame.deadline)
    frame.closing.callback(mirror.close)
    return mirror


def _tell(outcome: Outcome, options: Options, *, group: bool, kept: object) -> None:
    plan, counts = outcome.plan, outcome.counts
    outcome.error = reader_gone_is_fine(outcome.error, group=group)
    lost = transactions = ""
    if plan.guarantee.commits_first and group:
        most = min(counts.read, plan.batch_records)
        lost = f"; a crash could have lost at most {most} (--batch-records {plan.batch_records})"
    if kept is not None:
        transactions = transactions_text(counts)
    dropped = "" if options.dedup is None else f", dropped {plural(counts.dropped, 'duplicate')}"
    outcome.what = f"read {plural(counts.read, 'record')}, wrote {counts.written}{options.destination.where}{dropped}{transactions}{lost}"
    if not group and kept is None:
        outcome.positions = {}
