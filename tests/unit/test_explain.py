"""What `kdg explain` answers: a page for every name, in every format and for every client."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from typing import Any

import pytest

from kdg.core.guarantees import GUARANTEES, Role
from kdg.errors import EXIT_CODES, UsageError
from kdg.explain import CLIENTS, explain, names
from kdg.explain.dialects.dotnet import dotnet_name
from kdg.explain.facts import FACTS
from kdg.settings.java import java_name
from kdg.settings.librdkafka import CANONICAL
from tests.support.pages import CALLS, data, squeezed

IN_THE_TABLE = sorted({s.name for row in GUARANTEES for role in Role for s in row.settings(role)})
REQUIRED = sorted({r.setting for row in GUARANTEES for r in row.requires})


# ── every page ──


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("asked", CALLS, ids=" ".join)
def test_every_page_fits_into_80_columns(asked: tuple[str, ...], client: str) -> None:
    text = explain(asked, client=client)
    assert [line for line in text.splitlines() if len(line) > 80] == []
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "\x1b" not in text
    assert "\u00a0" not in text


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("asked", CALLS, ids=" ".join)
def test_every_page_is_json_with_the_same_frame(asked: tuple[str, ...], client: str) -> None:
    page = data(*asked, client=client)
    assert list(page)[:4] == ["kind", "name", "brief", "summary"]
    assert page["name"]
    assert all(value is not None for value in page.values())


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("asked", CALLS, ids=" ".join)
def test_every_page_is_markdown_with_a_title_and_whole_tables(asked: tuple[str, ...], client: str) -> None:
    lines = explain(asked, format="markdown", client=client).splitlines()
    assert lines[0].startswith("# ")
    for one, other in pairwise(lines):
        if one.startswith("|") and other.startswith("|"):
            assert one.replace("\\|", "").count("|") == other.replace("\\|", "").count("|")


def test_colour_only_adds_codes() -> None:
    coloured = explain(["exactly-once"], color=True)
    assert "\x1b[1mexactly-once\x1b[0m" in coloured
    assert coloured.replace("\x1b[1m", "").replace("\x1b[0m", "") == explain(["exactly-once"])


# ── names ──


@pytest.mark.parametrize("name", IN_THE_TABLE)
def test_every_setting_of_the_table_has_a_page_with_the_reason(name: str) -> None:
    text = explain([name], format="markdown")
    for row in GUARANTEES:
        for role in Role:
            for setting in row.settings(role):
                if setting.name == name:
                    assert setting.why in text
                    assert row.name in text


@pytest.mark.parametrize("name", REQUIRED)
def test_a_required_setting_says_who_requires_it(name: str) -> None:
    """The page of a setting of the cluster names the guarantees that require it, the condition and the reason."""
    text = squeezed(explain([name], format="markdown"))
    for row in GUARANTEES:
        for required in row.requires:
            if required.setting == name:
                assert row.name in text
                assert required.phrase in text
                assert required.why in text


@pytest.mark.parametrize("alias", [alias for alias, name in CANONICAL.items() if name in FACTS])
def test_an_alias_means_its_setting(alias: str) -> None:
    assert data(alias)["name"] == CANONICAL[alias]


@pytest.mark.parametrize("name", FACTS)
def test_a_setting_is_found_by_its_names_in_other_clients(name: str) -> None:
    java = "" if name == "socket.timeout.ms" else java_name(name)  # librdkafka has a request.timeout.ms of its own
    for spelled in (dotnet_name(name), java, f"--{name}", f"topic.{name}", name.replace(".", "_").upper()):
        assert not spelled or data(spelled)["name"] == name


@pytest.mark.parametrize("row", EXIT_CODES, ids=lambda row: row.code)
def test_every_exit_code_has_a_page(row: Any) -> None:
    for asked in ([str(row.code)], [f"exit-{row.code}"], ["exit", str(row.code)]):
        page = data(*asked)
        assert (page["code"], page["meaning"], page["advice"]) == (row.code, row.meaning, row.advice)


@pytest.mark.parametrize("asked", [["exit-codes"], ["exit", "codes"], ["exits"], ["exit codes"]])
def test_the_exit_codes_have_a_list(asked: list[str]) -> None:
    assert [row["code"] for row in data(*asked)["exit_codes"]] == [row.code for row in EXIT_CODES]


@pytest.mark.parametrize(
    ("text", "name"),
    [("eos", "exactly-once"), ("exactly", "exactly-once"), ("--amo", "at-most-once")],
)
def test_a_guarantee_is_found_by_its_short_names(text: str, name: str) -> None:
    assert data(text)["name"] == name


@pytest.mark.parametrize(
    ("text", "near"),
    [("exactly-onc3", "exactly-once"), ("enable.idempotense", "enable.idempotence"), ("exit-cods", "exit-codes")],
)
def test_an_unknown_name_offers_near_ones(text: str, near: str) -> None:
    with pytest.raises(UsageError) as caught:
        explain([text])
    assert text in str(caught.value)
    assert near in caught.value.hint


def test_a_name_like_no_other_gets_a_list_of_names() -> None:
    """If no name is similar, the hint says where the names are."""
    with pytest.raises(UsageError) as caught:
        explain(["zzzzzz"])
    assert "kdg explain" in caught.value.hint


def test_an_irrelevant_setting_is_recognised() -> None:
    """A setting that does not affect any guarantee is not called unknown."""
    with pytest.raises(UsageError, match="does not affect any guarantee"):
        explain(["ssl.ca.location"])


@pytest.mark.parametrize("asked", [["acks", "linger.ms"], ["eos", "acks"], ["eos", "alo", "amo"], ["42"], [""]])
def test_what_has_no_page_is_a_usage_error(asked: list[str]) -> None:
    with pytest.raises(UsageError):
        explain(asked)


@pytest.mark.parametrize("option", [{"client": "cobol"}, {"format": "pdf"}])
def test_an_unknown_option_value_names_the_known_ones(option: dict[str, str]) -> None:
    with pytest.raises(UsageError) as caught:
        explain(["eos"], **option)  # type: ignore[arg-type]  # one of several options of the same type
    assert "Choose one of" in caught.value.hint


def test_every_page_that_is_pointed_to_exists() -> None:
    """Each line under SEE is a call that has a page, or the help of a command."""
    for asked in CALLS:
        for line in data(*asked).get("see", []):
            command, _, name = line.partition("explain ")
            if command == "kdg " and name != "NAME":
                assert data(*name.split())["name"], line


def test_every_name_is_listed_once() -> None:
    assert len(names()) == len(set(names()))


# ── start-up ──


def test_importing_explain_imports_no_client_and_no_cli() -> None:
    code = (
        "import sys; from kdg.explain import explain; explain(['eos']); explain(['eos'], client='dotnet'); "
        "print([m for m in ('confluent_kafka', 'rich', 'typer', 'difflib', 'json') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
