"""Owns `--output FILE` without a journal. A batch is on the disk before a position after it is committed.

A crash can leave the beginning of a record at the end of the file: a torn record. The next run would append to it and
spoil both records. So the next run cuts the torn record off when it opens the file, and moves its bytes to FILE.torn.
The bytes are kept, because another program may have written them.

Another program can also rename or remove the file during a run, as logrotate does. The open descriptor still takes
records then. So the path is looked at before each chunk and before a position is committed: a renamed file keeps its
records, and a new one is begun; if records of this batch went into a file that has no name any more, or were cut off,
the run ends before it commits.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from kdg.core.records import Batch
from kdg.errors import KdgError, UsageError
from kdg.formats import Encoder
from kdg.sinks.locked_file import LockedFile, journal_of

TORN = ".torn"
"""Added to the file's name: where the bytes of torn records are kept."""
BLOCK = 65_536
"""Bytes of one read, when the end of the last whole record is searched."""


@dataclass(slots=True)
class FileSink:
    """A Target that appends to a file.

    note: prints a line on stderr; called if a torn record was cut off, or a new file begun. commits_first: no position
    waits for the records (at-most-once); what another program takes out of the file is then its own matter.
    """

    path: Path
    encoder: Encoder
    note: Callable[[str], None] = lambda _line: None
    commits_first: bool = False
    _file: LockedFile = field(init=False)
    _unsettled: bool = False
    """Whether records were written since the last `flush`."""

    def __post_init__(self) -> None:
        self._file = LockedFile(self.path)

    def open(self) -> None:
        """Lock the file and cut a torn last record off. Raises UsageError, also if the file has a journal; Fenced."""
        journal = journal_of(self.path)
        if os.path.lexists(journal):
            raise UsageError(
                f"--output {self.path} belongs to exactly-once: {journal} has its length, "
                "and the next exactly-once run would cut off what is added now.",
                "Choose another file, or -g exactly-once; without its journal the file is like any other.",
            )
        self._file.open()
        if self._file.is_regular and self.encoder.terminator:
            self._cut_torn_record()

    def _cut_torn_record(self) -> None:
        """Move everything after the last whole record to FILE.torn."""
        size = self._file.size
        whole = _end_of_records(self._file.descriptor, size, self.encoder.terminator)
        if whole == size:
            return
        torn = self.path.with_name(self.path.name + TORN)
        self._file.attempt(lambda: self._copy(whole, size, torn))
        self._file.cut(whole)
        self.note(
            f"{self.path} ended within a record, as after a crash: its last {size - whole} bytes were moved to {torn}"
        )

    def _copy(self, begin: int, end: int, to: Path) -> None:
        with to.open("ab") as file:
            for at in range(begin, end, BLOCK):
                file.write(os.pread(self._file.descriptor, min(BLOCK, end - at), at))
            file.flush()
            os.fsync(file.fileno())

    def write(self, batch: Batch) -> None:
        """See Target. Raises KdgError for a full disk and the like; then the file has nothing of the batch."""
        self._keep_place()
        before = self._file.size
        try:
            self._file.append(self.encoder.encode(batch))
        except KdgError:
            with contextlib.suppress(KdgError):  # report the first error
                self._file.cut(before)
            raise
        self._unsettled = not self.commits_first

    def flush(self) -> None:
        """See Target: the records are on the disk, and in a file that has a name."""
        self._file.sync()
        self._keep_place()
        self._unsettled = False

    def _keep_place(self) -> None:
        """Begin a new file if the path is free or another one's. Raises KdgError if records of the batch are gone."""
        in_place = self._file.in_place
        if self._unsettled and not (in_place or self._file.has_name):
            raise self._lost("removed or replaced")
        if self._unsettled and self._file.changed_by < 0:
            raise self._lost("cut back by another program")
        self._file.accept_size()
        if not in_place:
            self._file.sync()
            self._file.close()
            self.open()
            self.note(f"{self.path} was renamed or removed: the records that follow go into a new file of that name")

    def _lost(self, how: str) -> KdgError:
        return KdgError(
            f"--output {self.path} was {how} while this run wrote to it; the batch that was in it is not committed.",
            "Run it again: the batch is read again. To rotate the file, rename it; kdg then begins a new one.",
        )

    def close(self) -> None:
        """See Target: gives up the lock."""
        self._file.close()


def _end_of_records(descriptor: int, size: int, terminator: bytes) -> int:
    """The length of the file up to the end of its last whole record; searched from the end of the file."""
    end = size
    while end > 0:
        begin = max(end - BLOCK, 0)
        # Read a little more than the block: a terminator may begin in one block and end in the next.
        found = os.pread(descriptor, end - begin + len(terminator) - 1, begin).rfind(terminator)
        if found >= 0:
            return begin + found + len(terminator)
        end = begin
    return 0
