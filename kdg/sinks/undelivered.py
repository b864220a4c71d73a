"""Owns what becomes of records that are not known to be in the topic: counted, the first named, kept in the input's framing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from kdg.errors import KdgError, Undelivered, UsageError
from kdg.formats import Decoder
from kdg.text.words import plural


@dataclass(slots=True)
class UndeliveredFile:
    """What is not known to be in the topic: counted, the first named, and kept in the input's own framing."""

    decoder: Decoder
    path: str | None
    count: int = 0
    unknown: int = 0
    never_sent: int = 0
    first: str = ""
    _file: IO[bytes] | None = None

    def open(self, source: str | None) -> None:
        """Raises UsageError before anything is sent when the file cannot be written or is the input itself."""
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

    def __call__(self, failures: Sequence[Any]) -> None:
        """Count and keep failed records."""
        from kdg.kafka.errors import describe
        from kdg.kafka.target import name_record, telling

        told = telling(failures)
        self.first = self.first or f"{name_record(told)}: {describe(told.reason)}"
        for failure in failures:
            self.unknown += not failure.certain
            self.keep(
                [self.decoder.encode_back(failure.key, failure.value, failure.headers, failure.timestamp or None)]
            )

    def keep_unsent(self, records: Sequence[bytes]) -> None:
        """Records that were never handed to the client, with their delimiters."""
        self.never_sent += len(records)
        self.keep(records)

    def keep(self, records: Sequence[bytes]) -> None:
        """Records with their delimiters."""
        self.count += len(records)
        if self._file is not None:
            try:
                self._file.write(b"".join(records))
            except OSError as exc:
                raise self._unwritable(exc) from exc

    def close(self) -> None:
        """Everything is in the file, or an error is raised."""
        if self._file is not None:
            try:
                self._file.flush()
                os.fsync(self._file.fileno()) if self._file.seekable() else None
                self._file.close()
            except OSError as exc:
                raise self._unwritable(exc) from exc

    def _unwritable(self, exc: OSError) -> KdgError:
        return Undelivered(f"{self.count} records were not delivered, and --undelivered {self.path} cannot be written: {exc.strerror}.", "The input still has them.")  # fmt: skip

    def error(self) -> Undelivered | None:
        """How the run ends when something was not delivered."""
        if not self.count:
            return None
        unknown = f" (of {self.unknown} it is unknown)" if self.unknown else ""
        first = f", such as {self.first}" if self.first else ""
        hint = f"They are in {self.path}; send them again with `kdg produce TOPIC {self.path}`." if self.path else "--undelivered FILE keeps such records for sending again."  # fmt: skip
        verb = "was" if self.count == 1 else "were"
        return Undelivered(f"{plural(self.count, 'record')} {verb} not delivered{unknown}{first}.", hint)
