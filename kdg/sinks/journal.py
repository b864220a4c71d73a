"""Owns `--output FILE` under exactly-once: the file, and its journal FILE.kdg with the length and positions that count.

The journal is one line of JSON:

    {"format": "kdg.file/1", "cluster": ID, "topics": {NAME: {"id": ID, "positions": {PARTITION: NEXT}, "epochs":
    {PARTITION: EPOCH}}}, "length": N}

NEXT is the offset of the next record to read, EPOCH the leader epoch of this position if it is known, `length` the
bytes of the file that count. A transaction appends records, syncs the file, replaces the journal by an atomic rename,
and syncs the folder. Bytes after `length` were never committed: an abort, and the next start, cut them off. A reader
may use the first `length` bytes at any time, and the whole file after a run that ended with 0. Before the journal is
replaced, both paths have to name the files that this run has written, and the file has to have the length that it
should have. If not, the run ends before the commit.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kdg.core.records import Batch, Offsets, Origin, Position, TopicPartition
from kdg.errors import KdgError, UsageError
from kdg.formats import Encoder
from kdg.runtime.identity import Identity, identity, of_status
from kdg.sinks.kept_positions import KeptPositions, commit_alone, refuse_other_topics
from kdg.sinks.locked_file import LockedFile, journal_of

FORMAT = "kdg.file/1"


@dataclass(slots=True)
class JournaledFile:
    """A Sink: Target, Transaction and PositionStore in one file."""

    path: Path
    encoder: Encoder
    _file: LockedFile = field(init=False)
    _length: int = 0
    _journals: set[Identity | None] = field(default_factory=lambda: {None})
    """What the path of the journal may name: the journal that was read or written last; None for no file."""
    _positions: KeptPositions = field(default_factory=KeptPositions)

    def __post_init__(self) -> None:
        self._file = LockedFile(self.path)

    @property
    def journal(self) -> Path:
        """The path of the journal."""
        return journal_of(self.path)

    # ── the position store ──

    def open(self, origin: Origin) -> None:
        """See PositionStore. Raises Fenced if another process writes the file, UsageError for a wrong journal."""
        self._file.open()
        if not self._file.is_regular:
            raise UsageError(
                f"--output {self.path} is not a regular file, and exactly-once has to cut it back after a crash.",
                "Name a file, or choose -g at-least-once.",
            )
        if os.path.lexists(self.journal):
            self._load()
            held = Origin(self._positions.cluster, self._positions.topic_ids)
            refuse_other_topics(f"--output {self.path}", held, origin)
        elif self._file.size:
            raise UsageError(
                f"--output {self.path} is not empty and has no journal {self.journal.name}: "
                "it is unknown which records are in it.",
                "Choose a new file.",
            )
        self._positions.cluster = origin.cluster
        self._positions.topic_ids.update(origin.topics)
        self._file.cut(self._length)

    def _load(self) -> None:
        """Take length and positions from the journal."""
        self._journals = {identity(self.journal)}
        journal = self._parse()
        self._positions.cluster, self._length = journal["cluster"], journal["length"]
        for topic, known in journal["topics"].items():
            self._positions.topic_ids[topic] = known["id"]
            self._positions.stored.update({(topic, int(p)): offset for p, offset in known["positions"].items()})
            # Journals of older versions have no epochs.
            self._positions.epochs.update({(topic, int(p)): epoch for p, epoch in known.get("epochs", {}).items()})
        size = self._file.size
        if size < self._length:
            raise UsageError(
                f"--output {self.path} has {size} bytes, but {self.journal.name} says {self._length}: "
                "another program has changed the file.",
                "Choose a new file; or delete both files to start from the beginning.",
            )

    def _parse(self) -> Any:
        if not self.journal.is_file():
            raise UsageError(
                f"{self.journal} is not a regular file, and a journal has to be one.", "Choose another file."
            )
        try:
            journal = json.loads(self.journal.read_text(encoding="utf-8"))
            if journal["format"] == FORMAT and {"cluster", "topics", "length"} <= journal.keys():
                return journal
        except OSError as exc:
            raise UsageError(f"{self.journal} cannot be read: {exc.strerror}.", "Check its permissions.") from exc
        except (ValueError, KeyError, TypeError, RecursionError):
            pass
        raise UsageError(f"{self.journal} is not a journal of this version of kdg.", "Choose another file.")

    def stored(self) -> Offsets:
        """See PositionStore."""
        return self._positions.stored

    def epochs(self) -> Mapping[TopicPartition, int | None]:
        """See PositionStore."""
        return self._positions.epochs

    def keep(self, positions: Sequence[Position]) -> None:
        """See PositionStore."""
        commit_alone(self, positions)

    # ── the target ──

    def write(self, batch: Batch) -> None:
        """See Target. Raises KdgError for a full disk and the like."""
        self._file.append(self.encoder.encode(batch))

    def flush(self) -> None:
        """See Target: the records are on the disk before the journal counts them."""
        self._file.sync()

    def close(self) -> None:
        """See Target: gives up the lock."""
        self._file.close()

    # ── the transaction ──

    def begin(self) -> None:
        """See Transaction."""
        self._positions.forget()

    def record(self, positions: Sequence[Position]) -> None:
        """See Transaction."""
        self._positions.record(positions)

    def commit(self) -> None:
        """See Transaction: the records count from the moment at which the journal is replaced."""
        self._require_in_place()
        length = self._file.size
        line = self._line(length)
        self._file.attempt(lambda: self._replace_journal(line))
        self._length = length
        self._positions.committed()

    def _require_in_place(self) -> None:
        if self._file.in_place and self._file.changed_by == 0 and identity(self.journal) in self._journals:
            return
        raise KdgError(
            f"--output {self.path} or {self.journal.name} was renamed, removed, replaced or changed by another program "
            "while this run wrote; the batch is not committed.",
            "Leave both in place during a run, and run it again. Renamed both: the next run starts a new file.",
        )

    def _line(self, length: int) -> str:
        topics: dict[str, dict[str, Any]] = {
            topic: {"id": topic_id, "positions": {}} for topic, topic_id in self._positions.topic_ids.items()
        }
        for (topic, partition), offset in sorted(self._positions.after_commit.items()):
            topics[topic]["positions"][str(partition)] = offset
        for (topic, partition), epoch in sorted(self._positions.epochs_after_commit.items()):
            topics[topic].setdefault("epochs", {})[str(partition)] = epoch
        line = {
            "format": FORMAT,
            "cluster": self._positions.cluster,
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
            written = of_status(os.fstat(file.fileno()))
        self._journals.add(written)
        new.replace(self.journal)
        self._journals = {written}
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def abort(self) -> None:
        """See Transaction: cut off what the journal on the disk does not count, also after a commit that failed."""
        self._positions.forget()
        if identity(self.journal) not in self._journals:
            return  # the journal of another file: what it counts says nothing about this one
        if os.path.lexists(self.journal):
            self._load()
        self._file.cut(self._length)

    def recycle(self) -> None:
        """See Transaction."""
        self.abort()
