"""The settings of a client: which value wins, which one is refused, which timeouts follow another one."""

from __future__ import annotations

import pytest

from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, EXACTLY_ONCE, GUARANTEES, Guarantee, Role, Setting
from kdg.errors import UsageError
from kdg.settings.defaults import KDG_DEFAULTS
from kdg.settings.librdkafka import KNOWN
from kdg.settings.resolve import MASK, Layer, known_overrides, plain, resolve

P, C = Role.PRODUCER, Role.CONSUMER


def producer(guarantee: Guarantee, command: str = "produce", **given: str) -> dict[str, str]:
    """The settings of a producer with -X: linger_ms="5" is `-X linger.ms=5`."""
    values = {name.replace("_", "."): value for name, value in given.items()}
    return plain(resolve(guarantee, P, command, [Layer("-X", values)]))


ROWS = [(guarantee, role, s) for guarantee in GUARANTEES for role in Role for s in guarantee.settings(role)]


@pytest.mark.parametrize(("guarantee", "role", "setting"), ROWS)
def test_client_gets_every_setting_of_the_table(guarantee: Guarantee, role: Role, setting: Setting) -> None:
    for command in setting.commands or ("produce", "consume", "pipe"):
        assert plain(resolve(guarantee, role, command, [])).get(setting.name, "") == setting.value


@pytest.mark.parametrize(("guarantee", "role", "setting"), [each for each in ROWS if each[2].allowed is not None])
def test_refused_value_names_both_sides(guarantee: Guarantee, role: Role, setting: Setting) -> None:
    """A value that breaks the guarantee is refused; the message names the value and the guarantee."""
    wrong = {"true": "false", "false": "true"}.get(setting.value, "0" if setting.value != "0" else "7")
    command = (setting.commands or ("produce",))[0]
    with pytest.raises(UsageError) as caught:
        resolve(guarantee, role, command, [Layer("-X", {setting.name: wrong})])
    assert guarantee.name in str(caught.value)
    assert f"{setting.name}={wrong}" in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("guarantee", GUARANTEES, ids=lambda guarantee: guarantee.name)
def test_auto_commit_is_refused_in_any_spelling(guarantee: Guarantee) -> None:
    """enable.auto.commit is refused under every guarantee, however `true` is written."""
    for value in ("true", "TRUE", "True", "t", "1"):
        with pytest.raises(UsageError, match=r"enable\.auto\.commit"):
            resolve(guarantee, C, "consume", [Layer("-X", {"enable.auto.commit": value})])


@pytest.mark.parametrize("name", ["acks", "request.required.acks", "topic.acks", "topic.request.required.acks"])
def test_lock_holds_for_every_name_of_a_setting(name: str) -> None:
    with pytest.raises(UsageError, match="acks"):
        resolve(EXACTLY_ONCE, P, "produce", [Layer("-X", {name: "0"})])


@pytest.mark.parametrize("value", ["0", "1", "leader", "2"])
def test_exactly_once_accepts_only_acks_all(value: str) -> None:
    with pytest.raises(UsageError):
        producer(EXACTLY_ONCE, acks=value)
    assert producer(EXACTLY_ONCE, acks="-1")["acks"] == "all"


def test_strongest_layer_wins_and_is_the_origin() -> None:
    layers = [Layer("-b", {"bootstrap.servers": "a"}), Layer("-X", {"bootstrap.servers": "b", "client.id": "x"})]
    layers.append(Layer("KDG_BROKERS", {"bootstrap.servers": "c", "client.id": "y"}))
    resolved = resolve(AT_LEAST_ONCE, P, "produce", layers)
    assert (resolved["bootstrap.servers"].value, resolved["bootstrap.servers"].origin) == ("a", "-b")
    assert (resolved["client.id"].value, resolved["client.id"].origin) == ("x", "-X")


def test_default_has_origin_and_reason() -> None:
    """The origin of a default is the guarantee or kdg, and it has a reason."""
    resolved = resolve(AT_LEAST_ONCE, P, "produce", [])
    assert resolved["acks"].origin == AT_LEAST_ONCE.name
    assert resolved["linger.ms"].origin == "kdg"
    assert all(setting.why for setting in resolved.values())


def test_stronger_layer_wins_under_another_name() -> None:
    layers = [Layer("-X", {"metadata.broker.list": "strong"}), Layer("KDG_BROKERS", {"bootstrap.servers": "weak"})]
    assert plain(resolve(AT_LEAST_ONCE, P, "produce", layers))["bootstrap.servers"] == "strong"


def test_acks_leader_drops_idempotence() -> None:
    """--acks leader turns idempotence off and allows one request in flight."""
    settings = producer(AT_LEAST_ONCE, acks="leader")
    assert settings["acks"] == "1"
    assert settings["enable.idempotence"] == "false"
    assert settings["max.in.flight.requests.per.connection"] == "1"
    assert "max.in.flight.requests.per.connection" not in producer(AT_LEAST_ONCE)


def test_acks_leader_contradicts_idempotence() -> None:
    """--acks leader with enable.idempotence=true is an error that names both."""
    with pytest.raises(UsageError, match=r"enable\.idempotence=true.*acks=1"):
        resolve(
            AT_LEAST_ONCE,
            P,
            "produce",
            [Layer("--acks", {"acks": "leader"}), Layer("-X", {"enable.idempotence": "true"})],
        )


def test_more_requests_in_flight_without_idempotence() -> None:
    """Without idempotence the user may choose to have more requests in flight."""
    settings = resolve(
        AT_LEAST_ONCE,
        P,
        "produce",
        [Layer("-X", {"enable.idempotence": "false", "max.in.flight.requests.per.connection": "5"})],
    )
    assert settings["max.in.flight.requests.per.connection"].value == "5"


def test_dependent_timeouts_follow() -> None:
    """Timeouts that depend on another one follow it, unless the user sets them."""
    settings = producer(EXACTLY_ONCE, transaction_timeout_ms="2000")
    assert settings["message.timeout.ms"] == settings["socket.timeout.ms"] == "2000"
    settings = producer(EXACTLY_ONCE, transaction_timeout_ms="2000", delivery_timeout_ms="1500")
    assert settings["message.timeout.ms"] == "1500"
    assert producer(EXACTLY_ONCE, transaction_timeout_ms="900000")["socket.timeout.ms"] == "60000"


def test_poll_interval_follows_a_long_session() -> None:
    given = [Layer("-X", {"session.timeout.ms": "600000"})]
    assert plain(resolve(AT_LEAST_ONCE, C, "consume", given))["max.poll.interval.ms"] == "600000"


@pytest.mark.parametrize(
    ("given", "bytes_"),
    [
        ({}, "1000000"),
        ({"fetch.message.max.bytes": "3000000"}, "3000000"),
        ({"message.max.bytes": "2000000"}, "2000000"),
        ({"message.max.bytes": "2000000", "max.partition.fetch.bytes": "3000000"}, "3000000"),
        ({"message.max.bytes": "2000000", "fetch.max.bytes": "2500000"}, "2500000"),
    ],
)
def test_fetch_holds_a_message_and_a_partition(given: dict[str, str], bytes_: str) -> None:
    """The library refuses a fetch below message.max.bytes; one below that of a partition would make it useless."""
    assert plain(resolve(AT_LEAST_ONCE, C, "consume", [Layer("-X", given)]))["fetch.max.bytes"] == bytes_


def test_timeout_that_is_not_a_number_is_named() -> None:
    with pytest.raises(UsageError, match=r"transaction\.timeout\.ms=soon"):
        producer(EXACTLY_ONCE, transaction_timeout_ms="soon")


def test_consumer_protocol_drops_classic_settings() -> None:
    """With group.protocol=consumer the settings of the classic protocol are left out."""
    given = [Layer("-X", {"group.protocol": "consumer"})]
    assert "session.timeout.ms" not in resolve(EXACTLY_ONCE, C, "pipe", given)
    assert "session.timeout.ms" in resolve(EXACTLY_ONCE, C, "pipe", [])


def test_unknown_property_offers_a_near_name() -> None:
    """The message for an unknown property does not show its value; the hint has a similar name."""
    with pytest.raises(UsageError) as caught:
        known_overrides([Layer("-X", {"sasl.pasword": "hunter2"})], [P])
    assert "sasl.pasword" in str(caught.value)
    assert "hunter2" not in str(caught.value) + caught.value.hint
    assert "sasl.password" in caught.value.hint


def test_property_of_another_client_is_refused() -> None:
    """A property of a client that the run does not have is refused; its value is not shown."""
    with pytest.raises(UsageError, match="consumer") as caught:
        known_overrides([Layer("-X", {"fetch.min.bytes": "77"})], [P])
    assert "77" not in str(caught.value)
    known_overrides([Layer("-X", {"fetch.min.bytes": "77"})], [P, C])


def test_client_gets_only_properties_it_knows() -> None:
    layer = Layer("-X", {"fetch.min.bytes": "7", "linger.ms": "9", "client.id": "x"})
    of_producer, of_consumer = (plain(resolve(AT_LEAST_ONCE, role, "pipe", [layer])) for role in (P, C))
    assert (of_producer["linger.ms"], of_producer["client.id"]) == ("9", "x")
    assert (of_consumer["fetch.min.bytes"], of_consumer["client.id"]) == ("7", "x")
    assert "fetch.min.bytes" not in of_producer
    assert "linger.ms" not in of_consumer


@pytest.mark.parametrize("name", ["sasl.password", "ssl.key.password", "ssl.key.pem", "ssl.keystore.password"])
def test_secret_is_masked(name: str) -> None:
    resolved = resolve(AT_LEAST_ONCE, P, "produce", [Layer("-X", {name: "hunter2"})])
    assert resolved[name].shown == MASK
    assert resolved[name].value == "hunter2"


@pytest.mark.parametrize("role", list(Role))
def test_own_settings_have_a_reason(role: Role) -> None:
    """The client knows each of kdg's own settings, and each has a reason."""
    for setting in KDG_DEFAULTS[role]:
        assert role in KNOWN[setting.name]
        assert setting.why


@pytest.mark.parametrize("name", ["enable.auto.offset.store", "isolation.level", "auto.offset.reset"])
def test_consumer_settings_that_are_locked(name: str) -> None:
    for guarantee in (AT_MOST_ONCE, EXACTLY_ONCE):
        (setting,) = [s for s in guarantee.consumer if s.name == name]
        assert setting.locked
