"""Owns the verdict on a run: held, broken or not shown, as text, as JSON, and as JUnit XML for CI. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any
from xml.etree import ElementTree as Xml

from kdg.core.guarantees import Guarantee
from kdg.errors import NotMet, outcome_of
from kdg.verify.counting import Tally, allowed, reported
from kdg.verify.faults import FaultKind
from kdg.verify.result import Result

FAULT_EVERY = 10.0
"""One fault in so many seconds has to hit while records flow, or the run shows nothing."""

_COUNTS = tuple(f.name for f in fields(Tally) if f.name != "records")
_ALWAYS = ("lost", "duplicated", "out_of_order", "aborted_seen")
"""The counts that are shown even if they are 0."""


def _words(name: str) -> str:
    return reported(name).replace("_", " ")


@dataclass(frozen=True, slots=True)
class Verdict:
    """A result compared with its guarantee.

    program: the program that ran in place of `kdg pipe`. seconds: for how long faults were to come.
    """

    guarantee: Guarantee
    result: Result
    program: Sequence[str] = ()
    seconds: float = 60.0

    @property
    def least(self) -> int:
        """How many faults had to hit while records flowed."""
        return max(round(self.seconds / FAULT_EVERY), 1)

    @property
    def broken(self) -> list[str]:
        """In which ways the promise was broken."""
        return self.result.breaches(self.guarantee)

    @property
    def not_shown(self) -> list[str]:
        """Why the run shows nothing although nothing broke; empty if it shows enough."""
        return self.result.too_few(self.least)

    @property
    def error(self) -> NotMet | None:
        """The error with which the run ends; None if the promise held under enough faults."""
        if self.broken:
            return NotMet(f"{self.guarantee.name} is broken: {'; '.join(self.broken)}.", self._which())
        if self.not_shown:
            reason = f"{'; '.join(self.not_shown)}, and at least {self.least} have to"
            hint = (
                "Let it run longer (--for), or let the group recover sooner "
                "(session.timeout.ms=6000 in CMD's consumer)."
            )
            return NotMet(f"nothing broke, but {self.guarantee.name} is not shown: {reason}.", hint)
        return None

    @property
    def headline(self) -> str:
        """Such as `exactly-once held`."""
        return f"{self.guarantee.name} {'broken' if self.broken else 'not shown' if self.not_shown else 'held'}"

    def _which(self) -> str:
        """Which records are wrong, and the last words of the first worker with an unexpected exit."""
        permitted = {reported(name) for name in allowed(self.guarantee)}
        wrong = {kind: names for kind, names in self.result.wrong.items() if names and kind not in permitted}
        named = "; ".join(f"{kind} {', '.join(names)}" for kind, names in wrong.items())
        records = [f"By partition:record of the input: {named}."] if named else []
        said = [f"Worker {each.worker} said: {each.said}" for each in self.result.unexpected[:1]]
        return "\n     ".join(records + said)

    # ── text ──

    def text(self) -> str:
        """The table of the partitions, the line of the faults, and the line of the counts with the verdict."""
        return self._table() + f"{self._faults()}\n{self._counts()}\n"

    def _table(self) -> str:
        shown = self._shown
        head = ["partition", "records", *map(_words, shown)]
        rows = [head]
        for number, tally in self.result.partitions.items():
            name = str(number) if number >= 0 else "none"  # foreign records
            rows.append([name, *(f"{getattr(tally, column):,}" for column in ("records", *shown))])
        wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ("   ".join(cell.rjust(width) for cell, width in zip(row, wide, strict=True)) for row in rows)
        return "".join(f"{line}\n" for line in lines)

    @property
    def _shown(self) -> list[str]:
        tally = self.result.tally
        return [name for name in _COUNTS if name in _ALWAYS or getattr(tally, name)]

    def _faults(self) -> str:
        kinds = ", ".join(f"{word} {count}" for word, count in self.faults.items())
        records, partitions = self.result.tally.records, sum(number >= 0 for number in self.result.partitions)
        named = f" ({kinds})" if kinds else ""
        return f"faults {self.result.injected}{named}, {partitions} partitions, {records:,} records"

    def _counts(self) -> str:
        counts = "   ".join(f"{_words(name)} {getattr(self.result.tally, name):,}" for name in self._shown)
        return f"{counts:<60}  {self.headline}"

    @property
    def faults(self) -> dict[str, int]:
        """How many faults of each kind, by the names that `--faults` takes."""
        found: Counter[str] = Counter()
        for kind, count in self.result.faults.items():
            found[FaultKind(kind).word] += count
        return dict(found)

    # ── for programs ──

    def as_json(self) -> Mapping[str, Any]:
        """The fields of `--report`."""
        code = self.error.exit_code if self.error else 0
        result = self.result
        return {
            "guarantee": self.guarantee.name,
            "command": "verify",
            "outcome": outcome_of(code),
            "exit_code": code,
            "program": list(self.program),
            **result.tally.as_json(),
            "partitions": {str(number): tally.as_json() for number, tally in result.partitions.items()},
            "faults": self.faults,
            "faults_while_flowing": result.while_flowing,
            "broken": self.broken,
            "not_shown": self.not_shown,
            "wrong": dict(result.wrong),
            "brokers": result.brokers,
            "seed": result.seed,
            "seconds": round(result.seconds, 3),
            "exits": [asdict(each) for each in result.exits],
            "history": list(result.history),
        }

    def checks(self) -> dict[str, str]:
        """Each check, and what was wrong; an empty text if nothing was."""
        may, tally = allowed(self.guarantee), self.result.tally
        found = {
            f"no record {_words(name)}": f"{_words(name)} {getattr(tally, name)}" if getattr(tally, name) else ""
            for name in _COUNTS
            if name not in may
        }
        counted = set(found.values())
        found["all is settled in the end"] = "; ".join(each for each in self.broken if each not in counted)
        found["faults hit while records flowed"] = "; ".join(self.not_shown)
        return found

    def as_junit(self) -> str:
        """A JUnit test suite with a test case for each check."""
        checks = self.checks()
        failures = sum(map(bool, checks.values()))
        seconds = f"{self.result.seconds:.1f}"
        suite = Xml.Element(
            "testsuite",
            name=f"kdg verify {self.guarantee.name}",
            tests=str(len(checks)),
            failures=str(failures),
            errors="0",
            skipped="0",
            time=seconds,
        )
        for name, wrong in checks.items():
            case = Xml.SubElement(suite, "testcase", classname=f"kdg.verify.{self.guarantee.name}", name=name, time="0")
            if wrong:
                Xml.SubElement(case, "failure", message=wrong).text = self._which()
        Xml.SubElement(suite, "system-out").text = self.text()
        Xml.indent(suite)
        return f"{Xml.tostring(suite, encoding='unicode', xml_declaration=True)}\n"
