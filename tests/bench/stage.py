"""Owns the stage of a benchmark: the cluster, input files, filled topics, new names, and the Java loop."""

from __future__ import annotations

import base64
import random
import subprocess
import sys
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from kdg.kafka.admin import make_topics
from kdg.sandbox import Sandbox
from tests.support.java import java
from tests.support.waiting import answered

KDG = str(Path(sys.executable).with_name("kdg"))
LOOP = Path(__file__).with_name("Loop.java")


@dataclass(slots=True)
class Stage:
    """A running sandbox and a folder. Files and filled topics are made when they are first needed, and kept."""

    sandbox: Sandbox
    folder: Path
    _names: count[int] = field(default_factory=count)
    _filled: dict[tuple[int, int, int], str] = field(default_factory=dict)
    _reader: Consumer | None = None

    @property
    def bootstrap(self) -> str:
        """The sandbox's address."""
        return self.sandbox.bootstrap

    @property
    def out(self) -> Path:
        """The file for a program's output."""
        return self.folder / "out"

    def name(self) -> str:
        """A new name, for a topic or a group."""
        return f"bench-{next(self._names)}"

    def fresh(self, partitions: int = 1) -> str:
        """A new, empty topic."""
        name = self.name()
        make_topics(self.bootstrap, [(name, partitions)])
        return name

    def drop(self, topic: str) -> None:
        """Delete a topic, so that the disk does not fill up."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 4})
        admin.delete_topics([topic])[topic].result(60)

    def lines(self, records: int, size: int = 100) -> Path:
        """A file of so many lines. A line is a number and random text, `size` bytes, and a newline."""
        path = self.folder / f"{records}x{size}"
        if not path.exists():
            noise = base64.b64encode(random.Random(1).randbytes(1 << 20))  # noqa: S311  # reproducible, no secret
            width = size - 11
            # Written piece by piece: a child process inherits the largest resident memory of this process (exec keeps
            # it).
            with path.open("wb") as file:
                file.writelines(b"%010d %b\n" % (n, _cut(noise, n * 7919, width)) for n in range(records))
        return path

    def filled(self, records: int, partitions: int = 1, size: int = 100) -> str:
        """A topic that holds the lines of such a file."""
        key = (records, partitions, size)
        if key not in self._filled:
            topic = self.fresh(partitions)
            argv = [KDG, "produce", topic, str(self.lines(records, size)), "-b", self.bootstrap, "-q"]
            subprocess.run(argv, check=True)
            self._filled[key] = topic
        return self._filled[key]

    def count(self, topic: str) -> int:
        """How many offsets a read_committed reader may see: the records, and the transaction markers."""
        return answered(lambda: self._ends(topic))

    def _ends(self, topic: str) -> int:
        if self._reader is None:
            settings = {
                "bootstrap.servers": self.bootstrap,
                "group.id": "none",
                "isolation.level": "read_committed",
            }
            self._reader = Consumer(settings)
        reader = self._reader
        partitions = reader.list_topics(topic, timeout=30).topics[topic].partitions
        return sum(reader.get_watermark_offsets(TopicPartition(topic, p), timeout=30)[1] for p in partitions)

    def loop(self, *arguments: str) -> list[str]:
        """The command line of the Java loop (Loop.java), compiled if necessary."""
        return java(LOOP, self.bootstrap, *arguments)


def _cut(noise: bytes, start: int, width: int) -> bytes:
    start %= len(noise) - width
    return noise[start : start + width]
