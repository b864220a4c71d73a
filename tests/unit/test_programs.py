"""The programs that `kdg explain GUARANTEE --client X` shows: their settings, their steps, and what the page shows."""

from __future__ import annotations

import re

import pytest

from kdg.core.guarantees import GUARANTEES, Guarantee, Role, Step
from kdg.errors import UsageError
from kdg.explain import explain
from kdg.explain.dialects import DIALECTS
from kdg.explain.dialects.program import CONFIGURATION, STEPS, part, program
from tests.support.pages import data

COPIES = [client for client in DIALECTS if client != "kcat"]
"""The clients whose programs copy a topic; kcat cannot do it."""

every_client = pytest.mark.parametrize("client", DIALECTS)
every_copy = pytest.mark.parametrize("client", COPIES)
every_guarantee = pytest.mark.parametrize("guarantee", GUARANTEES, ids=lambda guarantee: guarantee.name)

# How a program writes a setting: a name, what stands between, and a value.
SETTING = {
    "python": re.compile(r'^ +"([a-z.]+)": (.+),$', re.MULTILINE),
    "dotnet": re.compile(r"^ +(\w+) = (.+),$", re.MULTILINE),
    "kcat": re.compile(r"-X ([a-z.]+)=([^ \"]+)"),
    "go": re.compile(r'^ +"([a-z.]+)": +(.+),$', re.MULTILINE),
    "java": re.compile(r'^ +"([a-z.]+)", (.+?)[,)]+;?$', re.MULTILINE),
}
OWN = {
    "bootstrap.servers": "BROKERS",
    "group.id": "GROUP",
    "transactional.id": "KDG_",
    "BootstrapServers": "BROKERS",
    "GroupId": "GROUP",
    "TransactionalId": "KDG_",
    "go.delivery.reports": "FALSE",
}
"""The settings whose values come from the environment, or are no part of a promise, and what the value contains."""
SOONER = {"session.timeout.ms": "6000"}
"""Values that differ from kdg's own, and are no part of a promise: another instance takes over sooner."""

STEP = {
    "python": {
        Step.READ: "read()",
        Step.COMMIT: "commit()",
        Step.BEGIN: "producer.begin_transaction()",
        Step.WRITE: "send(message",
        Step.FLUSH: "producer.flush(",
        Step.RECORD_POSITION: "producer.send_offsets_to_transaction",
        Step.COMMIT_TRANSACTION: "producer.commit_transaction",
    },
    "dotnet": {
        Step.READ: "Consumer.Consume(",
        Step.COMMIT: "Consumer.Commit(",
        Step.BEGIN: "Producer.BeginTransaction()",
        Step.WRITE: "Producer.Produce(",
        Step.FLUSH: "Producer.Flush(",
        Step.RECORD_POSITION: "Producer.SendOffsetsToTransaction(",
        Step.COMMIT_TRANSACTION: "Producer.CommitTransaction(",
    },
    "go": {
        Step.READ: "consumer.Poll(",
        Step.COMMIT: "commit(consumer)",
        Step.BEGIN: "producer.BeginTransaction()",
        Step.WRITE: "producer.Produce(",
        Step.RECORD_POSITION: "producer.SendOffsetsToTransaction(",
        Step.COMMIT_TRANSACTION: "producer.CommitTransaction",
    },
    "java": {
        Step.READ: "consumer.poll(",
        Step.COMMIT: "consumer.commitSync(",
        Step.BEGIN: "producer.beginTransaction()",
        Step.WRITE: "producer.send(",
        Step.FLUSH: "producer.flush()",
        Step.RECORD_POSITION: "producer.sendOffsetsToTransaction(",
        Step.COMMIT_TRANSACTION: "commit();",
    },
}
"""The call of each step."""
SETTLE = {"python": "def settle():", "java": "void settle(", "go": "func settle(", "dotnet": "static void Settle("}
BELOW = {"python": "\n\n\n", "java": "\n}\n", "go": "\nfunc nothing", "dotnet": "\n}\n"}
"""How the function that settles begins, and how it ends if it is not the last one."""


def settings_of(guarantee: Guarantee, client: str) -> dict[str, str]:
    """The settings in the configuration of a program, without quotes."""
    text = "\n".join(part(program(guarantee, client), CONFIGURATION))
    return {name: value.strip('"') for name, value in SETTING[client].findall(text)}


def expected_settings(guarantee: Guarantee, client: str) -> dict[str, str]:
    """What a copy sets in a client: its own names, and values in small letters."""
    found = {"session.timeout.ms": SOONER["session.timeout.ms"]}
    for setting in (setting for role in Role for setting in guarantee.settings(role)):
        if setting.value and (not setting.commands or "pipe" in setting.commands):
            found[setting.name] = SOONER.get(setting.name, setting.value)
    dialect = DIALECTS[client]
    lines = {dialect.name_of(name): dialect.line(name, value) for name, value in found.items()}
    return {name: re.split(r'=|": "', line, maxsplit=1)[1].strip(' ",').lower() for name, line in lines.items() if name}


@every_copy
@every_guarantee
def test_configuration_of_a_program_is_the_guarantee(guarantee: Guarantee, client: str) -> None:
    """Every setting of the guarantee that the client has is in the program with the same value, and no other."""
    found, name_of = settings_of(guarantee, client), DIALECTS[client].name_of
    assert {name: value.lower() for name, value in found.items() if name not in OWN} == expected_settings(
        guarantee, client
    )
    assert all(part in found[name].upper() for name, part in OWN.items() if name in found)
    assert {name_of("bootstrap.servers"), name_of("group.id")} <= set(found)
    assert (name_of("transactional.id") in found) == guarantee.transactional


@every_guarantee
def test_configuration_for_kcat_is_that_of_a_producer(guarantee: Guarantee) -> None:
    """kcat can only produce under a guarantee; what it reads is committed."""
    wanted = {s.name: s.value for s in guarantee.producer if s.value and s.commands in ((), ("produce",))}
    found = settings_of(guarantee, "kcat")
    assert found.pop("isolation.level") == "read_committed"
    assert (found.pop("transactional.id", None) == "$KDG_GROUP") == guarantee.transactional
    assert found == wanted


@every_copy
@every_guarantee
def test_steps_of_a_program_have_the_order_of_the_guarantee(guarantee: Guarantee, client: str) -> None:
    """In the function that settles a batch. Reading is outside of it; the commit of a transaction flushes by itself."""
    text = "\n".join(part(program(guarantee, client), STEPS))
    before, settling = text.split(SETTLE[client], 1)
    calls = STEP[client]
    body = settling.split(BELOW[client], 1)[0]
    elsewhere = {Step.READ, Step.FLUSH} if guarantee.transactional else {Step.READ}
    assert calls[Step.READ] in text
    places = [body.index(calls[step]) for step in guarantee.steps if step in calls and step not in elsewhere]
    assert places == sorted(places)
    assert before


@every_client
@every_guarantee
def test_page_shows_what_is_in_the_program(guarantee: Guarantee, client: str) -> None:
    """The page is cut from the file; `--program` is the file, and the page names it."""
    page, whole = data(guarantee.name, client=client), explain([guarantee.name], client=client, program=True)
    assert whole == program(guarantee, client)
    lines = [line.strip() for line in whole.expandtabs(4).splitlines()]
    for line in (*page["configuration"], *page["code"]):
        assert line.strip() in lines
    assert f"kdg explain {guarantee.name} --client {client} --program" in page["see"]
    assert "==" not in "".join(line[:4] for line in page["code"])


@every_copy
@every_guarantee
def test_program_says_what_it_does_and_how_to_prove_it(guarantee: Guarantee, client: str) -> None:
    text = program(guarantee, client)
    assert f"kdg verify -g {guarantee.name} -- " in text
    assert f"Copies a topic {guarantee.name.replace('-', ' ')}" in text
    assert "assert " not in text  # python -O leaves it out


@every_client
def test_programs_differ_only_in_how_they_settle(client: str) -> None:
    """A reader who has understood one has understood the others: how they read, and what they do with a partition."""
    common = set.intersection(*(set(program(guarantee, client).splitlines()) for guarantee in GUARANTEES))
    for guarantee in GUARANTEES:
        lines = program(guarantee, client).splitlines()
        own = [line for line in lines if line not in common]
        assert len(own) < 60
        assert len(lines) < 220


@pytest.mark.parametrize(("names", "client"), [(["acks"], "python"), ([], "python"), (["eos"], "librdkafka")])
def test_program_of_nothing_is_refused(names: list[str], client: str) -> None:
    with pytest.raises(UsageError, match="--program") as caught:
        explain(names, client=client, program=True)
    assert caught.value.hint
