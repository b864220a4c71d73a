"""Owns what kdg knows about one client, as data, and the pieces that several clients share."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from kdg.core.guarantees import Step

Names = Callable[[str], str]
"""From librdkafka's name of a setting to the client's own name; "" if the client does not have the setting."""


class Dialect(NamedTuple):
    """One client.

    title: its name for people. language: the name after a Markdown code fence. name_of: the client's name of a
    setting. line: one setting in the client's syntax. notes: common mistakes, each with the step that it concerns.
    does: the heading of its programs.
    """

    title: str
    language: str
    name_of: Names
    line: Callable[[str, str], str]
    notes: tuple[tuple[Step, str], ...]
    does: str = "The steps of a copy"


LATE_COMMIT = (
    "After a commit or an abort that timed out, the program ends, and the next start has a new producer: the late "
    "request could end the next transaction of the old one."
)

COMMIT_FLUSHES = "The commit flushes, and fails if one record was refused: no delivery report has to be looked at."
METADATA_EARLY = (
    "{ask} is asked when partitions are assigned. Asked later, it may name a membership under which another instance "
    "owns them."
)

RESENT_COMMIT = (
    "If its connection breaks, librdkafka sends a commit again without an error, and the first copy can have the same "
    "effect. kdg pipe finds this in the library's log (debug=eos) and makes a new producer."
)

ENDS = "Any error ends the program. Run it where it is started again; the next start goes on where it settled."

NEW_GROUP = (
    "A partition without a position starts at its beginning; so does a group that was away longer than "
    "offsets.retention.minutes. To start elsewhere, also commit that offset before the first record is read: a start "
    "that is not committed is chosen again after a crash."
)

GONE = (
    "A position that the topic no longer has is an error: with earliest or latest, records are read again or skipped."
)

ONLY_IN_POLL = (
    "Partitions come and go only inside {poll}, and nothing is sent between the first {poll} of a batch and the last: "
    "what was read is dropped, and the next owner reads it."
)


def same_name(name: str) -> str:
    """The name of a setting in a client that uses librdkafka's names."""
    return name


def quoted(name: str, value: str) -> str:
    """One setting as an entry of a dict in Python, or of a map in Go."""
    return f'"{name}": "{value}",'
