"""What the pages of `kdg explain` say: what the table of guarantees says, and what is true for each client."""

from __future__ import annotations

import json
import re

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
)
from kdg.errors import UsageError
from kdg.explain import explain, table_markdown
from kdg.explain.dialects import DIALECTS
from kdg.explain.dialects.program import shown_value
from kdg.explain.facts import FACTS, Default, Fact
from kdg.explain.names import DESTINATIONS
from kdg.explain.words import promised
from kdg.settings.conflicts import CONTRADICTIONS
from kdg.settings.defaults import KDG_DEFAULTS
from kdg.settings.definitions import definition, dotnet_enums, dotnet_properties
from kdg.settings.definitions.values import refusal
from kdg.settings.java import java_name
from kdg.settings.librdkafka import KNOWN
from kdg.settings.options.limited import flags_under
from tests.support.pages import data, squeezed, unwrapped

every_guarantee = pytest.mark.parametrize("row", GUARANTEES, ids=lambda row: row.name)
every_client = pytest.mark.parametrize("client", DIALECTS)


# ── guarantees ──


@every_guarantee
def test_a_guarantee_shows_everything_of_its_row(row: Guarantee) -> None:
    text = unwrapped(row.name)
    for part in (row.promise, row.asks_of_cluster, row.where_it_ends, row.costs, row.speed, *flags_under(row)):
        assert part in text
    for setting in (*row.producer, *row.consumer):
        assert f"{setting.name}={shown_value(setting)}" in text
        assert setting.why in text


@every_guarantee
def test_a_guarantee_shows_its_crash_table(row: Guarantee) -> None:
    crash = data(row.name)["crash"]
    assert list(crash) == [command for command, shape in SHAPES.items() if shape.serves(row)]
    for command, points in crash.items():
        shown = [(p["step"], p["moment"], p["may_lose"], p["may_double"], p["sentence"]) for p in points]
        assert shown == [tuple(point) for point in crash_table(row, command)]


@every_guarantee
def test_the_cycle_is_that_of_the_row(row: Guarantee) -> None:
    how = data(row.name)["how"]
    assert how["each_chunk"] == [step.value for step in row.chunk]
    assert how["each_interval"] == [step.value for step in row.interval]


def test_consume_exactly_once_names_its_destinations() -> None:
    """The page says which destinations can keep exactly-once, and that -G is refused for the others."""
    refused = promised(EXACTLY_ONCE, DestinationKind.STDOUT)
    for row in GUARANTEES:
        for kind in DestinationKind:
            assert (kind in row.destinations) == (promised(row, kind) != refused)
    page = unwrapped("eos")
    assert "consume --output" in page
    assert f"| stdout | {refused} |" in page
    assert refused.startswith("with -G: refused")


@pytest.mark.parametrize("name", DESTINATIONS)
def test_each_destination_has_a_page(name: str) -> None:
    """The page of a destination says, for each guarantee, what is promised and where the promise ends."""
    page, kind = unwrapped(name), DESTINATIONS[name]
    assert kind.beyond in page
    for row in GUARANTEES:
        assert f"| {row.name} | {promised(row, kind)} |" in page


@pytest.mark.parametrize(("name", "file"), [("output", "FILE.kdg"), ("sqlite", "FILE-wal"), ("dedup-by", "FILE of")])
def test_page_of_a_file_says_what_its_renaming_does(name: str, file: str) -> None:
    """The files that have to stay where they are, and how the run ends otherwise."""
    sentence = unwrapped(name).split("to stay where")
    assert len(sentence) == 2
    assert file in sentence[0]
    assert "exit 1" in sentence[1]


def test_the_window_of_deduplication_is_stated() -> None:
    assert f"remembered for {DEDUP_TTL}" in unwrapped("dedup-by")
    assert unwrapped("dedup-by") == unwrapped("dedup-store")
    assert "DEDUP" not in unwrapped("eos").upper()


def test_unset_transactional_id_has_no_placeholder() -> None:
    """A transactional id that has to stay unset is shown as none, and .NET's configuration leaves it out."""
    assert "transactional.id=none" in explain(["alo"])
    assert "TransactionalId" not in explain(["alo"], client="dotnet")


def test_the_page_of_acks_says_what_leader_gives_up() -> None:
    """`--acks leader` gives up two things: records that only the leader has, and the recognition of retries."""
    text = unwrapped("--acks")
    assert "`--acks leader`" in text
    assert "if the leader dies" in text
    assert "no longer recognises a retry" in text


def test_two_guarantees_show_only_what_differs() -> None:
    rows = data("alo", "eos")["differences"]
    assert all(row["at-least-once"] != row["exactly-once"] for row in rows)
    assert {"duplicates", "transactional.id", "pipe"} <= {row["what"] for row in rows}
    assert "loss" not in {row["what"] for row in rows}


def test_a_guarantee_beside_itself_is_its_page() -> None:
    assert explain(["eos", "exactly-once"]) == explain(["eos"])


def test_the_overview_names_every_setting_and_guarantee() -> None:
    text = squeezed(explain([]))
    assert [name for name in (*FACTS, *(row.name for row in GUARANTEES)) if name not in text] == []


def test_the_readme_table_has_a_column_for_each_guarantee() -> None:
    lines = table_markdown().splitlines()
    assert lines[0] == "|  | at-most-once | at-least-once | exactly-once |"
    assert "| loss | possible | none | none |" in lines
    assert "| duplicates | none | possible | none |" in lines


def test_the_page_of_the_configuration_names_the_sources_in_order() -> None:
    """JSON has a name for each source of settings, as text has."""
    sources = [row["source"] for row in data("config")["order"]]
    assert sources[:2] == ["options", "-X PROP=VALUE"]
    assert sources[-1] == "the guarantee"


# ── other clients ──


def test_dotnet_has_enums_and_types_of_its_own() -> None:
    eos, amo = explain(["eos"], client="dotnet"), explain(["amo"], client="dotnet")
    for part in (
        "Acks = Acks.All,",
        "EnableIdempotence = true,",
        "TransactionalId = Group + ",
        "IsolationLevel = IsolationLevel.ReadCommitted,",
        "EnableAutoCommit = false,",
        "EnableAutoOffsetStore = false,",
        "AutoOffsetReset = AutoOffsetReset.Error,",
        "Producer.SendOffsetsToTransaction(",
    ):
        assert part in eos
    assert "Acks = Acks.None," in amo
    assert "Transaction(" not in amo


def test_java_has_none_of_the_settings_it_would_ignore() -> None:
    text = explain(["eos"], client="java")
    assert "enable.auto.offset.store" not in text
    assert "message.send.max.retries" not in text
    assert '"auto.offset.reset", "none"' in text


@every_client
@pytest.mark.parametrize("name", [name for name in FACTS if name in KNOWN])
def test_every_setting_is_written_as_each_client_takes_it(name: str, client: str) -> None:
    """The page shows the setting in the client's own syntax, if the client has the setting."""
    own = DIALECTS[client].name_of(name)
    written = data(name, client=client)["written"]
    assert own in written[client] if own else client not in written


# ── facts ──


def test_every_fact_of_a_client_is_a_property_that_it_knows() -> None:
    for fact in FACTS.values():
        assert (fact.name in KNOWN) == (fact.side in {role.value for role in Role}) == (fact.broker is None)
        if fact.name in KNOWN:
            assert {role.value for role in KNOWN[fact.name]} >= {fact.side}


def test_every_setting_of_the_table_has_facts() -> None:
    used = {s.name for row in GUARANTEES for role in Role for s in row.settings(role)}
    required = {r.setting for row in GUARANTEES for r in row.requires}
    assert used | required <= set(FACTS)


@pytest.mark.parametrize(
    ("default", "shown"),
    [
        (Default("all", "since 1.0"), "all (since 1.0)"),
        (Default("5000"), "5000"),
        (Default(""), "none"),
        (Default(None, "Java ignores it"), "absent (Java ignores it)"),
    ],
)
def test_a_default_is_a_value_with_a_note(default: Default, shown: str) -> None:
    assert str(default) == shown


def test_what_kdg_itself_sets_is_shown_where_no_guarantee_does() -> None:
    linger = next(s for s in KDG_DEFAULTS[Role.PRODUCER] if s.name == "linger.ms")
    assert linger.why in unwrapped("linger.ms")


def test_what_is_asked_of_the_cluster_is_said_on_its_page() -> None:
    text = unwrapped("min.insync.replicas")
    assert AT_LEAST_ONCE.name in text
    assert EXACTLY_ONCE.name in text


@every_client
def test_no_limit_of_a_delivery_is_said_for_each_client(client: str) -> None:
    """Java refuses a value below linger.ms + request.timeout.ms; in librdkafka 0 is no limit."""
    text = squeezed(explain(["message.timeout.ms"], client=client))
    assert "0 means no limit in librdkafka" in text
    assert "Java refuses delivery.timeout.ms=0" in text


WITHOUT_A_PAGE = {
    "message.max.bytes",
    "receive.message.max.bytes",
    "reconnect.backoff.max.ms",
    "reconnect.backoff.ms",
    "share.acknowledgement.mode",
    "share.acquire.mode",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "transaction.two.phase.commit.enable",
}
"""Settings that a client can refuse, on which no guarantee depends."""


def test_settings_of_contradictions_have_a_page() -> None:
    """What `explain contradictions` names, `explain` knows."""
    named = {name for row in CONTRADICTIONS for name in row.names}
    assert named - set(FACTS) == WITHOUT_A_PAGE


def test_exit_code_that_kdg_does_not_have_is_refused() -> None:
    with pytest.raises(UsageError, match="no exit code 99"):
        explain(["exit-99"])


@pytest.mark.parametrize("code", ["130", "143"])
def test_interrupted_produce_needs_an_identity_to_continue(code: str) -> None:
    assert "--resume" in explain([f"exit-{code}"])


def _written_lines() -> list[tuple[str, str, str]]:
    pages = [(name, json.loads(explain([name], format="json"))) for name in FACTS if name in KNOWN]
    return [(name, client, line) for name, page in pages for client, line in page["written"].items()]


@pytest.mark.parametrize(("name", "client", "line"), _written_lines())
def test_value_that_a_page_prints_is_one_of_the_client(name: str, client: str, line: str) -> None:
    """In the type, the unit and the spelling of the client."""
    assert "none" not in line.rsplit("=", maxsplit=1)[-1] or name in ("compression.type", "auto.offset.reset")
    if client == "dotnet":
        shown, value = line.rstrip(",").split(" = ")
        own = dotnet_properties()[name]
        assert shown == own.name
        kinds = {"int": r"\d+", "double": r"\d+(\.\d+)?", "bool": "true|false", "string": '".+"'}
        members = "|".join(f"{own.type}.{member}" for member in dotnet_enums().get(own.type, ()))
        assert re.fullmatch(kinds.get(own.type, members), value)
        return
    library = "java" if client == "java" else "librdkafka"
    parts = re.fullmatch(r"(?:-X )?\"?([\w.]+)\"?(?:=|: )\"?(.*?)\"?,?", line)
    assert parts is not None
    shown, value = parts.groups()
    own_definition = definition(library, shown)
    assert own_definition is not None
    assert value == "..." or refusal(library, own_definition, value) == ""


@pytest.mark.parametrize("fact", [fact for fact in FACTS.values() if fact.name in KNOWN], ids=lambda fact: fact.name)
def test_defaults_are_those_of_the_clients(fact: Fact) -> None:
    for library, name in (("librdkafka", fact.name), ("java", java_name(fact.name))):
        shown, own = fact.default(library).value, definition(library, name)
        if library == "java" and fact.name in ("partition.assignment.strategy", "partitioner"):
            continue  # class names
        same = {"-1": "all", "largest": "latest", None: ""}
        assert shown == (None if own is None else same.get(own.default, own.default)), library
