"""What `kdg explain` answers: a page for every name, in every format and client, and none that says a thing twice."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import combinations, pairwise
from typing import Any

import pytest

from kdg.core.crash.table import crash_table
from kdg.core.crash.world import SHAPES
from kdg.core.destinations import DestinationKind
from kdg.core.guarantees import (
    AT_LEAST_ONCE,
    DEDUP_TTL,
    EXACTLY_ONCE,
    GUARANTEES,
    Guarantee,
    Role,
    Step,
)
from kdg.errors import EXIT_CODES, UsageError
from kdg.explain import CLIENTS, COMMANDS, ENDS, FORMATS, explain, names, table_markdown
from kdg.explain.dialects import DIALECTS, configuration, dotnet_name
from kdg.explain.facts import FACTS
from kdg.explain.questions import QUESTIONS, Question
from kdg.explain.words import ROLES, ending
from kdg.settings.java import java_name
from kdg.settings.librdkafka import CANONICAL, KNOWN
from kdg.settings.resolve import OF_THE_TOOL
from kdg.text.render import column_widths

PAIRS = list(combinations((row.name for row in GUARANTEES), 2))
CALLS = [(), ("exit-codes",), *((name,) for name in names()), *PAIRS]
IN_THE_TABLE = sorted({s.name for row in GUARANTEES for role in Role for s in row.settings(role)})


def data(*asked: str, **options: Any) -> dict[str, Any]:
    page: dict[str, Any] = json.loads(explain(asked, format="json", **options))
    return page


def squeezed(text: str) -> str:
    """Without line breaks and alignment, so that wrapped sentences can be found."""
    return " ".join(text.split())


# ── every page ──


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("asked", CALLS, ids=" ".join)
def test_every_page_fits_into_80_columns(asked: tuple[str, ...], client: str) -> None:
    text = explain(asked, client=client)
    assert [line for line in text.splitlines() if len(line) > 80] == []
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "Traceback" not in text
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


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("row", GUARANTEES, ids=lambda row: row.name)
def test_every_guarantee_has_a_page_for_each_command(row: Guarantee, client: str, command: str) -> None:
    for kind in FORMATS:
        assert row.name in explain([row.name], client=client, command=command, format=kind)


@pytest.mark.parametrize("width", [40, 60, 120])
@pytest.mark.parametrize("row", GUARANTEES, ids=lambda row: row.name)
def test_prose_follows_the_width(row: Guarantee, width: int) -> None:
    assert max(map(len, explain([row.name], width=width).splitlines())) <= width


def test_colour_only_adds_codes() -> None:
    coloured = explain(["exactly-once"], color=True)
    assert "\x1b[1mexactly-once\x1b[0m" in coloured
    assert coloured.replace("\x1b[1m", "").replace("\x1b[0m", "") == explain(["exactly-once"])


# ── names ──


@pytest.mark.parametrize("name", IN_THE_TABLE)
def test_every_setting_of_the_table_has_a_page_with_the_reason(name: str) -> None:
    text = squeezed(explain([name]))
    for row in GUARANTEES:
        for role in Role:
            for setting in row.settings(role):
                if setting.name == name:
                    assert setting.why.split()[0] in text
                    assert row.name in text


@pytest.mark.parametrize("alias", [alias for alias, name in CANONICAL.items() if name in FACTS])
def test_an_alias_means_its_setting(alias: str) -> None:
    assert data(alias)["name"] == CANONICAL[alias]


@pytest.mark.parametrize("name", FACTS)
def test_a_setting_is_found_by_its_names_in_other_clients(name: str) -> None:
    for spelled in (dotnet_name(name), java_name(name), f"--{name}", f"topic.{name}", name.replace(".", "_").upper()):
        assert not spelled or data(spelled)["name"] == name


@pytest.mark.parametrize("row", EXIT_CODES, ids=lambda row: row.code)
def test_every_exit_code_has_a_page(row: Any) -> None:
    for asked in ([str(row.code)], [f"exit-{row.code}"], ["exit", str(row.code)]):
        page = data(*asked)
        assert (page["code"], page["meaning"], page["advice"]) == (row.code, row.meaning, row.advice)


@pytest.mark.parametrize("asked", [["exit-codes"], ["exit", "codes"], ["exits"], ["exit codes"]])
def test_the_exit_codes_have_a_list(asked: list[str]) -> None:
    assert [row["code"] for row in data(*asked)["exit_codes"]] == [row.code for row in EXIT_CODES]


@pytest.mark.parametrize(("text", "name"), [("eos", "exactly-once"), ("exactly", "exactly-once"), ("--amo", "at-most-once")])  # fmt: skip
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


def test_a_name_like_no_other_is_told_where_the_names_are() -> None:
    with pytest.raises(UsageError) as caught:
        explain(["zzzzzz"])
    assert "kdg explain" in caught.value.hint


def test_a_setting_that_bears_on_no_guarantee_is_said_to_be_one() -> None:
    with pytest.raises(UsageError, match="no part in a guarantee"):
        explain(["ssl.ca.location"])


@pytest.mark.parametrize("asked", [["acks", "linger.ms"], ["eos", "acks"], ["eos", "alo", "amo"], ["42"], [""]])
def test_what_has_no_page_is_a_usage_error(asked: list[str]) -> None:
    with pytest.raises(UsageError):
        explain(asked)


@pytest.mark.parametrize("option", [{"client": "cobol"}, {"format": "pdf"}, {"command": "verify"}])
def test_an_unknown_option_value_names_the_known_ones(option: dict[str, str]) -> None:
    with pytest.raises(UsageError) as caught:
        explain(["eos"], **option)  # type: ignore[arg-type]  # one of several options of the same type
    assert "Choose one of" in caught.value.hint


# ── what the pages say ──


@pytest.mark.parametrize("row", GUARANTEES, ids=lambda row: row.name)
def test_a_guarantee_shows_everything_of_its_row(row: Guarantee) -> None:
    text = squeezed(explain([row.name], width=200))
    for part in (row.promise, row.asks_of_cluster, row.where_it_ends, row.costs, row.speed, *row.flags):
        assert part in text
    for setting in (*row.producer, *row.consumer):
        assert f"{setting.name}={setting.value or ('none' if setting.locked else '...')}" in text
        assert setting.why in text


@pytest.mark.parametrize("row", GUARANTEES, ids=lambda row: row.name)
def test_a_guarantee_shows_its_crash_table(row: Guarantee) -> None:
    crash = data(row.name)["crash"]
    assert list(crash) == [command for command, shape in SHAPES.items() if shape.serves(row)]
    for command, points in crash.items():
        shown = [(p["step"], p["moment"], p["may_lose"], p["may_double"], p["sentence"]) for p in points]
        assert shown == [tuple(point) for point in crash_table(row, command)]


@pytest.mark.parametrize("row", GUARANTEES, ids=lambda row: row.name)
def test_the_cycle_is_that_of_the_row(row: Guarantee) -> None:
    how = data(row.name)["how"]
    assert how["each_chunk"] == [step.value for step in row.chunk]
    assert how["each_interval"] == [step.value for step in row.interval]


def test_consume_exactly_once_names_its_sinks() -> None:
    """Consuming exactly once is explained with the sinks that can hold it."""
    page = explain(["eos"], command="consume", width=200)
    for row in GUARANTEES:
        for end in DestinationKind:
            assert (end in row.destinations) == (ending(row, end) != ending(EXACTLY_ONCE, DestinationKind.STDOUT))
    assert "A CRASH IN consume --output" in page
    assert "stdout         with -G refused" in page


@pytest.mark.parametrize("name", ENDS)
def test_each_destination_has_a_page(name: str) -> None:
    """Each end has a page that says under each guarantee what is promised and where it ends."""
    page = " ".join(explain([name], width=400).split())
    assert ENDS[name].beyond in page
    for row in GUARANTEES:
        assert f"{row.name} {ending(row, ENDS[name])}" in page


def test_the_window_of_deduplication_is_stated() -> None:
    page = " ".join(explain(["dedup-by"], width=400).split())
    assert f"remembered for {DEDUP_TTL}" in page
    assert page == " ".join(explain(["dedup-store"], width=400).split())
    assert "DEDUP" not in explain(["eos"]).upper()


def test_unset_transactional_id_has_no_placeholder() -> None:
    """Nothing stands for a transactional id that has to stay unset."""
    assert "transactional.id=none" in explain(["alo"])
    assert "TransactionalId" not in explain(["alo"], client="dotnet")


def test_the_leader_alone_is_said_to_give_up_two_things() -> None:
    text = squeezed(explain(["--acks"]))
    assert "`--acks leader`" in text
    assert "if the leader dies" in text
    assert "retry" in text


def test_two_guarantees_show_only_what_differs() -> None:
    rows = data("alo", "eos")["differences"]
    assert all(row["at-least-once"] != row["exactly-once"] for row in rows)
    assert {"duplicates", "transactional.id", "pipe"} <= {row["what"] for row in rows}
    assert "loss" not in {row["what"] for row in rows}


def test_a_guarantee_beside_itself_is_its_page() -> None:
    assert explain(["eos", "exactly-once"]) == explain(["eos"])


def test_the_overview_names_every_setting_and_guarantee() -> None:
    text = squeezed(explain([]))
    assert all(name in text for name in (*FACTS, *(row.name for row in GUARANTEES)))


def test_the_readme_table_has_a_column_for_each_guarantee() -> None:
    lines = table_markdown().splitlines()
    assert lines[0] == "|  | at-most-once | at-least-once | exactly-once |"
    assert "| loss | possible | none | none |" in lines
    assert "| duplicates | none | possible | none |" in lines


# ── other clients ──


def test_dotnet_has_enums_and_types_of_its_own() -> None:
    eos, amo = explain(["eos"], client="dotnet"), explain(["amo"], client="dotnet")
    for part in (
        "Acks = Acks.All,",
        "EnableIdempotence = true,",
        'TransactionalId = "...",',
        "IsolationLevel = IsolationLevel.ReadCommitted,",
        "EnableAutoCommit = false,",
        "EnableAutoOffsetStore = false,",
        "AutoOffsetReset = AutoOffsetReset.Error,",
        "producer.SendOffsetsToTransaction(",
    ):
        assert part in eos
    assert "Acks = Acks.None," in amo
    assert "Transaction(" not in amo


def test_java_has_none_of_the_settings_it_would_ignore() -> None:
    text = explain(["eos"], client="java")
    assert "enable.auto.offset.store" not in text
    assert "message.send.max.retries" not in text
    assert "auto.offset.reset=none" in text


@pytest.mark.parametrize("client", DIALECTS)
@pytest.mark.parametrize("row", GUARANTEES, ids=lambda row: row.name)
def test_the_calls_come_in_the_order_of_the_row(row: Guarantee, client: str) -> None:
    lines = data(row.name, client=client)["code"]
    calls = DIALECTS[client].calls
    places = [lines.index(calls[step][-1]) for step in row.steps if step in calls]
    assert places == sorted(places)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_given_only_its_own_clients(command: str) -> None:
    text = explain(["alo"], client="python", command=command)
    assert ("Producer({" in text) == (Role.PRODUCER in ROLES[command])
    assert ("Consumer({" in text) == (Role.CONSUMER in ROLES[command])


@pytest.mark.parametrize("row", GUARANTEES, ids=lambda row: row.name)
def test_the_configuration_for_python_is_what_the_row_asks_for(row: Guarantee) -> None:
    """And it is Python."""
    scope: dict[str, Any] = {"Producer": dict, "Consumer": dict}
    exec("\n".join(configuration(row, "python", "pipe", ROLES["pipe"])), scope)  # noqa: S102  our own page
    for role in Role:
        config = scope[role.value]
        for setting in row.settings(role):
            if setting.value and (not setting.commands or "pipe" in setting.commands):
                assert config[setting.name] == setting.value


def test_each_step_with_a_client_has_a_call_in_every_dialect() -> None:
    own = {Step.FILTER, Step.DEDUP, Step.MARK}
    for dialect in DIALECTS.values():
        assert set(dialect.calls) == set(Step) - own


# ── questions and search ──


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("lost messages", "lost-messages"),
        ("why are there duplicates", "idempotent-duplicates"),
        ("duplicates", "idempotent-duplicates"),
        ("fenced by a newer instance", "fenced-alone"),
        ("consumer stands still", "stuck"),
        ("database", "side-effects"),
        ("events vanished", "lost-messages"),
        ("two clusters", "two-clusters"),
        ("password", "config"),
        ("unclean election", "unclean.leader.election.enable"),
        ("report timed out", "timed-out"),
    ],
)
def test_words_find_their_page(words: str, page: str) -> None:
    found = data(*words.split())["found"]
    assert page in [hit["name"] for hit in found][:3]
    assert page in explain(words.split())


def test_every_page_that_is_pointed_to_is_there() -> None:
    for asked in CALLS:
        for line in data(*asked).get("see", []):
            name = line.removeprefix("kdg explain ")
            assert name in ("NAME", line) or explain(name.split()), line


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.name)
def test_every_question_has_an_answer_and_where_to_go_on(question: Question) -> None:
    page = data(question.name)
    assert page["summary"] == question.question
    assert page["answer"] == question.answer
    assert question.see


@pytest.mark.parametrize("client", DIALECTS)
@pytest.mark.parametrize("name", [name for name in FACTS if name in KNOWN])
def test_every_setting_is_written_as_each_client_takes_it(name: str, client: str) -> None:
    own = DIALECTS[client].name_of(name)
    assert not own or own in explain([name], client=client).partition("WRITTEN\n")[2].splitlines()[0]


# ── the facts ──


def test_every_fact_of_a_client_is_a_property_that_it_knows() -> None:
    for fact in FACTS.values():
        assert (fact.name in KNOWN) == (fact.side in {role.value for role in Role})
        if fact.name in KNOWN:
            assert {role.value for role in KNOWN[fact.name]} >= {fact.side}


def test_every_setting_of_the_table_has_facts() -> None:
    assert set(IN_THE_TABLE) <= set(FACTS)


def test_what_kdg_itself_sets_is_shown_where_no_guarantee_does() -> None:
    linger = next(s for s in OF_THE_TOOL[Role.PRODUCER] if s.name == "linger.ms")
    assert linger.why in squeezed(explain(["linger.ms"]))


def test_what_is_asked_of_the_cluster_is_said_on_its_page() -> None:
    text = squeezed(explain(["min.insync.replicas"]))
    assert AT_LEAST_ONCE.name in text
    assert EXACTLY_ONCE.name in text


# ── layout ──


def test_columns_give_way_widest_first_and_words_last() -> None:
    assert column_widths([("ab", "a b c d e f g h")], 12) == [2, 8]
    assert column_widths([("abcdefgh", "ij kl")], 12) == [8, 2]
    assert column_widths([("abcdefgh", "ijklmnop")], 12) == [5, 5]


def test_importing_explain_imports_no_client_and_no_cli() -> None:
    code = (
        "import sys; from kdg.explain import explain; explain(['eos']); explain(['eos'], client='dotnet'); "
        "print([m for m in ('confluent_kafka', 'rich', 'typer', 'difflib', 'json') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
