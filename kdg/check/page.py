"""Owns how a verdict is shown: the sections of one page, for text, Markdown and JSON alike (kdg/text/render.py). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kdg.check.reading import Reading
from kdg.check.rules import Finding
from kdg.check.verdict import BY_CODE, NEITHER, REFUSED, Verdict, changes, code
from kdg.core.guarantees import GUARANTEES, Guarantee
from kdg.settings.requirements import LogFacts, holds, weaknesses
from kdg.text.render import DOT, Page, Section, Table

_TITLES = {"librdkafka": "librdkafka", "java": "Java", "dotnet": ".NET"}
_MEANS = {
    REFUSED: "the client does not start with this",
    NEITHER: "may lose and may double: no guarantee at all",
    BY_CODE: "the settings leave it to the program",
}


def reached(verdicts: Sequence[Verdict], logs: Sequence[LogFacts], row: Guarantee) -> bool:
    """Whether all of it allows the guarantee."""
    return all(v.reaches(row) for v in verdicts) and all(holds(log, row) for log in logs)


def page(name: str, verdicts: Sequence[Verdict], logs: Sequence[LogFacts], row: Guarantee) -> Page:
    """The answer: what each client and each topic gives, why, and what to change."""
    answer = "reached" if reached(verdicts, logs, row) else "not reached"
    sections = [*_readings(verdicts), *_topics(logs), _see(verdicts)]
    data = Section("asked", "", Table(("",), ()), {"guarantee": row.name, "reached": answer == "reached"})
    return Page("check", name, f"{row.name}: {answer}", "", (*sections, data))


def _readings(verdicts: Sequence[Verdict]) -> Iterator[Section]:
    data = [_data(v) for v in verdicts]
    for index, verdict in enumerate(verdicts):
        heading = f"{_title(verdict.reading)}: {verdict.gives}"
        rows = [(_shown(verdict.reading, f), f.says) for f in verdict.findings]
        rows = rows or [(_MEANS.get(verdict.gives, "gives"), _promise(verdict.gives))]
        rows += [("note", remark) for remark in verdict.reading.remarks]
        yield Section("" if index else "readings", heading, Table(("", ""), tuple(rows)), data)
        yield Section("", "TO REACH", Table(("", ""), tuple((row.name, _way(verdict, row)) for row in GUARANTEES)), [])


def _promise(gives: str) -> str:
    return next((row.promise for row in GUARANTEES if row.name == gives), "see below")


def _title(reading: Reading) -> str:
    where = f" {reading.where}" if reading.where else ""
    return f"{reading.role.value.upper()}{where} as {_TITLES[reading.dialect]} reads it"


def _shown(reading: Reading, finding: Finding) -> str:
    return ", ".join(_setting(reading, name) for name in finding.settings)


def _setting(reading: Reading, name: str) -> str:
    value = reading.value(name) or "none"
    if name in reading.unknown:
        return name
    return f"{reading.named(name)}={value}{'' if reading.written(name) else ' (default)'}"


def _way(verdict: Verdict, row: Guarantee) -> str:
    """What to write, and what the program has to do."""
    wanted = changes(verdict, row)
    if wanted is None:
        return "not with these settings: mend what is refused first"
    return f"{_written(verdict.reading, wanted) or 'as it is'}; {code(verdict.reading.with_(wanted), row)}"


def _written(reading: Reading, wanted: Mapping[str, str]) -> str:
    return ", ".join(f"{reading.named(name)}={value}" for name, value in wanted.items())


def _data(verdict: Verdict) -> dict[str, object]:
    reading = verdict.reading
    return {
        "client": reading.dialect,
        "role": reading.role.value,
        "where": reading.where,
        "gives": verdict.gives,
        "reaches": {row.name: verdict.reaches(row) for row in GUARANTEES},
        "findings": [_finding(reading, f) for f in verdict.findings],
        "remarks": list(reading.remarks),
        "to_reach": {row.name: _to_reach(verdict, row) for row in GUARANTEES},
    }


def _finding(reading: Reading, finding: Finding) -> dict[str, object]:
    return {
        "settings": {reading.named(name): reading.value(name) or None for name in finding.settings if name not in reading.unknown},
        "says": finding.says,
        "loses": finding.loses,
        "doubles": finding.doubles,
        "refused": finding.refused,
    }  # fmt: skip


def _to_reach(verdict: Verdict, row: Guarantee) -> dict[str, object]:
    wanted = changes(verdict, row)
    if wanted is None:
        return {"change": None, "code": None}
    named = {verdict.reading.named(name): value for name, value in wanted.items()}
    return {"change": named, "code": code(verdict.reading.with_(wanted), row)}


def _topics(logs: Sequence[LogFacts]) -> Iterator[Section]:
    data = [_log(log) for log in logs]
    for index, log in enumerate(logs):
        carries = [row.name for row in GUARANTEES if holds(log, row)]
        found = weaknesses(log)
        rows = [(w.setting, f"{w.says}{f'; {w.change}' if w.change else ''}") for w in found]
        rows = rows or [("as it is", "replicated, two in sync, no unclean leader election")]
        heading = f"{log.name.upper() if ' ' in log.name else f'TOPIC {log.name}'}: {', '.join(carries)}"
        yield Section("" if index else "topics", heading, Table(("", ""), tuple(rows)), data)


def _log(log: LogFacts) -> dict[str, object]:
    return {
        "name": log.name,
        "replication_factor": log.replicas,
        "min_insync_replicas": log.min_in_sync,
        "unclean_leader_election": log.unclean_election,
        "in_sync": log.in_sync,
        "carries": {row.name: holds(log, row) for row in GUARANTEES},
        "findings": [{"setting": w.setting, "says": w.says, "change": w.change, "counts": w.counts} for w in weaknesses(log)],
    }  # fmt: skip


def _see(verdicts: Sequence[Verdict]) -> Section:
    first = [f.settings[0] for v in verdicts for f in v.findings if f.costs and f.settings][:1]
    pages = [f"kdg explain {name}" for name in (*first, "contradictions")]
    return Section("see", "SEE", DOT.join(pages), pages)
