"""The verdicts of `kdg check` without a broker: known configurations, and what holds for any configuration."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdg.check.appsettings import json_readings
from kdg.check.page import page, reached
from kdg.check.reading import DIALECTS, Reading, default_of, readings
from kdg.check.verdict import BY_CODE, NEITHER, REFUSED, changes, judge
from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, EXACTLY_ONCE, GUARANTEES, Guarantee, Role
from kdg.errors import UsageError
from kdg.explain.facts import FACTS
from kdg.settings.requirements import LogFacts
from kdg.settings.resolve import plain, resolve
from kdg.text.render import FORMATS, render

P, C = Role.PRODUCER, Role.CONSUMER
AMO, ALO, EOS = "at-most-once", "at-least-once", "exactly-once"


def read(text: str, dialect: str, role: Role) -> Reading:
    given = dict(pair.split("=", 1) for pair in text.split())
    (reading,) = readings(given, dialect, role)
    return reading


@pytest.mark.parametrize(
    ("dialect", "role", "text", "gives"),
    [
        ("librdkafka", P, "", ALO),
        ("java", P, "", ALO),
        ("librdkafka", P, "acks=0", AMO),
        ("librdkafka", P, "acks=0 retries=5", AMO),
        ("librdkafka", P, "request.required.acks=0", AMO),
        ("librdkafka", P, "topic.acks=0", AMO),
        ("java", P, "acks=0", AMO),
        ("librdkafka", P, "acks=2", REFUSED),
        ("librdkafka", P, "retries=0", AMO),
        ("librdkafka", P, "message.send.max.retries=0 acks=1", AMO),
        ("java", P, "retries=0", AMO),
        ("librdkafka", P, "acks=1", NEITHER),
        ("java", P, "acks=1", NEITHER),
        ("librdkafka", P, "acks=-1 enable.idempotence=TRUE", ALO),
        ("java", P, "enable.idempotence=false", ALO),
        ("librdkafka", P, "transactional.id=a", EOS),
        ("java", P, "transactional.id=a", EOS),
        ("librdkafka", P, "transactional.id=", ALO),
        ("java", P, "transactional.id=", REFUSED),
        ("librdkafka", P, "transactional.id=a enable.idempotence=false", REFUSED),
        ("librdkafka", P, "transactional.id=a acks=1", REFUSED),
        ("java", P, "enable.idempotence=true acks=1", REFUSED),
        ("librdkafka", P, "enable.idempotence=true retries=0", REFUSED),
        ("java", P, "max.in.flight.requests.per.connection=6", REFUSED),
        ("librdkafka", P, "max.in.flight=6", ALO),
        ("librdkafka", P, "enable.idempotence=true max.in.flight=6", REFUSED),
        ("librdkafka", P, "transactional.id=a message.timeout.ms=70000", REFUSED),
        ("java", P, "transactional.id=a delivery.timeout.ms=70000", EOS),
        ("librdkafka", P, "linger.ms=1000 message.timeout.ms=1000", REFUSED),
        ("java", P, "delivery.timeout.ms=1000", REFUSED),
        ("librdkafka", P, "buffer.memory=1", REFUSED),
        ("librdkafka", P, "enable.gapless.guarantee=true", REFUSED),
        ("librdkafka", C, "group.id=g", NEITHER),
        ("librdkafka", C, "group.id=g auto.commit.interval.ms=0", NEITHER),
        ("librdkafka", C, "group.id=g enable.auto.offset.store=false", NEITHER),
        ("librdkafka", C, "group.id=g enable.auto.offset.store=false auto.offset.reset=end", NEITHER),
        ("librdkafka", C, "group.id=g enable.auto.offset.store=false auto.offset.reset=earliest", ALO),
        ("librdkafka", C, "group.id=g enable.auto.commit=0", BY_CODE),
        ("librdkafka", C, "group.id=g auto.commit.enable=false", NEITHER),
        ("java", C, "group.id=g", NEITHER),
        ("java", C, "group.id=g auto.offset.reset=by_duration:PT1H", NEITHER),
        ("java", C, "group.id=g auto.offset.reset=earliest", ALO),
        ("java", C, "group.id=g auto.offset.reset=none enable.auto.offset.store=false", ALO),
        ("java", C, "group.id=g enable.auto.commit=false", BY_CODE),
        ("java", C, "", NEITHER),
        ("java", C, "enable.auto.commit=true", REFUSED),
        ("librdkafka", C, "group.id=", REFUSED),
        ("librdkafka", C, "group.id=g session.timeout.ms=400000", REFUSED),
        ("java", C, "group.id=g session.timeout.ms=400000 auto.offset.reset=none", ALO),
        ("java", C, "group.id=g heartbeat.interval.ms=45000", REFUSED),
        ("librdkafka", C, "group.id=g group.protocol=consumer session.timeout.ms=9000", REFUSED),
        ("librdkafka", C, "group.id=g partition.assignment.strategy=range,cooperative-sticky", REFUSED),
    ],
)
def test_the_decision_list(dialect: str, role: Role, text: str, gives: str) -> None:
    assert judge(read(text, dialect, role)).gives == gives


@pytest.mark.parametrize("command", ["produce", "pipe"])
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("row", GUARANTEES, ids=lambda row: row.name)
def test_what_kdg_itself_sets_under_a_guarantee_reaches_it(row: Guarantee, role: Role, command: str) -> None:
    settings = plain(resolve(row, role, command, []))
    settings |= {"transactional.id": "a"} if row.transactional and role is P else {}
    settings |= {"group.id": "g"} if role is C else {}
    (reading,) = readings(settings, "librdkafka", role)
    assert judge(reading).reaches(row)
    weaker = [other for other in GUARANTEES if not other.may_lose or row.may_lose]
    stronger_asked = [other for other in weaker if not other.may_duplicate and row.may_duplicate]
    if role is P:
        assert not any(judge(reading).reaches(other) for other in stronger_asked if other is not row)


VALUES = {
    P: {
        "acks": ["0", "1", "all", "-1", "2"],
        "enable.idempotence": ["true", "false"],
        "message.send.max.retries": ["0", "3", "2147483647"],
        "max.in.flight.requests.per.connection": ["1", "5", "6"],
        "transactional.id": ["", "a"],
        "message.timeout.ms": ["0", "1000", "300000"],
    },
    C: {
        "group.id": ["g", ""],
        "enable.auto.commit": ["true", "false"],
        "enable.auto.offset.store": ["true", "false"],
        "auto.commit.interval.ms": ["0", "5000"],
        "isolation.level": ["read_committed", "read_uncommitted"],
        "auto.offset.reset": ["earliest", "latest", "error"],
        "group.protocol": ["classic", "consumer"],
        "session.timeout.ms": ["6000", "400000"],
    },
}


@st.composite
def any_reading(draw: st.DrawFn) -> Reading:
    role, dialect = draw(st.sampled_from(list(Role))), draw(st.sampled_from(DIALECTS))
    chosen = {name: draw(st.sampled_from([None, *values])) for name, values in VALUES[role].items()}
    (reading,) = readings({name: value for name, value in chosen.items() if value is not None}, dialect, role)
    return reading


@given(any_reading(), st.sampled_from(GUARANTEES))
def test_advice_of_check_reaches_the_guarantee(reading: Reading, row: Guarantee) -> None:
    """The changes that check names reach the guarantee, and with one change less they do not."""
    verdict = judge(reading)
    wanted = changes(verdict, row)
    if wanted is None:
        pytest.fail("there is a way to every guarantee")
    assert judge(reading.with_(wanted)).reaches(row)
    assert (wanted == {}) == verdict.reaches(row)
    for name in wanted:
        fewer = {other: value for other, value in wanted.items() if other != name}
        assert not judge(reading.with_(fewer)).reaches(row)


@given(any_reading())
def test_what_reaches_the_strongest_reaches_all(reading: Reading) -> None:
    verdict = judge(reading)
    if verdict.reaches(EXACTLY_ONCE):
        assert verdict.reaches(AT_LEAST_ONCE)
        assert verdict.reaches(AT_MOST_ONCE)
    if any(finding.refused for finding in verdict.findings):
        assert not any(verdict.reaches(row) for row in GUARANTEES)


@given(any_reading(), st.sampled_from(list(FORMATS)))
def test_every_verdict_can_be_shown(reading: Reading, format_: str) -> None:
    text = render(page("f", [judge(reading)], [], AT_LEAST_ONCE), format_)
    assert text
    if format_ == "text":
        assert max(map(len, text.splitlines())) <= 80
    if format_ == "json":
        answer = json.loads(text)
        assert answer["asked"]["reached"] == judge(reading).reaches(AT_LEAST_ONCE)
        assert answer["readings"][0]["gives"] == judge(reading).gives


# ── what a file says ──


@pytest.mark.parametrize(
    ("names", "dialects"),
    [
        ("acks", ("librdkafka", "java")),
        ("acks buffer.memory", ("java",)),
        ("acks key.serializer", ("java",)),
        ("acks queue.buffering.max.ms", ("librdkafka",)),
        ("enable.auto.offset.store", ("librdkafka",)),
        ("message.timeout.ms max.block.ms", ("librdkafka", "java")),
        ("sasl.jaas.config", ("java",)),
        ("sasl.username", ("librdkafka",)),
    ],
)
def test_names_tell_the_client(names: str, dialects: tuple[str, ...]) -> None:
    """The names show the client that the settings are for; if they do not, both clients are judged."""
    found = readings(dict.fromkeys(names.split(), "1"), None, P)
    assert tuple(reading.dialect for reading in found) == dialects


@pytest.mark.parametrize(
    ("names", "roles"),
    [
        ("acks", [P]),
        ("group.id", [C]),
        ("acks group.id", [P, C]),
        ("bootstrap.servers", [P, C]),
        ("auto.commit.enable", [C]),
        ("key.serializer", [P]),
    ],
)
def test_the_names_tell_which_client_it_is_for(names: str, roles: list[Role]) -> None:
    assert [reading.role for reading in readings(dict.fromkeys(names.split(), "1"), "java", None)] == roles


def test_setting_written_twice_is_reported() -> None:
    """A setting that is written twice, and a name that the client ignores, are reported."""
    twice = read("acks=all request.required.acks=0", "librdkafka", P)
    assert twice.value("acks") == "0"
    assert any("last value counts" in remark for remark in twice.remarks)
    assert any("enable.auto.commit" in remark for remark in read("auto.commit.enable=false", "librdkafka", C).remarks)
    assert any("Java ignores it" in remark for remark in read("message.timeout.ms=1", "java", P).remarks)


APPSETTINGS = {
    "Logging": {"LogLevel": {"Default": "Information"}},
    "Kafka": {
        "BootstrapServers": "b:1",
        "SecurityProtocol": "SaslSsl",
        "Orders": {"Producer": {"Acks": "Leader", "EnableIdempotence": False, "Topic": "orders"}},
        "Audit": {
            "ConsumerConfig": {
                "GroupId": "g",
                "EnableAutoCommit": False,
                "AutoOffsetReset": "Earliest",
                "IsolationLevel": "ReadUncommitted",
            }
        },
    },
}


def test_dotnets_json_is_read_section_by_section() -> None:
    producer, consumer = json_readings(json.dumps(APPSETTINGS), "f", None)
    assert (producer.role, producer.where) == (P, "Kafka:Orders:Producer")
    assert producer.given == {
        "bootstrap.servers": "b:1",
        "security.protocol": "sasl_ssl",
        "acks": "1",
        "enable.idempotence": "false",
    }
    assert any("Topic" in remark for remark in producer.remarks)
    assert consumer.role is C
    assert consumer.given["isolation.level"] == "read_uncommitted"
    assert consumer.given["auto.offset.reset"] == "earliest"
    assert judge(producer).gives == NEITHER
    assert not judge(consumer).reaches(EXACTLY_ONCE)


@pytest.mark.parametrize("text", ["{", "{}", '{"Logging": {"Level": 1}}'])
def test_json_without_a_client_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"f(ile)?\.json") as caught:
        json_readings(text, "f.json", None)
    assert caught.value.hint


def test_the_defaults_are_those_that_explain_shows() -> None:
    for name in ("acks", "enable.idempotence", "isolation.level", "enable.auto.offset.store"):
        assert FACTS[name].default("librdkafka").value == default_of(name, "librdkafka")
    assert default_of("enable.idempotence", "java") == "true"
    assert default_of("enable.auto.offset.store", "java") == ""
    assert default_of("transactional.id", "librdkafka") == ""


# ── topics ──

STRONG = LogFacts("t", 3, 2, in_sync=3)


@pytest.mark.parametrize(("strong", "topic"), list(itertools.product([True, False], repeat=2)))
def test_configuration_and_topic_both_have_to_reach_it(strong: bool, topic: bool) -> None:
    verdict = judge(read("acks=all" if strong else "acks=0", "librdkafka", P))
    log = STRONG if topic else LogFacts("t", 1, 1)
    assert reached([verdict], [log], AT_LEAST_ONCE) == (strong and topic)
