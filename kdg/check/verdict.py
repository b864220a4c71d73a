"""Owns the verdict: what a reading's findings leave of each guarantee, and the least that has to change to reach one. Pure.

A guarantee is never named here: what it forgives is its row's (`may_lose`, `may_duplicate`), and what it wants is its row's settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kdg.check.reading import Reading
from kdg.check.rules import CONSUMER_OVERLAYS, Finding, findings
from kdg.core.guarantees import GUARANTEES, Guarantee, Role

CHOOSE = "one that names this instance"
REFUSED, NEITHER, BY_CODE = "refused", "neither", "decided by the code"
_OVERLAYS = frozenset(finding for _, finding in CONSUMER_OVERLAYS)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one client gives."""

    reading: Reading
    findings: tuple[Finding, ...]

    def blocking(self, row: Guarantee) -> list[Finding]:
        """What keeps it from a guarantee."""
        return [f for f in self.findings if _blocks(f, row)]

    def reaches(self, row: Guarantee) -> bool:
        """Whether the configuration allows the guarantee; what the code has to do is in `code`."""
        return not self.blocking(row)

    @property
    def by_code(self) -> bool:
        """Whether the settings leave it to the program: a consumer that commits by hand."""
        return self.reading.role is Role.CONSUMER and not any(f.costs and f not in _OVERLAYS for f in self.findings)

    @property
    def gives(self) -> str:
        """In one word: a guarantee, or why it is none."""
        if any(f.refused for f in self.findings):
            return REFUSED
        if self.by_code:
            return BY_CODE
        own = [f for f in self.findings if f not in _OVERLAYS]
        loses, doubles = any(f.loses for f in own), any(f.doubles for f in own)
        rows = [row for row in GUARANTEES if (row.may_lose, row.may_duplicate) == (loses, doubles)]
        return rows[0].name if rows else NEITHER


def _blocks(finding: Finding, row: Guarantee) -> bool:
    if finding in _OVERLAYS:
        return row.transactional
    return finding.refused or (finding.loses and not row.may_lose) or (finding.doubles and not row.may_duplicate)


def judge(reading: Reading) -> Verdict:
    """The verdict on one reading."""
    return Verdict(reading, tuple(findings(reading)))


def changes(verdict: Verdict, row: Guarantee) -> dict[str, str] | None:
    """The least that makes it reach a guarantee: the row's own settings, less those that are not needed; None where none do."""
    reading = verdict.reading
    if verdict.reaches(row):
        return {}
    wanted = _mended(reading) | {
        s.name: s.value or CHOOSE
        for s in row.settings(reading.role)
        if (s.value or not s.locked) and not s.commands and reading.has(s.name)
    }
    wanted = {name: value for name, value in wanted.items() if reading.value(name) != value}
    while more := {n: v for n, v in _mended(reading.with_(wanted)).items() if n not in wanted}:
        wanted |= more
    return _least(reading, wanted, row) if _reached(reading, wanted, row) else None


def _mended(reading: Reading) -> dict[str, str]:
    """What the findings themselves say to change."""
    return {name: value for finding in findings(reading) for name, value in finding.change}


def _least(reading: Reading, wanted: dict[str, str], row: Guarantee) -> dict[str, str]:
    """Without what is not needed."""
    for name in wanted:
        fewer = {other: value for other, value in wanted.items() if other != name}
        if _reached(reading, fewer, row):
            return _least(reading, fewer, row)
    return wanted


def _reached(reading: Reading, changed: Mapping[str, str], row: Guarantee) -> bool:
    return judge(reading.with_(changed)).reaches(row)


def code(reading: Reading, row: Guarantee) -> str:
    """What the program has to do besides; the settings alone do not know when a record is done."""
    if reading.role is Role.PRODUCER:
        return _PRODUCER_CODE[row.transactional, row.may_lose]
    if row.transactional:
        return "commit nothing on its own: send the positions in the producer's transaction, with the group's metadata, and seek back after an abort"
    automatic = reading.value("enable.auto.commit") == "true"
    if automatic and reading.library == "java":
        return "finish every record of a poll before the next poll or close(), in one thread; no close() after an error"
    if automatic:
        return "store a record's offset (store_offsets, StoreOffset) after the work on it, never before"
    when = "before" if row.commits_first else "after"
    return f"commit synchronously {when} the work on a record, and look at the error"


_PRODUCER_CODE = {
    (
        True,
        False,
    ): "init, begin, send, commit (abort on an error); one live instance an id, the same id after a restart; every reader with isolation.level=read_committed",
    (
        False,
        False,
    ): "count a record only when its delivery report came without an error; flush before the end, and look at what is left",
    (False, True): "send a record once; never send again what was reported as failed",
}
