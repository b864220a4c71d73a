"""Owns the file of `kdg produce --undelivered`: the records that are not known to be in the topic, counted and kept.

The file has the framing of the input, so that `kdg produce TOPIC FILE` can send it again.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from kdg.errors import KdgError, Undelivered, UsageError
from kdg.formats import Decoder
from kdg.text.words import plural

if TYPE_CHECKING:
    from kdg.kafka.undelivered_records import UndeliveredRecord


@dataclass(slots=True)
class UndeliveredFile:
    """Counts the undelivered records of a run, and keeps them in a file if there is a path.

    count: all of them. unknown: those that may be in the topic all the same (hazard 7).
    never_sent: those that were never given to the client. first: an example of the first failure, for the message.
    """

    decoder: Decoder
    path: str | None
    count: int = 0
    unknown: int = 0
    never_sent: int = 0
    first: str = ""
    _file: IO[bytes] | None = None

    def open(self, source: str | None) -> None:
        """Open the file before anything is sent. Raises UsageError if it cannot be written, or is the input itself."""
        if self.path is None:
            return
        try:
            if source not in (None, "-") and Path(self.path).exists() and os.path.samefile(self.path, str(source)):
                raise UsageError(f"--undelivered {self.path} is the input itself.", "Choose another file.")
            self._file = Path(self.path).open("wb")  # noqa: SIM115  # closed with the run
        except OSError as exc:
            raise UsageError(
                f"--undelivered {self.path} cannot be written: {exc.strerror}.", "Choose another file."
            ) from exc

    def __call__(self, records: Sequence[UndeliveredRecord]) -> None:
        """Count and keep records that the client could not deliver."""
        from kdg.kafka.undelivered_records import example_of

        self.first = self.first or example_of(records)
        for record in records:
            self.unknown += not record.certain
            self.keep([self.decoder.encode_back(record.key, record.value, record.headers, record.timestamp or None)])

    def keep_unsent(self, records: Sequence[bytes]) -> None:
        """Count and keep records that were never given to the client, each with its delimiter."""
        self.never_sent += len(records)
        self.keep(records)

    def keep(self, records: Sequence[bytes]) -> None:
        """Count and keep records, each with its delimiter."""
        self.count += len(records)
        if self._file is not None:
            try:
                self._file.write(b"".join(records))
            except OSError as exc:
                raise self._unwritable(exc) from exc

    def close(self) -> None:
        """Write everything to the disk. Raises Undelivered if that fails."""
        if self._file is not None:
            try:
                self._file.flush()
                os.fsync(self._file.fileno()) if self._file.seekable() else None
                self._file.close()
            except OSError as exc:
                raise self._unwritable(exc) from exc

    def _unwritable(self, exc: OSError) -> KdgError:
        return Undelivered(
            f"{self.count} records were not delivered, "
            f"and --undelivered {self.path} cannot be written: {exc.strerror}.",
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
            hint = f"They are in {self.path}; send them again with `kdg produce TOPIC {self.path}`."
        verb = "was" if self.count == 1 else "were"
        return Undelivered(f"{plural(self.count, 'record')} {verb} not delivered{unknown}{first}.", hint)
