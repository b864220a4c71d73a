"""Owns the file of `kdg produce --undelivered`: the records that are not known to be in the topic, counted and kept.

The file has the framing of the input, so that `kdg produce TOPIC FILE` can send it again. A run adds to it: what an
earlier run has kept is gone only when the user removes it. Each write ends with a whole record, so that a kill leaves
no piece of one.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kdg.errors import KdgError, Undelivered, UsageError
from kdg.formats import Decoder
from kdg.runtime.deadline import Deadline
from kdg.runtime.identity import Identity, identity, of_status
from kdg.runtime.opening import is_pipe, open_noticing
from kdg.sinks.locked_file import write_all
from kdg.text.words import plural_were

if TYPE_CHECKING:
    from kdg.kafka.undelivered_records import UndeliveredRecord

SAY_EVERY = 60.0
"""Seconds between two notes that records were not delivered."""
BUSY_SECONDS = 1.0
"""So long an input that does not pause may go on before the note: most inputs end first, with an error that says it."""


@dataclass(slots=True)
class UndeliveredFile:
    """Counts the undelivered records of a run, and keeps them in a file if there is a path.

    note: prints a line on stderr; called if the file has records of an earlier run, and when records turn out not to be
    delivered while the input goes on, once a minute at most. ending: whether the run is about to end; its error says
    what was not delivered. clock: seconds. count: all undelivered records.
    unknown: those that may be in the topic all the same (hazard 7). never_sent: those that were never given to the
    client. first: an example of the first failure, for the message.
    again: the command that sends the file again.
    """

    decoder: Decoder
    path: str | None
    note: Callable[[str], None] = lambda _line: None
    again: str = ""
    ending: Callable[[], bool] = lambda: False
    clock: Callable[[], float] = time.monotonic
    count: int = 0
    unknown: int = 0
    never_sent: int = 0
    first: str = ""
    _descriptor: int = -1
    _opened: Identity | None = None
    _unsaid: str = ""
    _unsaid_since: float = 0.0
    _said_at: float = float("-inf")
    _before: bytes = b""
    """A delimiter that the record before has not got."""

    def open(self, source: str | None, deadline: Deadline) -> None:
        """Open the file before anything is sent. What an earlier run has kept stays in it.

        Raises UsageError if it cannot be written, or is the input itself.
        """
        if self.path is None:
            return
        try:
            if source not in (None, "-") and os.path.exists(self.path) and os.path.samefile(self.path, str(source)):
                raise UsageError(f"--undelivered {self.path} is the input itself.", "Choose another file.")
            writing = os.O_WRONLY if is_pipe(self.path) else os.O_RDWR | os.O_CREAT | os.O_APPEND
            self._descriptor = open_noticing(self.path, writing, deadline)
        except TimeoutError:
            raise UsageError(
                f"--undelivered {self.path} is a pipe that nobody read within --timeout; nothing was sent.",
                "Start the program that reads it, or name a file.",
            ) from None
        except OSError as exc:
            raise UsageError(
                f"--undelivered {self.path} cannot be written: {exc.strerror}.", "Choose another file."
            ) from exc
        self._opened = of_status(os.fstat(self._descriptor))
        if self._is_regular and self._size:
            self._append_to_kept()

    def _append_to_kept(self) -> None:
        delimiter = self.decoder.delimiter
        if os.pread(self._descriptor, len(delimiter), max(self._size - len(delimiter), 0)) != delimiter:
            self._before = delimiter
        self.note(
            f"--undelivered {self.path} has {self._size} bytes of records that an earlier run kept; "
            "records of this run are added after them"
        )

    @property
    def _is_regular(self) -> bool:
        return stat.S_ISREG(os.fstat(self._descriptor).st_mode)

    @property
    def _size(self) -> int:
        return os.fstat(self._descriptor).st_size

    def __call__(self, records: Sequence[UndeliveredRecord]) -> None:
        """Count and keep records that the client could not deliver."""
        from kdg.kafka.undelivered_records import example_of

        self.first = self.first or example_of(records)
        self.unknown += sum(not record.certain for record in records)
        self.keep([self._as_read(record) for record in records])
        if not self._unsaid:
            self._unsaid, self._unsaid_since = example_of(records), self.clock()
        self.say(BUSY_SECONDS)

    def say(self, after: float = 0.0) -> None:
        """Note, while the input goes on, that records were not delivered. after: seconds since the first of them."""
        now = self.clock()
        if not self._unsaid or self.ending() or now - self._unsaid_since < after or now - self._said_at < SAY_EVERY:
            return
        kept = f"such records are kept in {self.path}" if self.path else "--undelivered FILE keeps such records"
        so_far = f"{plural_were(self.count, 'record')} not delivered so far, such as {self._unsaid}"
        self.note(f"{so_far}; the run goes on; {kept}")
        self._unsaid, self._said_at = "", now

    def _as_read(self, record: UndeliveredRecord) -> bytes:
        timestamp = None if record.timestamp < 0 else record.timestamp
        return self.decoder.encode_back(record.key, record.value, record.headers, timestamp, record.partition)

    def keep_unsent(self, records: Sequence[bytes]) -> None:
        """Count and keep records that were never given to the client, each with its delimiter."""
        self.never_sent += len(records)
        self.keep(records)

    def keep(self, records: Sequence[bytes]) -> None:
        """Count and keep records, each with its delimiter. They are in the file when this returns."""
        self.count += len(records)
        if self._descriptor < 0 or not records:
            return
        data = b"".join([self._before, *records])
        before = self._size
        try:
            write_all(self._descriptor, data)
        except OSError as exc:
            self._cut_off_a_piece(before, len(data))
            raise self._unwritable(f"cannot be written: {exc.strerror}") from exc
        self._before = b""

    def _cut_off_a_piece(self, before: int, written: int) -> None:
        """After a failed write no piece of a record stays; the next run would send it as a record."""
        if self._is_regular and before < self._size < before + written:
            os.ftruncate(self._descriptor, before)

    def close(self) -> None:
        """Write everything to the disk. Raises Undelivered if that fails, or if the file is not in its place."""
        if self._descriptor < 0:
            return
        try:
            if self._is_regular:
                os.fsync(self._descriptor)
                if self.count and identity(Path(str(self.path))) != self._opened:
                    raise self._unwritable(self._where_it_is())
        except OSError as exc:
            raise self._unwritable(f"cannot be written: {exc.strerror}") from exc
        finally:
            self.release()

    def _where_it_is(self) -> str:
        if os.fstat(self._descriptor).st_nlink:
            return "was renamed in the meantime: they are in the file under its new name"
        return "was removed in the meantime"

    def release(self) -> None:
        """Close the file, if it is open."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _unwritable(self, what: str) -> KdgError:
        return Undelivered(
            f"{plural_were(self.count, 'record')} not delivered, and --undelivered {self.path} {what}.",
            "The input still has them.",
        )

    def error(self) -> Undelivered | None:
        """The error with which the run ends, if a record was not delivered."""
        if not self.count:
            return None
        unknown = f" (of {self.unknown} it is unknown)" if self.unknown else ""
        first = f", such as {self.first}" if self.first else ""
        hint = "--undelivered FILE keeps such records, so that they can be sent again."
        if self.path:
            hint = f"They are in {self.path}; send them again with `{self.again}`."
        return Undelivered(f"{plural_were(self.count, 'record')} not delivered{unknown}{first}.", hint)
