"""Owns the options of commands that read Kafka: where to start and stop, and for consume where records go, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from kdg.core.guarantees import AT_LEAST_ONCE, DEDUP_TTL
from kdg.settings.options.common import Delimiter, KeyDelimiter, KeyEncoding, ValueEncoding
from kdg.settings.options.option import Option


@dataclass(frozen=True, slots=True)
class Reading:
    """The options of consume and pipe: where to start, when to stop."""

    group: Annotated[
        str | None,
        Option(
            "-G --group",
            "GROUP",
            "The consumer group. Reading goes on at its position, and moves it. Default: KDG_GROUP.",
            sets="group.id",
            completes="groups",
        ),
    ] = None
    offset: Annotated[
        str | None,
        Option(
            "-o --offset",
            "WHERE",
            "Where to start if there is no position yet: beginning (default), end, N, -N (N before the end), s@TIME "
            "(as --until; s@-1h is an hour ago).",
        ),
    ] = None
    count: Annotated[
        int | None,
        Option("-c --count", "N", "Stop after exactly N records.", least=1),
    ] = None
    exit_at_end: Annotated[
        bool,
        Option("-e --exit-at-end", "", "Stop at the ends that the partitions have when the run starts."),
    ] = False
    until: Annotated[
        str | None,
        Option(
            "--until",
            "TIME",
            "In each partition, stop before the first record of this time or later: ISO 8601, milliseconds since 1970, "
            "now, or relative to now, such as -1h or +10m.",
        ),
    ] = None
    idle_timeout: Annotated[
        str | None,
        Option("--idle-timeout", "DURATION", "Stop when no record has come for this long."),
    ] = None


@dataclass(frozen=True, slots=True)
class PartitionReading(Reading):
    """The options of consume: those of every reader, and which partitions."""

    partition: Annotated[
        list[int] | None,
        Option("-p --partition", "N", "Read only this partition; may be repeated.", least=0),
    ] = None


@dataclass(frozen=True, slots=True)
class Deduplication:
    """The options of consume and pipe for at-least-once without the duplicates."""

    dedup_by: Annotated[
        str | None,
        Option(
            "--dedup-by",
            "WHAT",
            "drop a record that was written before: the same position (read again), or the same key, value or "
            "header:NAME (sent again). A record without that key or header is kept.",
            only_under=(AT_LEAST_ONCE,),
        ),
    ] = None
    dedup_store: Annotated[
        str | None,
        Option(
            "--dedup-store",
            "FILE",
            "remember across runs what was written, in this SQLite file.",
            only_under=(AT_LEAST_ONCE,),
        ),
    ] = None
    dedup_ttl: Annotated[
        str | None,
        Option(
            "--dedup-ttl",
            "DURATION",
            f"how long a key, a value or a header is remembered (default: {DEDUP_TTL}).",
            only_under=(AT_LEAST_ONCE,),
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class Output:
    """The options of consume: where records go."""

    output: Annotated[
        str | None,
        Option(
            "--output",
            "FILE",
            "Append to FILE instead of stdout. Under exactly-once the positions are in its journal, FILE.kdg.",
        ),
    ] = None
    sqlite: Annotated[
        str | None,
        Option(
            "--sqlite",
            "FILE",
            "Insert into a table of this SQLite database: topic, partition, offset, timestamp, key, value, headers.",
        ),
    ] = None
    table: Annotated[
        str | None,
        Option("--table", "NAME", "The table that --sqlite inserts into (default: records)."),
    ] = None
    retry: Annotated[
        int | None,
        Option(
            "--retry",
            "N",
            "if CMD fails, give it the batch again, up to N times, after growing pauses.",
            only_under=(AT_LEAST_ONCE,),
            least=0,
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class OutputFraming:
    """The options of consume: how records become bytes."""

    delimiter: Delimiter = r"\n"
    key_delimiter: KeyDelimiter = None
    json: Annotated[
        bool,
        Option(
            "-J --json",
            "",
            "Print a record as a JSON object: topic, partition, offset, timestamp, key, value, headers.",
        ),
    ] = False
    format_: Annotated[
        str | None,
        Option(
            "-f --format", "FORMAT", r"Print a record with kcat's tokens: %s %S %R %k %K %T %h %t %p %o, \n \t \0 \xHH."
        ),
    ] = None
    null: Annotated[
        bool,
        Option("-Z --null", "", "Print a null key or value as NULL."),
    ] = False
    key_encoding: KeyEncoding = "utf8"
    value_encoding: ValueEncoding = "utf8"
