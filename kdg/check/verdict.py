"""Owns the verdict: which guarantees a configuration allows, and the fewest changes that reach one. Pure.

No guarantee is named here: `may_lose` and `may_duplicate` say what it permits, and its settings say what it needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kdg.check.finding import Finding
from kdg.check.reading import Reading
from kdg.check.rules import findings, refused_value
from kdg.core.guarantees import GUARANTEES, Guarantee, Role
from kdg.settings.conflicts import DROP

CHOOSE = "one that names this instance"
"""Shown for a value that the user has to choose."""
REFUSED, NEITHER, BY_CODE = "refused", "neither", "decided by the code"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The findings about one configuration, and what follows from them."""

    reading: Reading
    findings: tuple[Finding, ...]

    def reaches(self, guarantee: Guarantee) -> bool:
        """Whether the configuration allows the guarantee; `code` says what the program has to do besides."""
        return not any(_excludes(finding, guarantee) for finding in self.findings)

    @property
    def by_code(self) -> bool:
        """Whether the guarantee depends on the program, not on the settings: the program commits positions itself."""
        return self.reading.role is Role.CONSUMER and not any(
            f.costs and not f.of_transactions and not f.of_starts for f in self.findings
        )

    @property
    def gives(self) -> str:
        """The name of the guarantee, or REFUSED, NEITHER or BY_CODE."""
        if any(f.refused for f in self.findings):
            return REFUSED
        if self.reading.runs:
            return self.reading.runs
        if self.by_code:
            return BY_CODE
        own = [f for f in self.findings if not f.of_transactions]
        found = (any(f.loses for f in own), any(f.duplicates for f in own))
        return next((g.name for g in GUARANTEES if (g.may_lose, g.may_duplicate) == found), NEITHER)


def _excludes(finding: Finding, guarantee: Guarantee) -> bool:
    if finding.of_transactions:
        return guarantee.transactional
    loses = finding.loses and not guarantee.may_lose
    duplicates = finding.duplicates and not guarantee.may_duplicate
    return finding.refused or loses or duplicates


def judge(reading: Reading) -> Verdict:
    """The verdict on one configuration."""
    return Verdict(reading, tuple(findings(reading)))


# ── what to change ──


def changes(verdict: Verdict, guarantee: Guarantee) -> dict[str, str] | None:
    """The fewest settings to change, by name, to reach a guarantee. The value DROP removes a setting.

    {} if nothing has to change; None if no change reaches it.
    """
    reading = verdict.reading
    if verdict.reaches(guarantee):
        return {}
    if reading.runs:
        return None if reading.refuses or reading.unknown else {"guarantee": guarantee.name}
    needed = {
        s.name: s.value or (DROP if s.locked else CHOOSE)
        for s in guarantee.settings(reading.role)
        if not s.commands and reading.has(s.name)
    }
    needed = {
        name: _IN_JAVA.get((name, value), value) if reading.library == "java" else value
        for name, value in needed.items()
    }
    for first in ({}, needed):
        wanted = _with_fixes(reading, first)
        if _reached(reading, wanted, guarantee):
            return _fewest(reading, wanted, guarantee)
    return None


_IN_JAVA = {("auto.offset.reset", "error"): "none"}
"""Java's spelling of a value."""


def _with_fixes(reading: Reading, first: Mapping[str, str]) -> dict[str, str]:
    """The changes, and those that the findings name; a finding about a change does not replace it."""
    wanted = {name: value for name, value in first.items() if _differs(reading, name, value)}
    while more := {
        n: v for n, v in _fixes(reading.with_(wanted)).items() if n not in wanted and _differs(reading, n, v)
    }:
        wanted |= more
    return wanted


def _differs(reading: Reading, name: str, value: str) -> bool:
    if value == DROP:
        return reading.written(name) or name in reading.unknown
    return reading.value(name) != value or (name in reading.given and bool(refused_value(reading, name)))


def _fixes(reading: Reading) -> dict[str, str]:
    """The changes that the findings name themselves."""
    return {name: value for finding in findings(reading) for name, value in finding.change}


def _fewest(reading: Reading, wanted: dict[str, str], guarantee: Guarantee) -> dict[str, str]:
    """The changes without those that are not needed."""
    for name in wanted:
        fewer = {other: value for other, value in wanted.items() if other != name}
        if _reached(reading, fewer, guarantee):
            return _fewest(reading, fewer, guarantee)
    return wanted


def _reached(reading: Reading, changed: Mapping[str, str], guarantee: Guarantee) -> bool:
    return judge(reading.with_(changed)).reaches(guarantee)


# ── what the program has to do ──

_PRODUCER_CODE = {
    (True, False): "the program calls init, begin, send and commit (after an error: abort); each running instance has "
    "its own id, and the same one after a restart; every reader has isolation.level=read_committed",
    (False, False): "the program counts a record only when its delivery report has no error; before it ends, it calls "
    "flush and looks at the records that are left",
    (False, True): "the program sends each record once, and never sends a record again that was reported as failed",
}
"""By transactional and may_lose of the guarantee."""


def code(reading: Reading, guarantee: Guarantee) -> str:
    """What the program has to do besides the settings, which do not know when the work on a record is done."""
    if reading.runs:
        return "kdg does the rest"
    if reading.role is Role.PRODUCER:
        return _PRODUCER_CODE[guarantee.transactional, guarantee.may_lose]
    if guarantee.transactional:
        return (
            "the consumer commits nothing; the program sends the positions, with the group's metadata, in the "
            "producer's transaction, and after an abort seeks back to the committed positions"
        )
    automatic = reading.value("enable.auto.commit") == "true"
    if automatic and reading.library == "java":
        return (
            "the program finishes all records of a poll, in one thread, before the next poll or close(); "
            "after an error it does not call close()"
        )
    if automatic:
        return (
            "the program stores the offset of a record (store_offsets, StoreOffset) after the work on it, never before"
        )
    when = "before" if guarantee.commits_first else "after"
    return f"the program commits synchronously {when} the work on a record, and checks the result"
