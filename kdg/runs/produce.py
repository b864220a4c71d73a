"""Owns the run of `kdg produce`: its options, the opening of its input, target and transaction, and its outcome."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from kdg.core.guarantees import Role
from kdg.core.ports import NoTransaction
from kdg.core.progress import Limits
from kdg.core.pump import Pump
from kdg.errors import Undelivered, Unreachable, UsageError
from kdg.formats import Decoder
from kdg.runs.again import command_again
from kdg.runs.cluster_check import check_cluster
from kdg.runs.framing import decoder_of
from kdg.runs.identity import with_id_of_producer
from kdg.runs.kafka_target import name_culprit, open_producer, open_target, open_transaction, transaction_seconds
from kdg.runs.plan import Plan, checked_acks, plan_of
from kdg.runs.progress import of_file, progress_line
from kdg.runs.report import Outcome, transactions_text
from kdg.runs.resume import open_resume_store
from kdg.runs.session import Frame, Session, execute
from kdg.runs.undelivered import keep_whole_input, settle_undelivered
from kdg.runtime.opening import open_noticing
from kdg.settings.options.common import Common
from kdg.settings.options.sending import Delivery, InputFraming, Placing
from kdg.sinks.undelivered import UndeliveredFile
from kdg.sources.command import CommandInput
from kdg.sources.descriptor import LONGEST_RECORD, Input
from kdg.text.words import plural

if TYPE_CHECKING:
    from kdg.kafka.producer import ProducerHandle
    from kdg.kafka.target import KafkaTarget
    from kdg.kafka.transaction import KafkaTransaction

AT_ONCE = 10_000
"""Records in a batch if the input has no position: then a smaller batch would settle nothing sooner."""
LONGEST_AS_TEXT = 6
"""How many bytes of the input a byte of a record can take: JSON writes a control character as \\u0001."""
TRANSACTION_MARGIN = 0.9
"""The part of transaction.timeout.ms in which the input must be at its end; the rest is for flush and commit."""


@dataclass(frozen=True, slots=True)
class Options:
    """What produce is to do, beyond its plan.

    partition: -1 where the partitioner chooses. again: the command that sends the records of --undelivered again.
    """

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
    again: str


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
        again=command_again(topic, delivery.undelivered or "FILE", [common, delivery, framing, placing]),
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
    """The plan with a transactional id if the guarantee has transactions.

    Raises UsageError for a batch size without use.
    """
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
    """Run produce and return its exit code."""
    return execute(plan, lambda frame: open_session(frame, options, decoder))


def open_session(frame: Frame, options: Options, decoder: Decoder) -> Session:
    """Open the input first, so that it can be kept as undelivered if no broker is reached."""
    source = _open_input(frame, options, decoder)
    undelivered = UndeliveredFile(decoder, options.undelivered, frame.plan.note, options.again)
    undelivered.open(options.file, frame.deadline)
    frame.closing.callback(undelivered.release)
    try:
        return _connect(frame, options, source, undelivered)
    except Unreachable as error:
        if frame.signals.received is None:
            keep_whole_input(frame, source, undelivered, error)
        raise


def _open_input(frame: Frame, options: Options, decoder: Decoder) -> Input:
    """The command's output, the file, or stdin."""
    transactional = frame.plan.guarantee.transactional
    # If the last record is cut off, a transaction can be aborted; without one, the other records are sent already.
    whole_records = transactional and not options.allow_unterminated
    largest = int(frame.plan.value(Role.PRODUCER, "message.max.bytes") or 0)
    longest = max(LONGEST_RECORD, LONGEST_AS_TEXT * largest)
    make = partial(Input, decoder=decoder, signals=frame.signals, whole_records=whole_records, longest=longest)
    if options.cmd:
        cmd = CommandInput(options.cmd, transactional, frame.deadline)
        frame.closing.callback(cmd.stop)
        return make(cmd.start(), options.cmd[0], at_end=cmd.check, while_idle=cmd.look)
    if options.file is None or options.file == "-":
        surroundings = frame.surroundings
        return make(surroundings.stdin(), "stdin", read_bytes=surroundings.read)
    try:
        descriptor = open_noticing(options.file, os.O_RDONLY, frame.deadline)
    except TimeoutError:
        raise Undelivered(
            f"{options.file} is a pipe into which nobody wrote within --timeout; nothing was sent.",
            "Start the program that writes into it, or raise --timeout.",
        ) from None
    except OSError as exc:
        raise UsageError(f"{options.file} cannot be read: {exc.strerror}.", "Check the path.") from exc
    frame.closing.callback(os.close, descriptor)
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        raise UsageError(f"{options.file} cannot be read: it is a folder.", "Check the path.")
    return make(descriptor, options.file)


def _connect(frame: Frame, options: Options, source: Input, undelivered: UndeliveredFile) -> Session:
    """Reach the brokers, and open the target and the transaction."""
    from kdg.kafka.undelivered_records import abort_on_undelivered

    plan = frame.plan
    handle = open_producer(frame)
    partitions = _find_topic(frame, options, handle)
    on_undelivered = abort_on_undelivered if plan.guarantee.transactional else undelivered
    target = open_target(
        frame,
        handle,
        options.topic,
        on_undelivered,
        partitions=partitions,
        partition=options.partition,
        keep_partition=options.keep_partition,
    )
    transaction = open_transaction(frame, handle, options.topic)
    if transaction is not None and options.resume is not None:
        _resume(frame, options.resume, options, source, transaction)
    # Without a position, the whole input is one transaction, or is not in a transaction at all.
    settles = transaction is not None and options.resume is not None
    whole = transaction is not None and options.resume is None
    how_far = of_file(source.descriptor)
    progress = progress_line(plan, how_far, ends=lambda: how_far() is not None)
    pump = Pump(
        cycle=plan.cycle(settles=settles, whole=whole),
        source=source,
        target=target,
        transaction=transaction or NoTransaction(),
        interval=plan.interval(),
        limits=Limits(
            count=options.count,
            timeout=plan.timeout,
            whole_within=transaction_seconds(plan) * TRANSACTION_MARGIN if whole else None,
        ),
        signals=frame.signals,
        crash_at=plan.crash_at,
        progress=progress,
        look=partial(_look, target, undelivered),
        clock=frame.surroundings.clock.monotonic,
    )
    undelivered.ending = lambda: pump.state.stop_reason is not None
    return Session(pump, partial(_describe, options, target, transaction, source, undelivered), progress)


def _look(target: KafkaTarget, undelivered: UndeliveredFile) -> bool:
    """While the input is waited for: see Pump.look. What was not delivered is said."""
    due = target.look()
    undelivered.say()
    return due


def _find_topic(frame: Frame, options: Options, handle: ProducerHandle) -> int:
    """The number of partitions of the topic. Raises Unreachable if there is no such topic or partition.

    A broker that creates topics on demand has created it when this returns.
    """
    from kdg.kafka.lookup import await_topic
    from kdg.kafka.reach import reach

    brokers = frame.plan.brokers
    metadata = reach(handle.producer, handle.watch, frame.deadline, brokers, options.topic)
    metadata = await_topic(handle.producer, metadata, options.topic, brokers, frame.deadline)
    partitions = len(metadata.topics[options.topic].partitions)
    if options.partition >= partitions:
        raise Unreachable(
            f"{options.topic} has no partition {options.partition}; it has {partitions}.", "Choose -p from 0 up."
        )
    handle.fit(check_cluster(frame, Role.PRODUCER, metadata, [options.topic]), options.topic)
    return partitions


def _resume(frame: Frame, name: str, options: Options, source: Input, transaction: KafkaTransaction) -> None:
    """Store the position of the input in each transaction, and go on after the position that is stored already."""
    store = open_resume_store(frame, name, options.topic)
    transaction.group_metadata = store.group_metadata
    source.store, source.resume = store, name
    position = None if options.restart else store.load()
    if position is None:
        return
    source.skip(position)
    frame.plan.note(
        f"--resume {name}: {plural(position.records, 'record')} ({position.size} bytes) are committed; "
        "going on after them"
    )


def _describe(
    options: Options,
    target: KafkaTarget,
    transaction: KafkaTransaction | None,
    source: Input,
    undelivered: UndeliveredFile,
    outcome: Outcome,
) -> None:
    """Complete the outcome, and give up the records that are not acknowledged by now."""
    name_culprit(outcome, target, transaction)
    if not outcome.plan.guarantee.transactional:
        settle_undelivered(target, source, undelivered, outcome)
    unconfirmed = outcome.plan.value(Role.PRODUCER, "acks") == "0"
    outcome.unconfirmed = outcome.counts.written if unconfirmed else 0  # hazard 6
    outcome.what = _summary(outcome, options, unconfirmed=unconfirmed)


def _summary(outcome: Outcome, options: Options, *, unconfirmed: bool) -> str:
    sent = plural(outcome.counts.written, "record")
    if outcome.plan.guarantee.transactional:
        return f"{sent} to {options.topic}{transactions_text(outcome.counts)}"
    counts = outcome.counts
    if outcome.error is not None and not (counts.written or counts.pending_written or outcome.undelivered):
        return f"nothing was sent to {options.topic}"
    if unconfirmed:
        return f"{sent} sent to {options.topic}, unconfirmed"
    by = "the leader alone" if outcome.plan.value(Role.PRODUCER, "acks") == "1" else "all in-sync replicas"
    undelivered = f", {outcome.undelivered} undelivered" if outcome.undelivered else ""
    return f"{sent} to {options.topic}, acknowledged by {by}{undelivered}"
