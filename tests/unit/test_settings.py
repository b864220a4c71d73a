"""How a guarantee, a role and overrides become the settings of a client: who wins, what is refused, what follows."""

from __future__ import annotations

import pytest

from kdg.errors import UsageError
from kdg.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, EXACTLY_ONCE, GUARANTEES, Guarantee, Role, Setting
from kdg.properties import KNOWN
from kdg.settings import MASK, OF_THE_TOOL, Layer, known_overrides, plain, resolve

P, C = Role.PRODUCER, Role.CONSUMER


def producer(row: Guarantee, command: str = "produce", **given: str) -> dict[str, str]:
    """The producer's settings with -X; _ in a name for the dot."""
    values = {name.replace("_", "."): value for name, value in given.items()}
    return plain(resolve(row, P, command, [Layer("-X", values)]))


ROWS = [(row, role, s) for row in GUARANTEES for role in Role for s in row.settings(role)]


@pytest.mark.parametrize(("row", "role", "setting"), ROWS)
def test_every_setting_of_the_table_is_what_a_client_gets(row: Guarantee, role: Role, setting: Setting) -> None:
    for command in setting.commands or ("produce", "consume", "pipe"):
        assert plain(resolve(row, role, command, [])).get(setting.name, "") == setting.value


@pytest.mark.parametrize(("row", "role", "setting"), [each for each in ROWS if each[2].allowed is not None])
def test_a_value_that_the_row_does_not_allow_is_refused_with_both_sides_named(
    row: Guarantee, role: Role, setting: Setting
) -> None:
    wrong = {"true": "false", "false": "true"}.get(setting.value, "0" if setting.value != "0" else "7")
    command = (setting.commands or ("produce",))[0]
    with pytest.raises(UsageError) as caught:
        resolve(row, role, command, [Layer("-X", {setting.name: wrong})])
    assert row.name in str(caught.value)
    assert f"{setting.name}={wrong}" in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("row", GUARANTEES, ids=lambda row: row.name)
def test_auto_commit_is_refused_under_any_guarantee_in_any_spelling(row: Guarantee) -> None:
    for value in ("true", "TRUE", "True", "t", "1"):
        with pytest.raises(UsageError, match=r"enable\.auto\.commit"):
            resolve(row, C, "consume", [Layer("-X", {"enable.auto.commit": value})])


@pytest.mark.parametrize("name", ["acks", "request.required.acks", "topic.acks", "topic.request.required.acks"])
def test_no_other_name_of_a_setting_gets_past_its_lock(name: str) -> None:
    with pytest.raises(UsageError, match="acks"):
        resolve(EXACTLY_ONCE, P, "produce", [Layer("-X", {name: "0"})])


@pytest.mark.parametrize("value", ["0", "1", "leader", "2"])
def test_exactly_once_takes_no_acks_but_all(value: str) -> None:
    with pytest.raises(UsageError):
        producer(EXACTLY_ONCE, acks=value)
    assert producer(EXACTLY_ONCE, acks="-1")["acks"] == "all"


def test_the_strongest_layer_wins_and_is_named_as_the_origin() -> None:
    layers = [Layer("-b", {"bootstrap.servers": "a"}), Layer("-X", {"bootstrap.servers": "b", "client.id": "x"})]
    layers.append(Layer("KDG_BROKERS", {"bootstrap.servers": "c", "client.id": "y"}))
    resolved = resolve(AT_LEAST_ONCE, P, "produce", layers)
    assert (resolved["bootstrap.servers"].value, resolved["bootstrap.servers"].origin) == ("a", "-b")
    assert (resolved["client.id"].value, resolved["client.id"].origin) == ("x", "-X")


def test_a_default_names_the_guarantee_or_kdg_as_its_origin_and_says_why() -> None:
    resolved = resolve(AT_LEAST_ONCE, P, "produce", [])
    assert resolved["acks"].origin == AT_LEAST_ONCE.name
    assert resolved["linger.ms"].origin == "kdg"
    assert all(setting.why for setting in resolved.values())


def test_a_stronger_alias_wins_over_a_weaker_name() -> None:
    layers = [Layer("-X", {"metadata.broker.list": "strong"}), Layer("KDG_BROKERS", {"bootstrap.servers": "weak"})]
    assert plain(resolve(AT_LEAST_ONCE, P, "produce", layers))["bootstrap.servers"] == "strong"


def test_acks_leader_drops_idempotence_and_keeps_one_request_in_flight() -> None:
    settings = producer(AT_LEAST_ONCE, acks="leader")
    assert settings["acks"] == "1"
    assert settings["enable.idempotence"] == "false"
    assert settings["max.in.flight.requests.per.connection"] == "1"
    assert "max.in.flight.requests.per.connection" not in producer(AT_LEAST_ONCE)


def test_acks_leader_with_idempotence_asked_for_is_a_contradiction_that_names_both() -> None:
    with pytest.raises(UsageError, match=r"enable\.idempotence=true.*acks=1"):
        resolve(
            AT_LEAST_ONCE,
            P,
            "produce",
            [Layer("--acks", {"acks": "leader"}), Layer("-X", {"enable.idempotence": "true"})],
        )


def test_without_idempotence_more_requests_in_flight_are_the_users_own_choice() -> None:
    settings = resolve(
        AT_LEAST_ONCE,
        P,
        "produce",
        [Layer("-X", {"enable.idempotence": "false", "max.in.flight.requests.per.connection": "5"})],
    )
    assert settings["max.in.flight.requests.per.connection"].value == "5"


def test_timeouts_that_depend_on_a_changed_one_follow_it_unless_they_are_set() -> None:
    settings = producer(EXACTLY_ONCE, transaction_timeout_ms="2000")
    assert settings["message.timeout.ms"] == settings["socket.timeout.ms"] == "2000"
    settings = producer(EXACTLY_ONCE, transaction_timeout_ms="2000", delivery_timeout_ms="1500")
    assert settings["message.timeout.ms"] == "1500"
    assert producer(EXACTLY_ONCE, transaction_timeout_ms="900000")["socket.timeout.ms"] == "60000"


def test_a_long_session_takes_the_poll_interval_along() -> None:
    given = [Layer("-X", {"session.timeout.ms": "600000"})]
    assert plain(resolve(AT_LEAST_ONCE, C, "consume", given))["max.poll.interval.ms"] == "600000"


def test_a_timeout_that_is_no_number_is_named() -> None:
    with pytest.raises(UsageError, match=r"transaction\.timeout\.ms=soon"):
        producer(EXACTLY_ONCE, transaction_timeout_ms="soon")


def test_the_consumer_protocol_leaves_out_what_only_the_classic_one_knows() -> None:
    given = [Layer("-X", {"group.protocol": "consumer"})]
    assert "session.timeout.ms" not in resolve(EXACTLY_ONCE, C, "pipe", given)
    assert "session.timeout.ms" in resolve(EXACTLY_ONCE, C, "pipe", [])


def test_an_unknown_property_is_refused_without_its_value_and_the_near_name_offered() -> None:
    with pytest.raises(UsageError) as caught:
        known_overrides([Layer("-X", {"sasl.pasword": "hunter2"})], [P])
    assert "sasl.pasword" in str(caught.value)
    assert "hunter2" not in str(caught.value) + caught.value.hint
    assert "sasl.password" in caught.value.hint


def test_a_property_of_a_client_that_the_run_does_not_have_is_refused_without_its_value() -> None:
    with pytest.raises(UsageError, match="consumer") as caught:
        known_overrides([Layer("-X", {"fetch.min.bytes": "77"})], [P])
    assert "77" not in str(caught.value)
    known_overrides([Layer("-X", {"fetch.min.bytes": "77"})], [P, C])


def test_each_client_gets_only_what_it_knows() -> None:
    layer = Layer("-X", {"fetch.min.bytes": "7", "linger.ms": "9", "client.id": "x"})
    of_producer, of_consumer = (plain(resolve(AT_LEAST_ONCE, role, "pipe", [layer])) for role in (P, C))
    assert (of_producer["linger.ms"], of_producer["client.id"]) == ("9", "x")
    assert (of_consumer["fetch.min.bytes"], of_consumer["client.id"]) == ("7", "x")
    assert "fetch.min.bytes" not in of_producer
    assert "linger.ms" not in of_consumer


@pytest.mark.parametrize("name", ["sasl.password", "ssl.key.password", "ssl.key.pem", "ssl.keystore.password"])
def test_a_secret_is_shown_masked_even_when_it_is_refused(name: str) -> None:
    resolved = resolve(AT_LEAST_ONCE, P, "produce", [Layer("-X", {name: "hunter2"})])
    assert resolved[name].shown == MASK
    assert resolved[name].value == "hunter2"


@pytest.mark.parametrize("role", list(Role))
def test_the_tools_own_settings_are_known_to_the_client_and_have_a_reason(role: Role) -> None:
    for setting in OF_THE_TOOL[role]:
        assert role in KNOWN[setting.name]
        assert setting.why


@pytest.mark.parametrize("name", ["enable.auto.offset.store", "isolation.level", "auto.offset.reset"])
def test_at_most_once_and_exactly_once_read_with_the_same_locks(name: str) -> None:
    for row in (AT_MOST_ONCE, EXACTLY_ONCE):
        (setting,) = [s for s in row.consumer if s.name == name]
        assert setting.locked
