"""Owns how the verdicts of `kdg check` become a page, which kdg/text prints as text, Markdown or JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kdg.check.finding import Finding
from kdg.check.reading import Reading
from kdg.check.verdict import BY_CODE, NEITHER, REFUSED, Verdict, changes, code
from kdg.core.guarantees import GUARANTEES, Guarantee
from kdg.core.requirement import Log
from kdg.settings.conflicts import DROP
from kdg.settings.requirements import LogFacts, holds, weaknesses
from kdg.text.page import Page, Section, two_columns
from kdg.text.render import listed

_TITLES = {"librdkafka": "librdkafka", "java": "Java", "dotnet": ".NET", "kdg": "kdg"}
_MEANS = {
    REFUSED: "the client does not start with these settings",
    NEITHER: "records can be lost and duplicated: no guarantee holds",
    BY_CODE: "the settings leave it to the program",
}


def reached(verdicts: Sequence[Verdict], logs: Sequence[LogFacts], guarantee: Guarantee) -> bool:
    """Whether every configuration and every topic allows the guarantee."""
    return all(v.reaches(guarantee) for v in verdicts) and all(holds(log, guarantee) for log in logs)


def page(name: str, verdicts: Sequence[Verdict], logs: Sequence[LogFacts], guarantee: Guarantee) -> Page:
    """What each client and each topic gives, why, and what to change. guarantee: the one that the user asked for."""
    is_reached = reached(verdicts, logs, guarantee)
    pages = _pages(verdicts)
    sections = (*_readings(verdicts), *_topics(logs), Section("See", listed(pages)))
    data = {
        **({"readings": [_reading_data(v) for v in verdicts]} if verdicts else {}),
        **({"topics": [_log_data(log) for log in logs]} if logs else {}),
        "see": pages,
        "asked": {"guarantee": guarantee.name, "reached": is_reached},
    }
    brief = f"{guarantee.name}: {'reached' if is_reached else 'not reached'}"
    return Page("check", name, brief, "", sections, data)


# ── configurations ──


def _readings(verdicts: Sequence[Verdict]) -> Iterator[Section]:
    for verdict in verdicts:
        reading = verdict.reading
        rows = [(_shown(reading, f), f.says) for f in verdict.findings]
        rows = rows or [(_MEANS.get(verdict.gives, "gives"), _promise(verdict.gives))]
        rows += [("note", remark) for remark in reading.remarks]
        where = f"{reading.where} " if reading.where else ""
        subject = f"{where}as {_TITLES[reading.dialect]} reads it: {verdict.gives}"
        yield Section(reading.role.value.capitalize(), two_columns(tuple(rows)), subject)
        yield Section("To reach", two_columns(tuple((g.name, _way(verdict, g)) for g in GUARANTEES)))


def _promise(gives: str) -> str:
    return next((guarantee.promise for guarantee in GUARANTEES if guarantee.name == gives), "see below")


def _shown(reading: Reading, finding: Finding) -> str:
    return ", ".join(_setting(reading, name) for name in finding.settings)


def _setting(reading: Reading, name: str) -> str:
    if name in reading.unknown:
        return name
    value = reading.value(name) or "none"
    return f"{reading.named(name)}={value}{'' if reading.written(name) else ' (default)'}"


def _way(verdict: Verdict, guarantee: Guarantee) -> str:
    """The settings to write, and what the program has to do."""
    wanted = changes(verdict, guarantee)
    if wanted is None:
        return "first change what is refused above"
    return f"{_written(verdict.reading, wanted) or 'as it is'}; {code(verdict.reading.with_(wanted), guarantee)}"


def _written(reading: Reading, wanted: Mapping[str, str]) -> str:
    return ", ".join(
        f"without {reading.named(name)}" if value == DROP else f"{reading.named(name)}={value}"
        for name, value in wanted.items()
    )


def _reading_data(verdict: Verdict) -> dict[str, object]:
    reading = verdict.reading
    return {
        "client": reading.dialect,
        "role": reading.role.value,
        "where": reading.where,
        "gives": verdict.gives,
        "reaches": {guarantee.name: verdict.reaches(guarantee) for guarantee in GUARANTEES},
        "findings": [_finding_data(reading, f) for f in verdict.findings],
        "remarks": list(reading.remarks),
        "to_reach": {guarantee.name: _to_reach(verdict, guarantee) for guarantee in GUARANTEES},
    }


def _finding_data(reading: Reading, finding: Finding) -> dict[str, object]:
    known = [name for name in finding.settings if name not in reading.unknown]
    return {
        "settings": {reading.named(name): reading.value(name) or None for name in known},
        "says": finding.says,
        "loses": finding.loses,
        "doubles": finding.duplicates,
        "refused": finding.refused,
    }


def _to_reach(verdict: Verdict, guarantee: Guarantee) -> dict[str, object]:
    wanted = changes(verdict, guarantee)
    if wanted is None:
        return {"change": None, "code": None}
    named = {verdict.reading.named(name): None if value == DROP else value for name, value in wanted.items()}
    return {"change": named, "code": code(verdict.reading.with_(wanted), guarantee)}


def _pages(verdicts: Sequence[Verdict]) -> list[str]:
    first = [f.settings[0] for v in verdicts for f in v.findings if f.costs and f.settings][:1]
    return [f"kdg explain {name}" for name in (*first, "contradictions")]


# ── topics ──


def _topics(logs: Sequence[LogFacts]) -> Iterator[Section]:
    for log in logs:
        rows = [(w.setting, f"{w.says}{f'; {w.change}' if w.change else ''}") for w in weaknesses(log)]
        rows = rows or [("as it is", "enough replicas, two of them in sync, no unclean leader election")]
        carries = ", ".join(guarantee.name for guarantee in GUARANTEES if holds(log, guarantee))
        heading, subject = ("Transaction log", "") if log.kind is Log.TRANSACTION_LOG else ("Topic", f"{log.name} ")
        yield Section(heading, two_columns(tuple(rows)), f"{subject}allows {carries}")


def _log_data(log: LogFacts) -> dict[str, object]:
    return {
        "name": log.name,
        "replication_factor": log.replicas,
        "min_insync_replicas": log.min_in_sync,
        "unclean_leader_election": log.unclean_election,
        "in_sync": log.in_sync,
        "carries": {guarantee.name: holds(log, guarantee) for guarantee in GUARANTEES},
        "findings": [
            {"setting": w.setting, "says": w.says, "change": w.change, "counts": w.counts} for w in weaknesses(log)
        ],
    }
