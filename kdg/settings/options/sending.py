"""Owns the options of commands that write to Kafka: who this is, how bytes become records, where records are sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from kdg.core.guarantees import AT_LEAST_ONCE, EXACTLY_ONCE
from kdg.settings.options.common import (
    Acks,
    Compression,
    Delimiter,
    KeyDelimiter,
    KeyEncoding,
    TransactionalId,
    ValueEncoding,
)
from kdg.settings.options.option import Option


@dataclass(frozen=True, slots=True)
class Delivery:
    """The options of produce: who this is, and what happens to records that are not delivered."""

    acks: Acks = None
    resume: Annotated[
        str | None,
        Option(
            "--resume",
            "NAME",
            "send in transactions that also store the position in the input. A run with the same NAME goes on there.",
            only_under=(EXACTLY_ONCE,),
        ),
    ] = None
    restart: Annotated[
        bool,
        Option(
            "--restart",
            "",
            "forget the position of --resume NAME, and start at the beginning of the input.",
            only_under=(EXACTLY_ONCE,),
        ),
    ] = False
    transactional_id: TransactionalId = None
    undelivered: Annotated[
        str | None,
        Option(
            "--undelivered",
            "FILE",
            "add to FILE the records that may not be in the topic; the message has the command that sends them again.",
            only_under=(AT_LEAST_ONCE,),
        ),
    ] = None
    allow_unterminated: Annotated[
        bool,
        Option(
            "--allow-unterminated",
            "",
            "accept a last record that has no delimiter after it, although it may be cut off.",
            only_under=(EXACTLY_ONCE,),
        ),
    ] = False


@dataclass(frozen=True, slots=True)
class InputFraming:
    """The options of produce: how bytes become records."""

    delimiter: Delimiter = r"\n"
    key_delimiter: KeyDelimiter = None
    key: Annotated[
        str | None,
        Option(
            "-k --key",
            "KEY",
            'Give every record this key; -k "" is an empty key, which is not null.',
            empty="a key of no bytes: a record may have one, and only -k gives a line one without changing the lines",
        ),
    ] = None
    header: Annotated[
        list[str] | None,
        Option("-H --header", "NAME=VALUE", "Give every record this header; may be repeated."),
    ] = None
    null: Annotated[
        bool,
        Option("-Z --null", "", "An empty key or value becomes null. A record with a null value is a tombstone."),
    ] = False
    json: Annotated[
        bool,
        Option("-J --json", "", "Each record is a JSON object with key, value, headers and timestamp, all optional."),
    ] = False
    key_encoding: KeyEncoding = "utf8"
    value_encoding: ValueEncoding = "utf8"


@dataclass(frozen=True, slots=True)
class Placing:
    """The options of produce: which partition, how compressed, how many."""

    partition: Annotated[
        int | None,
        Option("-p --partition", "N", "Send all records to this partition.", least=0),
    ] = None
    keep_partition: Annotated[
        bool,
        Option("--keep-partition", "", "With -J: send each record to the partition that it names."),
    ] = False
    partitioner: Annotated[
        str | None,
        Option(
            "--partitioner",
            "NAME",
            "How a key selects a partition (default: murmur2_random, as in Java clients).",
            sets="partitioner",
        ),
    ] = None
    compression: Compression = None
    count: Annotated[
        int | None,
        Option("-c --count", "N", "Stop after N records.", least=1),
    ] = None


@dataclass(frozen=True, slots=True)
class Copying:
    """The options of pipe: who this is, and how records are sent on."""

    transactional_id: TransactionalId = None
    acks: Acks = None
    compression: Compression = None
    keep_partition: Annotated[
        bool,
        Option("--keep-partition", "", "Send each record to the partition that it came from."),
    ] = False


@dataclass(frozen=True, slots=True)
class Filtering:
    """The options of pipe: what CMD reads and writes, and how it may end."""

    lines: Annotated[
        bool,
        Option(
            "--lines", "", "CMD reads and writes bare values, one a line; keys, headers and timestamps are dropped."
        ),
    ] = False
    ok_exit: Annotated[
        str | None,
        Option("--ok-exit", "N,...", "The exit statuses of CMD that count as success (default: 0)."),
    ] = None
