"""`kdg produce`: lines or JSON from stdin, a file or a command into a topic."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from kdg.cli import completion
from kdg.cli.durability import check_cluster
from kdg.cli.options import Acks, Common, Compression, Delimiter, Encoding, Json, KeyDelimiter, TransactionalId, command
from kdg.cli.plan import Plan, plan_of
from kdg.cli.progress import of_file, progress_of
from kdg.cli.report import Outcome, plural, transactions_text
from kdg.cli.run import Frame, Session, execute
from kdg.cli.undelivered import UndeliveredFile
from kdg.command import CommandInput
from kdg.errors import KdgError, StopNotReached, Undelivered, Unreachable, UsageError
from kdg.formats import Decoder
from kdg.guarantees import Role
from kdg.inputs import Input
from kdg.pump import Limits, Pump

AT_ONCE = 10_000
"""Records handed over at once where an input has no position, so that a smaller batch would settle nothing sooner."""
TRANSACTION_MARGIN = 0.9
"""The part of transaction.timeout.ms in which the input must be at its end; the rest is for flush and commit."""

AFTER_FAILURE_SECONDS = 30.0
"""How long a run that failed still waits for the acknowledgement of what it sent before."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was typed for produce alone."""

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


def register(app: typer.Typer) -> None:
    """Add the command to the application."""

    @command(app, "produce", takes_command=True)
    def produce(
        topic: Annotated[str, typer.Argument(metavar="TOPIC", autocompletion=completion.topics)],
        file: Annotated[str | None, typer.Argument(metavar="[FILE] [-- CMD...]", show_default=False)] = None,
        *,
        cmd: tuple[str, ...],
        common: Common,
        acks: Acks = None,
        resume: Annotated[str | None, typer.Option("--resume", metavar="NAME", help="exactly-once: transactions that carry the input's position; run again with the same NAME, it goes on.")] = None,
        restart: Annotated[bool, typer.Option("--restart", help="exactly-once: forget the position of --resume NAME and begin anew.")] = False,
        transactional_id: TransactionalId = None,
        undelivered: Annotated[str | None, typer.Option("--undelivered", metavar="FILE", help="at-least-once: keep the records that are not known to be in the topic, so that `kdg produce TOPIC FILE` sends them again.")] = None,
        allow_unterminated: Annotated[bool, typer.Option("--allow-unterminated", help="exactly-once: take a last record without its delimiter; it may be cut off.")] = False,
        delimiter: Delimiter = r"\n",
        key_delimiter: KeyDelimiter = None,
        key: Annotated[str | None, typer.Option("--key", "-k", metavar="KEY", help="The key of every record.")] = None,
        header: Annotated[list[str] | None, typer.Option("--header", "-H", metavar="NAME=VALUE", help="A header of every record; may be repeated.")] = None,
        null: Annotated[bool, typer.Option("--null", "-Z", help="An empty key or value becomes null (a tombstone).")] = False,
        json: Json = False,
        key_encoding: Encoding = "utf8",
        value_encoding: Encoding = "utf8",
        partition: Annotated[int | None, typer.Option("--partition", "-p", metavar="N", min=0, help="Send all records to this partition.")] = None,
        keep_partition: Annotated[bool, typer.Option("--keep-partition", help="With -J: send each record to the partition it names.")] = False,
        partitioner: Annotated[str | None, typer.Option("--partitioner", metavar="NAME", help="How keys become partitions (murmur2_random, as Java clients do).")] = None,
        compression: Compression = None,
        count: Annotated[int | None, typer.Option("--count", "-c", metavar="N", min=1, help="Stop after N records.")] = None,
    ) -> None:  # fmt: skip
        """Send records to TOPIC from FILE (stdin when absent or -), or from the output of CMD.

        at-most-once: each record is sent once and nothing is waited for. at-least-once: a record counts when it is acknowledged;
        what failed is named, exit 3. exactly-once: the whole input is one transaction; with --resume NAME, transactions that
        carry the input's position, safe to stop and run again at any moment.
        """
        typed = {"--acks": acks, "--resume": resume, "--restart": restart, "--transactional-id": transactional_id, "--undelivered": undelivered, "--allow-unterminated": allow_unterminated}  # fmt: skip
        flags = {
            "acks": checked_acks(acks),
            "transactional.id": transactional_id,
            "partitioner": partitioner,
            "compression.type": compression,
        }
        plan = plan_of(common, "produce", flags, [Role.PRODUCER], [flag for flag, value in typed.items() if value])
        options = Options(topic, file, cmd, resume, restart, undelivered, allow_unterminated, -1 if partition is None else partition, keep_partition, count)  # fmt: skip
        plan = _identified(plan, options, common)
        decoder = _decoder(
            json, delimiter, key_delimiter, key, header, null, keep_partition, key_encoding, value_encoding
        )
        raise typer.Exit(run(plan, options, decoder))


def checked_acks(text: str | None) -> str | None:
    """What `--acks` was given. Raises UsageError."""
    if text is not None and text not in ("all", "leader"):
        raise UsageError(
            f"--acks {text!r} is neither all nor leader.", "Producing without acknowledgement is -g at-most-once."
        )
    return text


def _identified(plan: Plan, options: Options, common: Common) -> Plan:
    """The plan with its transactional id, where the guarantee has one. Raises UsageError for options that contradict."""
    if options.restart and options.resume is None:
        raise UsageError(
            "--restart says to forget a position, and there is none without --resume NAME.",
            "Add --resume NAME, or drop --restart.",
        )
    if options.cmd and options.file not in (None, "-"):
        raise UsageError(f"both FILE {options.file!r} and -- CMD are given.", "Records come from one of them.")
    if not plan.row.transactional:
        return replace(plan, batch_records=common.batch_records or AT_ONCE)
    if options.resume is None and (common.batch_records or common.batch_interval):
        flag = "--batch-records" if common.batch_records else "--batch-interval"
        raise UsageError(
            f"{flag} means nothing here: the whole input is one transaction.",
            "Add --resume NAME for transactions of batch size, or drop it.",
        )
    import secrets

    from kdg.settings import Resolved

    settings = dict(plan.clients[Role.PRODUCER])
    if "transactional.id" not in settings:
        name = f"kdg.produce.{options.resume or secrets.token_hex(8)}"
        settings["transactional.id"] = Resolved(
            "transactional.id", name, plan.row.name, "one, unique: fences an older instance and finishes what it left"
        )
    if not settings["transactional.id"].value:
        raise UsageError("transactional.id is empty.", "Give --transactional-id a name, or leave it out.")
    return replace(plan, clients={**plan.clients, Role.PRODUCER: settings})  # fmt: skip


def _decoder(json: bool, delimiter: str, key_delimiter: str | None, key: str | None, headers: list[str] | None, null: bool, keep_partition: bool, key_encoding: str, value_encoding: str) -> Decoder:  # one call, right above  # fmt: skip
    from kdg.formats.template import parse_delimiter

    between = parse_delimiter(delimiter, "-D")
    pairs = [_header(text) for text in headers or []] or None
    fixed = None if key is None else key.encode("utf-8", "surrogateescape")
    if keep_partition and not json:
        raise UsageError("--keep-partition needs -J: lines name no partition.", "Add -J, or use -p.")
    if json:
        from kdg.formats.json import JsonDecoder

        if key_delimiter is not None:
            raise UsageError("-K means nothing with -J: the key is a field of its own.", "Drop -K.")
        return JsonDecoder(
            between,
            key=fixed,
            headers=pairs,
            keep_partition=keep_partition,
            key_encoding=key_encoding,
            value_encoding=value_encoding,
        )
    from kdg.formats.lines import LineDecoder

    if fixed is not None and key_delimiter is not None:
        raise UsageError("-k gives every record one key, and -K reads it from each line.", "Drop one of them.")
    between_key = None if key_delimiter is None else parse_delimiter(key_delimiter, "-K")
    return LineDecoder(between, between_key, key=fixed, headers=pairs, empty_is_null=null, key_encoding=key_encoding, value_encoding=value_encoding)  # fmt: skip


def _header(text: str) -> tuple[str, bytes | None]:
    name, equals, value = text.partition("=")
    if not name:
        raise UsageError(f"-H {text!r} has no name.", "Write -H NAME=VALUE.")
    return name, value.encode("utf-8", "surrogateescape") if equals else None


def run(plan: Plan, options: Options, decoder: Decoder) -> int:
    """Open, pump, conclude."""
    kept = UndeliveredFile(decoder, options.undelivered)
    source: list[Input] = []

    def open_session(frame: Frame) -> Session:
        return _open(frame, options, decoder, kept, source)

    def nothing_sent(outcome: Outcome) -> None:
        """No broker was reached: the whole input is undelivered."""
        if source and isinstance(outcome.error, Unreachable) and options.undelivered is not None:
            _keep_rest(source[0], kept)
            kept.close()
            outcome.undelivered = kept.count
            outcome.error.hint += f" The {plural(kept.count, 'record')} of the input are in {options.undelivered}."

    return execute(plan, open_session, nothing_sent)


def _keep_rest(source: Input, kept: UndeliveredFile) -> None:
    for records in source.drain():
        kept.keep_unsent(records)


def _open(frame: Frame, options: Options, decoder: Decoder, kept: UndeliveredFile, opened: list[Input]) -> Session:
    plan = frame.plan
    source = _input(frame, options, decoder)
    opened.append(source)
    kept.open(options.file)

    from kdg.kafka.target import KafkaTarget, ProducerHandle, abort_on_failure

    handle = ProducerHandle(plan.settings(Role.PRODUCER), verbose=plan.verbose)
    metadata = _topic(options, frame, handle)
    check_cluster(frame, Role.PRODUCER, metadata, [options.topic])
    on_failure = abort_on_failure if plan.row.transactional else kept
    seconds = float(plan.value(Role.PRODUCER, "transaction.timeout.ms") or 60_000) / 1000
    target = KafkaTarget(handle, options.topic, frame.patience, on_failure, options.partition, options.keep_partition, len(metadata.topics[options.topic].partitions), settle_seconds=seconds if plan.row.transactional else None)  # fmt: skip
    frame.closing.callback(target.close)
    transaction, whole = _transaction(frame, options, handle, source, seconds)
    whole_within = seconds * TRANSACTION_MARGIN if whole else None
    way = of_file(source.descriptor)
    progress = progress_of(plan, way, ends=way() is not None)
    pump = Pump(
        cycle=plan.cycle(settles=plan.row.transactional and not whole, whole=whole),
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
    whole_records = frame.plan.row.transactional and not options.allow_unterminated
    if options.cmd:
        cmd = CommandInput(options.cmd, revocable=frame.plan.row.transactional)
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
    metadata = reach(handle.producer, handle.watch, frame.patience, brokers, options.topic)
    metadata = await_topic(handle.producer, metadata, options.topic, brokers, frame.patience)
    partitions = len(metadata.topics[options.topic].partitions)
    if options.partition >= partitions:
        has = f"{options.topic} has no partition {options.partition}; it has {partitions}."
        raise Unreachable(has, "Choose -p from 0 up.")
    return metadata


def _transaction(frame: Frame, options: Options, handle: Any, source: Input, seconds: float) -> tuple[Any, bool]:
    """The transaction of the run, and whether it is to hold the whole input."""
    from kdg.ports import NoTransaction

    plan = frame.plan
    if not plan.row.transactional:
        return NoTransaction(), False
    from kdg.kafka.transaction import KafkaTransaction

    transaction = KafkaTransaction(handle, frame.patience, seconds)
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
    from kdg.kafka.client import Watch, make_admin, make_consumer
    from kdg.kafka.resume import ResumeStore
    from kdg.settings import Layer, plain, resolve

    group = f"kdg.produce.{options.resume}"
    given = {name: s.value for name, s in frame.plan.clients[Role.PRODUCER].items() if s.origin != frame.plan.row.name}
    settings = plain(
        resolve(frame.plan.row, Role.CONSUMER, "produce", [Layer("--resume", {"group.id": group} | given)])
    )
    watch = Watch(verbose=frame.plan.verbose)
    consumer = make_consumer(settings, watch)
    store = ResumeStore(consumer, make_admin(settings, watch), group, options.topic, frame.patience)
    frame.closing.callback(store.close)
    store.check()
    return store


def _tell(outcome: Outcome, options: Options, target: Any, source: Input, kept: UndeliveredFile, pump: Pump) -> None:
    """Fill in what happened; what was not acknowledged by now is given up."""
    plan = outcome.plan
    counts = pump.counts
    if not plan.row.transactional:
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
    if outcome.plan.row.transactional:
        return f"{sent} to {options.topic}{transactions_text(outcome.counts)}"
    if unconfirmed:
        return f"{sent} sent to {options.topic}, unconfirmed"
    by = "the leader alone" if outcome.plan.value(Role.PRODUCER, "acks") == "1" else "all in-sync replicas"
    lost = f", {outcome.undelivered} undelivered" if outcome.undelivered else ""
    return f"{sent} to {options.topic}, acknowledged by {by}{lost}"
