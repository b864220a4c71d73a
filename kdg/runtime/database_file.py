"""Owns a SQLite database as a file: its path is a path and nothing else, and while a run writes, it stays that file.

SQLite reads some names specially: `:memory:`, and `file:...?mode=memory` where it was built so. What is written there
is gone with the process. An absolute path is always the name of a file.

A file that is renamed or removed while it is open takes rows all the same, and SQLite does not say so (in WAL mode).
"""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from kdg.errors import KdgError, UsageError
from kdg.runtime.identity import Identity, identity

BESIDE = ("", "-wal", "-shm")
"""Added to the path: the files of a database in WAL mode. They exist until the last connection is closed."""


@dataclass(slots=True)
class DatabaseFile:
    """The file of an option. flag: the option, for messages."""

    path: Path
    flag: str
    _found: dict[Path, Identity] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What messages call it: `--sqlite orders.db`."""
        return f"{self.flag} {self.path}"

    def connect(self, timeout: float) -> sqlite3.Connection:
        """Open or create it. timeout: seconds for the lock of another process. Raises UsageError."""
        if os.path.exists(self.path) and not os.path.isfile(self.path):  # they raise nothing
            raise UsageError(f"{self.name} is not a regular file, and a database has to be one.", "Name a file.")
        try:
            return sqlite3.connect(self.path.absolute(), timeout=timeout, isolation_level=None)
        except sqlite3.OperationalError as exc:
            raise UsageError(f"{self.name} cannot be opened: {exc}.", "Check the path and its permissions.") from exc

    @property
    def opened(self) -> bool:
        """Whether the first transaction has been committed."""
        return bool(self._found)

    def remember(self) -> None:
        """Note which files the database consists of. To be called when the first transaction has been committed.

        Raises KdgError if the database is not in its place even now.
        """
        paths = [Path(f"{self.path.absolute()}{suffix}") for suffix in BESIDE]
        self._found = {path: found for path in paths if (found := identity(path)) is not None}
        if paths[0] not in self._found:
            raise self._moved(paths[0])

    def require_in_place(self) -> None:
        """Raises KdgError if one of the files was renamed, removed or replaced. To be called before each commit."""
        for path, found in self._found.items():
            if identity(path) != found:
                raise self._moved(path)

    def _moved(self, path: Path) -> KdgError:
        return KdgError(
            f"{self.name}: {path.name} was renamed, removed or replaced while this run wrote to it; "
            "nothing of the batch is committed.",
            "Leave the files of the database in place during a run, and run it again.",
        )


def is_locked(exc: sqlite3.Error) -> bool:
    """Whether another process has the lock."""
    return primary_code(exc) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def locked(what: str, seconds: float) -> KdgError:
    """The error for a lock of another process that did not end within so many seconds."""
    return KdgError(
        f"{what} has been locked by another process for {seconds:g} s; nothing of the batch is committed.",
        "Wait until that process has ended its transaction, and run this again.",
    )


def primary_code(exc: sqlite3.Error) -> int:
    """The code of the error without its extension; 0 if it does not come from SQLite itself."""
    return getattr(exc, "sqlite_errorcode", 0) & 0xFF
