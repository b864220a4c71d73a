"""Owns `--output FILE` under exactly-once: the file, and beside it a journal that says how much of it counts, and up to where.

FILE.kdg is one line of JSON: format, cluster, topics (id, and the next offset of each partition), length. A transaction is:
write, fsync, replace the journal atomically, fsync the folder. What lies behind the journal's length never took effect and is cut
off at the next start; readers may trust the length, or all of the file after exit 0.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kdg.core.records import Batch, Offsets, Origin, Position, TopicPartition
from kdg.errors import UsageError
from kdg.formats import Encoder
from kdg.sinks.file import JOURNAL, is_regular, open_locked, unwritable, write_all
from kdg.sinks.same_topics import refuse_other_topics

FORMAT = "kdg.file/1"


@dataclass(slots=True)
class JournaledFile:
    """A Sink: a Target and its Transaction in one file."""

    path: Path
    encoder: Encoder
    _descriptor: int = field(default=-1)
    _length: int = 0
    _cluster: str = ""
    _ids: dict[str, str] = field(default_factory=dict)
    _positions: dict[TopicPartition, int] = field(default_factory=dict)
    _recorded: dict[TopicPartition, int] = field(default_factory=dict)

    @property
    def journal(self) -> Path:
        """Where the journal is."""
        return self.path.with_name(self.path.name + JOURNAL)

    def open(self, origin: Origin) -> None:
        """See PositionStore. Raises Fenced while another process writes the file, UsageError for one that is not this journal's."""
        self._descriptor = open_locked(self.path)
        if not is_regular(self._descriptor):
            raise UsageError(
                f"--output {self.path} is no regular file, and exactly-once has to cut it back after a crash.",
                "Name a file, or choose -g at-least-once.",
            )
        size = os.fstat(self._descriptor).st_size
        if self.journal.exists():
            self._load(size)
            refuse_other_topics(f"--output {self.path}", Origin(self._cluster, self._ids), origin)
        elif size:
            raise UsageError(
                f"--output {self.path} is not empty and has no journal {self.journal.name}: nobody knows which records are in it.",
                "Choose a new file.",
            )
        self._cluster = origin.cluster
        self._ids.update(origin.topics)
        self._cut()

    def _load(self, size: int) -> None:
        stored = self._parse()
        self._cluster, self._length = stored["cluster"], stored["length"]
        for topic, known in stored["topics"].items():
            self._ids[topic] = known["id"]
            self._positions.update({(topic, int(p)): offset for p, offset in known["positions"].items()})
        if size < self._length:
            raise UsageError(
                f"--output {self.path} has {size} bytes, and {self.journal.name} counts on {self._length}: it was changed by something else.",
                "Choose a new file; with both of them gone it begins anew.",
            )

    def _parse(self) -> Any:
        try:
            stored = json.loads(self.journal.read_text(encoding="utf-8"))
            if stored["format"] == FORMAT and {"cluster", "topics", "length"} <= stored.keys():
                return stored
        except OSError as exc:
            raise UsageError(f"{self.journal} cannot be read: {exc.strerror}.", "Check its rights.") from exc
        except (ValueError, KeyError, TypeError):
            pass
        raise UsageError(f"{self.journal} is no journal that this kdg wrote.", "Choose another file.")

    def stored(self) -> Offsets:
        """See PositionStore."""
        return self._positions

    def keep(self, positions: Sequence[Position]) -> None:
        """See PositionStore."""
        self.begin()
        self.record(positions)
        self.commit()

    # ── the target ──

    def write(self, batch: Batch) -> None:
        """See Target. Raises KdgError for a full disk and the like."""
        try:
            write_all(self._descriptor, self.encoder.encode(batch))
        except OSError as exc:
            raise unwritable(self.path, exc) from exc

    def flush(self) -> None:
        """See Target: the data are on the disk before the journal counts on them."""
        try:
            os.fsync(self._descriptor)
        except OSError as exc:
            raise unwritable(self.path, exc) from exc

    def close(self) -> None:
        """The lock goes with it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    # ── the transaction ──

    def begin(self) -> None:
        """See Transaction."""
        self._recorded = {}

    def record(self, positions: Sequence[Position]) -> None:
        """See Transaction."""
        self._recorded.update({(p.topic, p.partition): p.offset for p in positions})

    def commit(self) -> None:
        """See Transaction: from the moment that the journal is replaced, the records count."""
        length = os.fstat(self._descriptor).st_size
        positions = {**self._positions, **self._recorded}
        try:
            self._replace_journal(self._line(positions, length))
        except OSError as exc:
            raise unwritable(self.path, exc) from exc
        self._length, self._positions, self._recorded = length, positions, {}

    def _line(self, positions: Offsets, length: int) -> str:
        topics: dict[str, dict[str, Any]] = {
            topic: {"id": topic_id, "positions": {}} for topic, topic_id in self._ids.items()
        }
        for (topic, partition), offset in sorted(positions.items()):
            topics[topic]["positions"][str(partition)] = offset
        line: Mapping[str, Any] = {
            "format": FORMAT,
            "cluster": self._cluster,
            "topics": topics,
            "length": length,
        }
        return json.dumps(line) + "\n"

    def _replace_journal(self, line: str) -> None:
        new = self.journal.with_name(self.journal.name + ".new")
        with new.open("w", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.journal)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def abort(self) -> None:
        """See Transaction: what does not count is cut off. The journal on the disk tells, whatever became of a commit that failed."""
        self._recorded = {}
        if self.journal.exists():
            self._load(os.fstat(self._descriptor).st_size)
        self._cut()

    def recycle(self) -> None:
        """See Transaction."""
        self.abort()

    def _cut(self) -> None:
        try:
            os.ftruncate(self._descriptor, self._length)
        except OSError as exc:
            raise unwritable(self.path, exc) from exc
