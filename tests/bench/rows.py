"""Owns the table of the comparisons. A row has kdg, its peer, and the limit that kdg is held to."""

from __future__ import annotations

from dataclasses import dataclass

from .sides import (
    QUEUES,
    Side,
    bare_produce,
    console_consume,
    console_produce,
    consume,
    import_typer,
    java_loop,
    kcat_consume,
    kcat_produce,
    kdg,
    pipe,
    produce,
)


@dataclass(frozen=True, slots=True)
class Row:
    """kdg beside a peer.

    bar: the longest time that kdg may take, as a multiple of the peer's time. seconds: the same in seconds; a row has
    one of the two. records: how many are copied. quick: how many under `make bench-quick`, if fewer.
    """

    name: str
    ours: Side
    peer: str
    theirs: Side
    records: int = 1_000_000
    bar: float | None = None
    seconds: float | None = None
    quick: int | None = None


ROWS = (
    Row(
        "produce",
        produce(),
        "kcat -X enable.idempotence=true",
        kcat_produce("-X", "enable.idempotence=true"),
        bar=1.25,
    ),
    Row(
        "produce",
        produce(),
        "bare confluent-kafka loop",
        bare_produce,
        bar=1.25,
    ),
    Row(
        "produce, at most once",
        produce("-g", "at-most-once"),
        "kcat -X acks=0",
        kcat_produce("-X", "acks=0"),
        bar=1.5,
    ),
    Row(
        "consume",
        consume("-e"),
        "kcat -C",
        kcat_consume(),
        bar=0.8,
    ),
    Row(
        "consume, large queues",
        consume("-e"),
        "kcat -C with large queues",
        kcat_consume(*QUEUES),
        bar=1.4,
    ),
    Row(
        "consume -J",
        consume("-J", "-e", bytes_each=0),
        "kcat -C -J",
        kcat_consume("-J", bytes_each=0),
        bar=0.7,
        quick=300_000,
    ),
    Row(
        "pipe exactly once, 500 a transaction",
        pipe(500),
        "Java loop",
        java_loop(500),
        bar=0.7,
        quick=100_000,
    ),
    Row(
        "pipe exactly once, 10,000",
        pipe(10_000),
        "Java loop",
        java_loop(10_000),
        bar=0.6,
        quick=300_000,
    ),
    Row(
        "pipe exactly once, 100,000",
        pipe(100_000),
        "Java loop",
        java_loop(100_000),
        bar=0.5,
        quick=300_000,
    ),
    Row(
        "produce",
        produce(),
        "kafka-console-producer",
        console_produce,
        bar=1 / 3,
        quick=300_000,
    ),
    Row(
        "consume",
        consume("-e"),
        "kafka-console-consumer",
        console_consume(),
        bar=1 / 3,
        quick=300_000,
    ),
    Row(
        "explain exactly-once",
        kdg("explain", "exactly-once"),
        "import typer",
        import_typer,
        records=0,
        seconds=0.25,
    ),
    Row(
        "--help",
        kdg("--help"),
        "import typer",
        import_typer,
        records=0,
        seconds=0.25,
    ),
    Row(
        "one record in",
        produce(),
        "kafka-console-producer",
        console_produce,
        records=1,
        seconds=0.45,
    ),
    Row(
        "one record in, exactly once",
        produce("-g", "exactly-once"),
        "kafka-console-producer",
        console_produce,
        records=1,
        seconds=0.8,
    ),
    Row(
        "one record out of a new group",
        consume("-c", "1", group=True, fill=1000),
        "kafka-console-consumer",
        console_consume(fill=1000),
        records=1,
        seconds=0.75,
    ),
)
"""The comparisons, in the order in which they are run and shown."""
