"""Owns the run of `kdg produce`: opens its source, target and transaction, and says what happened."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kdg.core.guarantees import Role
from kdg.core.progress import Limits
from kdg.core.pump import Pump
from kdg.errors import KdgError, StopNotReached, Undelivered, Unreachable, UsageError
from kdg.formats import Decoder
from kdg.runs.cluster_check import check_cluster
from kdg.runs.framing import decoder_of
from kdg.runs.identity import with_id_of_producer
from kdg.runs.plan import Plan, checked_acks, plan_of
from kdg.runs.progress import of_file, progress_line
from kdg.runs.report import Outcome, transactions_text
from kdg.runs.session import Frame, Session, execute
from kdg.settings.options.common import Common
from kdg.settings.options.sending import Delivery, InputFraming, Placing
from kdg.sinks.undelivered import UndeliveredFile
from kdg.sources.command import CommandInput
from kdg.sources.descriptor import Input
from kdg.text.words import plural

AT_ONCE = 10_000

"""Records handed over at once where an input has no position, so that a smaller batch would settle nothing sooner."""

TRANSACTION_MARGIN = 0.9

"""The part of transaction.timeout.ms in which the input must be at its end; the rest is for flush and commit."""

AFTER_FAILURE_SECONDS = 30.0

"""How long a run that failed still waits for the acknowledgement of what it sent before."""


@dataclass(frozen=True, slots=True)
class Options:
    """What produce is to do, beyond its plan. partition: -1 where the partitioner chooses."""

    topic: str
    file: str | None
    cmd: Sequence[str]
    resume: str | None
    restart: bool
    undelivered: str | None
    allow_unterminated: bool
    partition: int
    keep_partition: bool
    count: int | None


def run(
    topic: str,
    file: str | None,
    *,
    cmd: Sequence[str],
    common: Common,
    delivery: Delivery,
    framing: InputFraming,
    placing: Placing,
) -> int:
    """The exit code of `kdg produce` with these options. Raises UsageError before anything is opened."""
    checked_acks(delivery.acks)
    plan = plan_of("produce", [Role.PRODUCER], common, delivery, placing)
    options = Options(
        topic=topic,
        file=file,
        cmd=cmd,
        resume=delivery.resume,
        restart=delivery.restart,
        undelivered=delivery.undelivered,
        allow_unterminated=delivery.allow_unterminated,
        partition=-1 if placing.partition is None else placing.partition,
        keep_partition=placing.keep_partition,
        count=placing.count,
    )
    _refuse_contradictions(options)
    plan = _in_transactions(plan, options.resume, common)
    return start(plan, options, decoder_of(framing, keep_partition=placing.keep_partition))


def _refuse_contradictions(options: Options) -> None:
    if options.resume is not None and not options.resume.strip():
        raise UsageError("--resume has no NAME.", "Name the input, or leave --resume out.")
    if options.restart and options.resume is None:
        raise UsageError(
            "--restart says to forget a position, and there is none without --resume NAME.",
            "Add --resume NAME, or drop --restart.",
        )
    if options.cmd and options.file not in (None, "-"):
        raise UsageError(f"both FILE {options.file!r} and -- CMD are given.", "Records come from one of them.")


def _in_transactions(plan: Plan, resume: str | None, common: Common) -> Plan:
    """The plan with a transactional id if the guarantee has transactions. Raises UsageError for a batch size without use."""
    if not plan.guarantee.transactional:
        return replace(plan, batch_records=common.batch_records or AT_ONCE)
    if resume is None and (common.batch_records or common.batch_interval):
        flag = "--batch-records" if common.batch_records else "--batch-interval"
        raise UsageError(
            f"{flag} means nothing here: the whole input is one transaction.",
            "Add --resume NAME for transactions of batch size, or drop it.",
        )
    return with_id_of_producer(plan, resume)


def start(plan: Plan, options: Options, decoder: Decoder) -> int:
    """Open, pump, conclude."""
    kept = UndeliveredFile(decoder, options.undelivered)
    return execute(plan, lambda frame: _open(frame, options, decoder, kept))


def _keep_rest(source: Input, kept: UndeliveredFile) -> None:
    for records in source.drain():
        kept.keep_unsent(records)


def _open(frame: Frame, options: Options, decoder: Decoder, kept: UndeliveredFile) -> Session:
    source = _input(frame, options, decoder)
    kept.open(options.file)
    try:
        return _connected(frame, options, source, kept)
    except Unreachable as error:
        if options.undelivered is not None and frame.signals.received is None:
            _keep_whole_input(frame, source, kept, error)
        raise


def _keep_whole_input(frame: Frame, source: Input, kept: UndeliveredFile, error: Unreachable) -> None:
    """No broker was reached: every record of the input is undelivered."""
    try:
        _keep_rest(source, kept)
        kept.close()
    except KdgError as exc:
        error.hint += f" {exc}"
        return
    frame.outcome.undelivered = kept.count
    error.hint += f" The {plural(kept.count, 'record')} of the input are in {kept.path}."


def _connected(frame: Frame, options: Options, source: Input, kept: UndeliveredFile) -> Session:
    plan = frame.plan
    from kdg.kafka.target import KafkaTarget, ProducerHandle, abort_on_failure

    handle = ProducerHandle(plan.settings(Role.PRODUCER), frame.surroundings.clients, verbose=plan.verbose)
    metadata = _topic(options, frame, handle)
    check_cluster(frame, Role.PRODUCER, metadata, [options.topic])
    on_failure = abort_on_failure if plan.guarantee.transactional else kept
    seconds = float(plan.value(Role.PRODUCER, "transaction.timeout.ms") or 60_000) / 1000
    target = KafkaTarget(handle, options.topic, frame.deadline, on_failure, options.partition, options.keep_partition, len(metadata.topics[options.topic].partitions), settle_seconds=seconds if plan.guarantee.transactional else None)  # fmt: skip
    frame.closing.callback(target.close)
    transaction, whole = _transaction(frame, options, handle, source, seconds)
    whole_within = seconds * TRANSACTION_MARGIN if whole else None
    how_far = of_file(source.descriptor)
    progress = progress_line(plan, how_far, ends=lambda: how_far() is not None)
    pump = Pump(
        cycle=plan.cycle(settles=plan.guarantee.transactional and not whole, whole=whole),
        source=source,
        target=target,
        transaction=transaction,
        interval=plan.interval(),
        limits=Limits(count=options.count, timeout=plan.timeout, whole_within=whole_within),
        signals=frame.signals,
        crash_at=plan.crash_at,
        progress=progress,
    )
    return Session(pump, lambda outcome: _tell(outcome, options, target, source, kept, pump), progress)


def _input(frame: Frame, options: Options, decoder: Decoder) -> Input:
    whole_records = frame.plan.guarantee.transactional and not options.allow_unterminated
    if options.cmd:
        cmd = CommandInput(options.cmd, revocable=frame.plan.guarantee.transactional)
        frame.closing.callback(cmd.stop)
        return Input(cmd.start(), options.cmd[0], decoder, frame.signals, whole_records, at_end=cmd.check)
    if options.file in (None, "-"):
        return Input(sys.stdin.fileno(), "stdin", decoder, frame.signals, whole_records)
    try:
        opened = frame.closing.enter_context(Path(str(options.file)).open("rb", buffering=0))  # noqa: SIM115  # closed with the frame
    except OSError as exc:
        raise UsageError(f"{options.file} cannot be read: {exc.strerror}.", "Check the path.") from exc
    return Input(opened.fileno(), str(options.file), decoder, frame.signals, whole_records)


def _topic(options: Options, frame: Frame, handle: Any) -> Any:
    """The cluster's metadata, with the topic: a broker that may make topics has made it by now; another one says so."""
    from kdg.kafka.client import reach
    from kdg.kafka.lookup import await_topic

    brokers = frame.plan.brokers
    metadata = reach(handle.producer, handle.watch, frame.deadline, brokers, options.topic)
    metadata = await_topic(handle.producer, metadata, options.topic, brokers, frame.deadline)
    partitions = len(metadata.topics[options.topic].partitions)
    if options.partition >= partitions:
        has = f"{options.topic} has no partition {options.partition}; it has {partitions}."
        raise Unreachable(has, "Choose -p from 0 up.")
    return metadata


def _transaction(frame: Frame, options: Options, handle: Any, source: Input, seconds: float) -> tuple[Any, bool]:
    """The transaction of the run, and whether it is to hold the whole input."""
    from kdg.core.ports import NoTransaction

    plan = frame.plan
    if not plan.guarantee.transactional:
        return NoTransaction(), False
    from kdg.kafka.transaction import KafkaTransaction

    transaction = KafkaTransaction(handle, frame.deadline, seconds)
    transaction.start()
    if options.resume is None:
        return transaction, True
    store = _resume_store(frame, options)
    transaction.group_metadata = store.group_metadata
    source.store = store
    mark = None if options.restart else store.load()
    if mark is not None:
        source.skip(mark)
        plan.note(
            f"--resume {options.resume}: {plural(mark.records, 'record')} ({mark.size} bytes) are committed; going on after them"
        )
    return transaction, False


def _resume_store(frame: Frame, options: Options) -> Any:
    from kdg.kafka.client import Watch
    from kdg.kafka.resume import ResumeStore
    from kdg.settings.resolve import Layer, plain, resolve

    group = f"kdg.produce.{options.resume}"
    given = {
        name: s.value for name, s in frame.plan.clients[Role.PRODUCER].items() if s.origin != frame.plan.guarantee.name
    }
    settings = plain(
        resolve(frame.plan.guarantee, Role.CONSUMER, "produce", [Layer("--resume", {"group.id": group} | given)])
    )
    watch = Watch(verbose=frame.plan.verbose)
    clients = frame.surroundings.clients
    store = ResumeStore(
        clients.consumer(settings, watch), clients.admin(settings, watch), group, options.topic, frame.deadline
    )
    frame.closing.callback(store.close)
    store.check()
    return store


def _tell(outcome: Outcome, options: Options, target: Any, source: Input, kept: UndeliveredFile, pump: Pump) -> None:
    """Fill in what happened; what was not acknowledged by now is given up."""
    plan = outcome.plan
    counts = pump.counts
    if not plan.guarantee.transactional:
        if outcome.error is not None:
            _flush_after(outcome.error, target)
        if outcome.error is not None and options.undelivered is not None:
            _keep_rest(source, kept)
        kept.close()
        counts.written = max(counts.written - (kept.count - kept.never_sent), 0)
        outcome.undelivered = kept.count
        if isinstance(outcome.error, StopNotReached | None):
            outcome.error = kept.error() or _timed_out(outcome.error)
    unconfirmed = plan.value(Role.PRODUCER, "acks") == "0"
    outcome.unconfirmed = counts.written if unconfirmed else 0
    outcome.what = _what(outcome, options, unconfirmed=unconfirmed)


def _flush_after(error: KdgError, target: Any) -> None:
    """An input that failed is no reason to drop what was read before; what cannot be sent in time is given up."""
    target.settle_seconds = AFTER_FAILURE_SECONDS
    try:
        target.flush()
    except KdgError as exc:
        target.give_up()
        error.hint = error.hint or str(exc)


def _timed_out(error: KdgError | None) -> KdgError | None:
    """The input was not at its end in time, although all that was read is delivered."""
    return None if error is None else Undelivered("the input was not at its end within --timeout; all that was read is delivered.", "Raise --timeout.")  # fmt: skip


def _what(outcome: Outcome, options: Options, *, unconfirmed: bool) -> str:
    sent = plural(outcome.counts.written, "record")
    if outcome.plan.guarantee.transactional:
        return f"{sent} to {options.topic}{transactions_text(outcome.counts)}"
    if unconfirmed:
        return f"{sent} sent to {options.topic}, unconfirmed"
    by = "the leader alone" if outcome.plan.value(Role.PRODUCER, "acks") == "1" else "all in-sync replicas"
    lost = f", {outcome.undelivered} undelivered" if outcome.undelivered else ""
    return f"{sent} to {options.topic}, acknowledged by {by}{lost}"
