"""Owns what kdg knows about one client, as data, and the pieces that several clients share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from kdg.core.guarantees import Role, Step

Names = Callable[[str], str]
"""From librdkafka's name of a setting to the client's own name; "" if the client does not have the setting."""

Settings = Sequence[tuple[str, str]]
"""Names and values, both as librdkafka writes them."""


class Dialect(NamedTuple):
    """One client.

    title: its name for people. language: the name after a Markdown code fence. comment: how a comment line begins.
    name_of: the client's name of a setting. line: one setting in the client's syntax. config: a whole configuration.
    calls: the lines that perform each step. start: the lines before the first transaction.
    undo: the lines after a transaction that failed; they abort it and rewind the consumer.
    notes: common mistakes, each with the step that it concerns.
    """

    title: str
    language: str
    comment: str
    name_of: Names
    line: Callable[[str, str], str]
    notes: tuple[tuple[Step, str], ...]
    config: Callable[[Role, Settings], Iterator[str]] = lambda _role, _settings: iter(())
    calls: Mapping[Step, tuple[str, ...]] = MappingProxyType({})
    start: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()


LATE_COMMIT = (
    "After a commit or an abort that timed out, create a new producer: "
    "the late request could end the next transaction of the old one."
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
    "Partitions come and go only inside {poll}. The program settles what it has read before it polls again, so that "
    "nothing is half done when a partition goes."
)

NO_REWIND = "An abort does not move the consumer back: without the seek, the records of the batch are skipped."


def same_name(name: str) -> str:
    """The name of a setting in a client that uses librdkafka's names."""
    return name


def quoted(name: str, value: str) -> str:
    """One setting as an entry of a dict in Python, or of a map in Go."""
    return f'"{name}": "{value}",'


def block(first: str, last: str, role: Role, settings: Settings) -> Iterator[str]:
    """A configuration of quoted entries, between its first and its last line."""
    yield first
    yield f"    {quoted('bootstrap.servers', '...')}"
    if role is Role.CONSUMER:
        yield f"    {quoted('group.id', '...')}"
    yield from (f"    {quoted(name, value)}" for name, value in settings)
    yield last
