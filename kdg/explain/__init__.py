"""Owns the pages of `kdg explain [NAME [NAME]]`.

    names            which page a name means; it suggests names for a misspelled one
    guarantee_page   exactly-once: everything about a guarantee, or (--client) how to write it in one client
    setting_page     acks: one setting of a client, a topic or a broker
    exit_code_pages  7, exit-codes: the texts are EXIT_CODES in kdg/errors.py
    questions        stuck, lost-messages: questions and answers
    pages            the table of guarantees, two guarantees compared, output, dedup-by, contradictions, config
    search           lost messages: the pages that contain these words
    facts            what is true about each setting under every guarantee: the clients' defaults, the effects
    dialects         names and notes of Python, .NET, Java, Go and kcat
    programs         whole programs in those languages, which the pages of the guarantees show in part
    deduplication    what `--dedup-by` does
    words            phrases that several pages share

Each page is a kdg.text.page.Page; kdg/text prints it. No fact is written twice: promises, settings and steps come from
kdg/core/guarantees.py, and kdg/core/crash works out what a crash does.

Pure. The package imports neither confluent_kafka nor rich nor typer, so that a page is shown at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from kdg.core.guarantees import find
from kdg.errors import UsageError
from kdg.explain import pages
from kdg.explain.dialects import CLIENTS, DIALECTS
from kdg.explain.dialects.program import program as program_of
from kdg.explain.names import names, page_of
from kdg.text.render import FORMATS, markdown_of, render

__all__ = ["CLIENTS", "explain", "names", "table_markdown"]


def explain(
    names: Sequence[str],
    client: str = "librdkafka",
    format: str = "text",  # noqa: A002  # the option's own name
    program: bool = False,
    color: bool = False,
) -> str:
    """The page that the names mean, ending with a newline; or, with `program`, a whole program of the client.

    names: nothing, a guarantee, a setting, an exit code, two guarantees, or words to search for.
    client: one of CLIENTS. format: one of kdg.text.render.FORMATS.
    Raises UsageError for an unknown name, client or format.
    """
    _one_of("--client", client, CLIENTS)
    if program:
        return _program(names, client)
    _one_of("--format", format, tuple(FORMATS))
    return render(page_of(names, client), format, color=color)


def _program(names: Sequence[str], client: str) -> str:
    guarantee = find("-".join(names))
    if guarantee is None:
        raise UsageError("--program prints the program of a guarantee.", "Write kdg explain exactly-once --program.")
    if client not in DIALECTS:
        raise UsageError(f"--program: kdg has no program for {client}.", f"Choose --client {' or '.join(DIALECTS)}.")
    return program_of(guarantee, client)


def table_markdown() -> str:
    """The table in the README: what each guarantee can lose or duplicate, and what it needs."""
    return markdown_of(pages.table()) + "\n"


def _one_of(flag: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise UsageError(f"{flag} {value!r} is unknown.", f"Choose one of {', '.join(known)}.")
