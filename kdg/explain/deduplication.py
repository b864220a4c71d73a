"""Owns what `--dedup-by` does, in words: for its own page and for the page of the guarantee that takes the option."""

from __future__ import annotations

from kdg.core.guarantees import DEDUP_TTL

_POSITION = (
    "drops a record that Kafka delivers again: its offset is not above the highest offset already written from its "
    "partition"
)
_ID = (
    "drops a record that was sent twice: a record with the same id was already written, from any partition of the "
    "topic; a record without an id passes"
)
_WINDOW = (
    "duplicates are found within the run; with --dedup-store FILE, in all runs of the group; with --sqlite, in all "
    f"runs into the database. An id is remembered for {DEDUP_TTL}, or for --dedup-ttl; choose a time longer than any "
    "replay"
)
_CRASH = (
    "an id is remembered after its record was written and flushed: a crash between the two can duplicate the record, "
    "never lose it. With --sqlite, record and id are in one transaction, so neither can happen"
)
_END = (
    "each instance of a group remembers its own ids: if an id moves to a partition of another instance, both instances "
    "can write it"
)
_MEMORY = "constant: each id takes 16 bytes in a SQLite file, which is temporary without --dedup-store"

_FILE = (
    "FILE of --dedup-store has to stay where it is: if it is renamed, removed or replaced during a run, the run ends "
    "with exit 1 before it commits the batch, and the batch is read again"
)

DEDUPLICATION = (
    ("position", _POSITION),
    ("key, value, header:NAME", _ID),
    ("window", _WINDOW),
    ("a crash", _CRASH),
    ("where it ends", _END),
    ("memory", _MEMORY),
    ("the file", _FILE),
)
"""A subject and a sentence."""
