"""Owns the sides of the comparisons: how each program is run over so many records, and how its work is checked."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.peers.programs import CONSOLE_TOOLS, kcat
from tests.support.waiting import eventually

from .race import Run
from .stage import KDG, Stage

Side = Callable[[Stage, int], Run]
"""One side of a comparison: it gives the run of a program over so many records."""

BARE = Path(__file__).with_name("bare.py")


def holds(stage: Stage, topic: str, records: int) -> None:
    """Raises RuntimeError if the topic does not hold so many records."""
    found = 0

    def complete() -> bool:
        nonlocal found
        found = stage.count(topic)
        return found >= records

    # Without acknowledgements the broker may still be writing when the program has ended.
    eventually(complete, 10)
    # The count is of offsets, and transaction markers take offsets too: up to 2 % and a few more.
    if not records <= found <= records * 1.02 + 10:
        raise RuntimeError(f"{topic} holds {found} records, and {records} were sent")


def _wrote(stage: Stage, bytes_each: int, records: int) -> None:
    size = stage.out.stat().st_size
    if bytes_each and size != records * bytes_each:
        raise RuntimeError(f"{size} bytes came out, and {records} records of {bytes_each} bytes are in the topic")
    with stage.out.open("rb") as file:
        lines = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    if lines != records:
        raise RuntimeError(f"{lines} lines came out, and {records} records are in the topic")


def _into_a_topic(stage: Stage, argv: list[str], records: int, topic: str, size: int = 100) -> Run:
    check = partial(holds, stage, topic, records)
    return Run(argv, stdin=stage.lines(records, size), check=check, after=partial(stage.drop, topic))


def produce(*options: str, size: int = 100) -> Side:
    """`kdg produce TOPIC < FILE`."""

    def side(stage: Stage, records: int) -> Run:
        topic = stage.fresh()
        argv = [KDG, "produce", topic, "-b", stage.bootstrap, *options]
        return _into_a_topic(stage, argv, records, topic, size)

    return side


def kcat_produce(*options: str) -> Side:
    """`kcat -P -l FILE`."""

    def side(stage: Stage, records: int) -> Run:
        topic = stage.fresh()
        argv = [kcat(), "-b", stage.bootstrap, "-P", "-t", topic, *options, "-l", str(stage.lines(records))]
        return _into_a_topic(stage, argv, records, topic)

    return side


def bare_produce(stage: Stage, records: int) -> Run:
    """The bare loop of bare.py."""
    topic = stage.fresh()
    return _into_a_topic(stage, [sys.executable, str(BARE), stage.bootstrap, topic], records, topic)


def console_produce(stage: Stage, records: int) -> Run:
    """`kafka-console-producer < FILE`."""
    topic = stage.fresh()
    argv = stage.sandbox.tool(
        CONSOLE_TOOLS["kafka-console-producer"], "--bootstrap-server", stage.bootstrap, "--topic", topic
    )
    return _into_a_topic(stage, argv, records, topic)


def consume(*options: str, bytes_each: int = 101, group: bool = False, fill: int = 0) -> Side:
    """`kdg consume TOPIC > FILE`.

    bytes_each: the size of a record and its newline; 0 if another format is printed. fill: how many records are in the
    topic, if more than are read.
    """

    def side(stage: Stage, records: int) -> Run:
        named = ["-G", stage.name()] if group else []
        topic = stage.filled(fill or records, size=(bytes_each or 101) - 1)
        argv = [KDG, "consume", topic, "-b", stage.bootstrap, *named, *options]
        return Run(argv, stdout=stage.out, check=partial(_wrote, stage, bytes_each, records))

    return side


def kcat_consume(*options: str, bytes_each: int = 101) -> Side:
    """`kcat -C > FILE`."""

    def side(stage: Stage, records: int) -> Run:
        argv = [kcat(), "-b", stage.bootstrap, "-C", "-t", stage.filled(records), "-e", "-q", *options]
        return Run(argv, stdout=stage.out, check=partial(_wrote, stage, bytes_each, records))

    return side


def console_consume(fill: int = 0) -> Side:
    """`kafka-console-consumer --from-beginning > FILE`."""

    def side(stage: Stage, records: int) -> Run:
        options = ["--topic", stage.filled(fill or records), "--from-beginning", "--max-messages", str(records)]
        argv = stage.sandbox.tool(
            CONSOLE_TOOLS["kafka-console-consumer"],
            "--bootstrap-server",
            stage.bootstrap,
            "--group",
            stage.name(),
            *options,
        )
        return Run(argv, stdout=stage.out, check=partial(_wrote, stage, 101, records))

    return side


def pipe(a_transaction: int, partitions: int = 1, size: int = 100) -> Side:
    """`kdg pipe A B -g exactly-once -e`."""

    def side(stage: Stage, records: int) -> Run:
        target, source = stage.fresh(), stage.filled(records, partitions, size)
        settle = ["--batch-records", str(a_transaction), "--batch-interval", "1m"]
        group = ["-G", stage.name(), "-b", stage.bootstrap]
        argv = [KDG, "pipe", source, target, *group, "-g", "exactly-once", "-e", *settle]
        return Run(argv, check=partial(holds, stage, target, records), after=partial(stage.drop, target))

    return side


def java_loop(a_transaction: int) -> Side:
    """The Java loop of Loop.java."""

    def side(stage: Stage, records: int) -> Run:
        target, source = stage.fresh(), stage.filled(records)
        argv = stage.loop(source, target, stage.name(), str(a_transaction), str(records))
        return Run(argv, check=partial(holds, stage, target, records), after=partial(stage.drop, target))

    return side


def kdg(*arguments: str) -> Side:
    """A command that needs no broker."""
    return lambda _stage, _records: Run([KDG, *arguments])


def import_typer(_stage: Stage, _records: int) -> Run:
    """The least time that a Typer program can take."""
    return Run([sys.executable, "-c", "import typer"])


QUEUES = ("-X", "queued.min.messages=10000000", "-X", "queued.max.messages.kbytes=2000000")
