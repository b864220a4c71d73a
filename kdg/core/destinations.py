"""Owns the kinds of destination that `consume` can write to, and what is promised at each of them. Pure."""

from __future__ import annotations

from enum import Enum


class DestinationKind(Enum):
    """Where `consume` can write its records.

    flag: the option that chooses it. settled: when a batch counts as written there. kept: how it keeps records and
    positions together; empty if it cannot. beyond: what the promise does not cover. moved: what a run does when its
    file is renamed, removed or replaced meanwhile; empty where there is no file.
    """

    def __init__(self, flag: str, settled: str, kept: str, beyond: str, moved: str = "") -> None:
        self.flag = flag
        self.settled = settled
        self.kept = kept
        self.beyond = beyond
        self.moved = moved

    STDOUT = (
        "stdout",
        "it was written (to a file: and fsync has returned)",
        "",
        "records that are still in a pipe are lost if the reader of the pipe dies",
    )
    COMMAND = (
        "-- CMD",
        "CMD has read it from stdin and exited with 0, however long that takes",
        "",
        "if CMD fails or is killed, it gets the batch again and repeats what it did: KDG_BATCH names the offsets",
    )
    FILE = (
        "--output FILE",
        "it was written and fsync has returned",
        "the journal FILE.kdg holds the positions and says how many bytes of FILE are valid: all of them after exit 0",
        "a program that reads FILE and acts on it has to keep its own position",
        (
            "renamed, as logrotate does: the batch stays in the renamed file, and a new FILE is begun. Removed, "
            "replaced or cut back with a batch of at-least-once in it: the run ends with exit 1 and does not commit "
            "the batch. Under exactly-once FILE and FILE.kdg have to stay where they are, under these names: otherwise "
            "the run ends before the commit, with exit 1"
        ),
    )
    SQLITE = (
        "--sqlite FILE",
        "the database has committed it",
        "records and positions are in one transaction of the database",
        "a program that reads the table and acts on it has to keep its own position",
        (
            "FILE, FILE-wal and FILE-shm have to stay where they are: if one is renamed, removed or replaced during a "
            "run, nothing of the batch is committed there, and the run ends with exit 1"
        ),
    )
