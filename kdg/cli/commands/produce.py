"""`kdg produce`: lines or JSON from stdin, a file or a command into a topic."""

from __future__ import annotations

from typing import Annotated

import typer

from kdg.cli import completion
from kdg.cli.options import Acks, Common, Compression, Delimiter, Encoding, Json, KeyDelimiter, TransactionalId, command
from kdg.core.guarantees import Role
from kdg.errors import UsageError
from kdg.formats import Decoder
from kdg.runs.plan import plan_of
from kdg.runs.produce import (
    Options,
    _identified,
    run,
)


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
