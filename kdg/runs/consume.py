"""Owns the run of `kdg consume`: opens its source, target and transaction, and says what happened."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from kdg.cli.progress_line import of_source, progress_of
from kdg.core.destinations import DestinationKind
from kdg.core.pump import Pump
from kdg.formats import Encoder
from kdg.runs.dedup import DedupPlan, open_dedup
from kdg.runs.destination import Destination, open_destination
from kdg.runs.kafka_source import begin, open_source
from kdg.runs.plan import Plan, ReadingPlan
from kdg.runs.report import Outcome, reader_gone_is_fine, transactions_text
from kdg.runs.session import Frame, Session, execute
from kdg.text.words import plural


@dataclass(frozen=True, slots=True)
class Options:
    """What was typed for consume alone."""

    topics: Sequence[str]
    partitions: Sequence[int]
    destination: Destination
    dedup: DedupPlan | None


def run(plan: Plan, reading: ReadingPlan, options: Options, encoder: Encoder) -> int:
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
    pump.progress = progress = progress_of(plan, of_source(source), ends=reading.exit_at_end, prints=prints)
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
