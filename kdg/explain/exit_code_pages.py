"""Owns the pages of the exit codes. Their meaning and advice are the rows of EXIT_CODES in kdg/errors.py."""

from __future__ import annotations

from kdg.errors import EXIT_CODES, ExitCode
from kdg.explain.words import see
from kdg.text.page import Page, Section, Table


def exit_code_page(row: ExitCode) -> Page:
    """One exit code: what it means and what to do."""
    pages = ["kdg explain exit-codes"]
    sections = (
        Section("Means", row.meaning),
        Section("To do", row.advice),
        Section("Code", f"{row.code}; `--report` calls it {row.outcome}"),
        see(pages),
    )
    data = {"meaning": row.meaning, "advice": row.advice, "code": row.code, "see": pages}
    return Page("exit-code", f"exit {row.code}", row.outcome, "", sections, data)


def exit_codes_page() -> Page:
    """All exit codes."""
    rows = tuple((str(row.code), row.outcome, row.meaning) for row in EXIT_CODES)
    pages = ["kdg explain exit-5"]
    data = {
        "exit_codes": [
            {"code": row.code, "outcome": row.outcome, "meaning": row.meaning, "advice": row.advice}
            for row in EXIT_CODES
        ],
        "see": pages,
    }
    sections = (Section("", Table(("", "", ""), rows)), see(pages))
    return Page("exit-codes", "exit codes", "", "How a run ends, and the exit code that a script gets.", sections, data)
