"""`kdg check` without a broker: what it answers on stdout, and its exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .answers import refused
from .conftest import Kdg

SECRET = "hunter2"  # noqa: S105  # what must not appear anywhere


@pytest.mark.parametrize(
    ("text", "suffix", "guarantee", "code"),
    [
        ("acks=0", "conf", "amo", 0),
        ("acks=0", "conf", "alo", 10),
        ("acks=1", "conf", "amo", 10),
        ("enable.idempotence=true", "conf", "alo", 0),
        ("enable.idempotence=true", "conf", "eos", 10),
        ("transactional.id=a", "conf", "eos", 0),
        ("transactional.id=a\nacks=1", "conf", "amo", 10),
        ("group.id=g\nisolation.level=read_committed\nenable.auto.commit=false", "conf", "eos", 10),
        ("group.id=g\nauto.offset.reset=error\nenable.auto.commit=false", "conf", "eos", 0),
        ("group.id=g\nenable.auto.commit=false", "conf", "alo", 10),
        ("group.id=g\nenable.auto.commit=false\nauto.offset.reset=error", "conf", "alo", 0),
        ("key.deserializer=x.Y\ngroup.id=g\nauto.offset.reset=latest", "properties", "alo", 10),
        ("key.deserializer=x.Y\ngroup.id=g\nauto.offset.reset=earliest", "properties", "alo", 0),
        (
            "key.deserializer=x.Y\ngroup.id=g\nauto.offset.reset=earliest\nsession.timeout.ms=3000",
            "properties",
            "alo",
            10,
        ),
        ("key.deserializer=x.Y\ngroup.id=g\nauto.offset.reset=error", "properties", "alo", 10),
        ("key.deserializer=x.Y\nisolation.level=READ_COMMITTED\ngroup.id=g", "properties", "amo", 10),
        ("group.id=g\ndebug=\nauto.offset.reset=none", "conf", "amo", 10),
        ("enable.auto.commit=false\nauto.offset.reset=error", "conf", "amo", 10),
        ("linger.ms=300001\nqueue.buffering.max.kbytes=9", "conf", "alo", 10),
        ('{"GroupId": "g", "EnableAutoCommit": false, "AutoOffsetReset": "None"}', "json", "amo", 10),
        ('{"GroupId": "g", "EnableAutoCommit": false, "AutoOffsetReset": "Error"}', "json", "alo", 0),
        ('guarantee = "exactly-once"', "toml", "eos", 0),
        ('guarantee = "exactly-once"', "toml", "alo", 0),
        ('guarantee = "at-least-once"', "toml", "eos", 10),
        ('guarantee = "exactly-once"\nacks = 1', "toml", "eos", 10),
        ('guarantee = "exactly-once"\nlinger.ms = 400000', "toml", "eos", 10),
        ('{"Acks": "None", "LingerMs": 5}', "json", "alo", 10),
        ('{"TransactionalId": "a", "LingerMs": 5}', "json", "eos", 0),
        ('transactional.id = "a"\nsasl.password = { env = "NOT_SET" }', "toml", "eos", 0),
    ],
)
def test_exit_0_only_where_the_guarantee_is_reached(
    kdg: Kdg, tmp_path: Path, text: str, suffix: str, guarantee: str, code: int
) -> None:
    file = tmp_path / f"client.{suffix}"
    file.write_text(text)
    exit_code, out, err = kdg("check", "--config", str(file), "-g", guarantee)
    assert (exit_code, err) == (code, "")
    assert ("not reached" in " ".join(out.splitlines()[:2])) == (code == 10)


def test_without_g_it_asks_for_at_least_once(kdg: Kdg) -> None:
    code, out, _err = kdg("check", "-X", "acks=0")
    assert code == 10
    assert "at-least-once: not reached" in out.splitlines()[0]


def test_ambiguous_configuration_is_judged_both_ways(kdg: Kdg) -> None:
    """isolation.level alone: read_committed is librdkafka's default and not Java's."""
    argv = [
        "check",
        "-g",
        "eos",
        "-X",
        "group.id=g",
        "-X",
        "enable.auto.commit=false",
        "-X",
        "auto.offset.reset=earliest",
    ]
    assert kdg(*argv, "--client", "librdkafka")[0] == 0
    assert kdg(*argv, "--client", "java")[0] == 10
    assert kdg(*argv)[0] == 10


def test_json_has_the_same_and_no_secret(kdg: Kdg, tmp_path: Path) -> None:
    file = tmp_path / "client.properties"
    file.write_text(f'acks=1\nsasl.jaas.config=a.PlainLoginModule required username="u" password="{SECRET}";\n')
    code, out, err = kdg("check", "-F", str(file), "--format", "json", "-X", f"sasl.password={SECRET}")
    assert (code, err) == (10, "")
    assert SECRET not in out
    answer = json.loads(out)
    assert answer["asked"] == {"guarantee": "at-least-once", "reached": False}
    assert answer["readings"][0]["to_reach"]["at-least-once"]["change"] == {"acks": "all"}
    assert SECRET not in kdg("check", "-F", str(file))[1]


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        ("", "--config"),
        ("-X acks=1 --client cobol", "cobol"),
        ("-X acks=1 --role broker", "broker"),
        ("-X acks=1 --format pdf", "pdf"),
        ("-F /absent", "/absent"),
        ("--topic t", "KDG_BROKERS"),
        ("-X acks=1 -g always", "always"),
    ],
)
def test_wrong_usage_is_named(kdg: Kdg, argv: str, named: str) -> None:
    refused(kdg("check", *argv.split()), named)


def test_kdgs_own_file_is_judged_as_kdg_runs_it(kdg: Kdg, tmp_path: Path) -> None:
    """Not with the defaults of the library, such as enable.auto.commit=true, which kdg locks to false."""
    file = tmp_path / "config.toml"
    file.write_text('guarantee = "exactly-once"\n')
    _code, out, _err = kdg("check", "-F", str(file), "-g", "eos")
    assert "neither" not in out
    assert out.count("as kdg reads it: exactly-once") == 2
    file.write_text('guarantee = "exactly-once"\nenable.auto.commit = true\n')
    code, out, _err = kdg("check", "-F", str(file), "-g", "eos")
    assert code == 10
    assert "as kdg reads it: refused" in out
    assert "contradicts exactly-once" in " ".join(out.split())


@pytest.mark.parametrize(
    ("text", "client", "says"),
    [
        ("acks=2", "java", "the client does not start: acks takes -1, 0, 1, all"),
        ("acks=2", "librdkafka", "the client starts, but the broker refuses every record"),
        ("transactional.id=a acks=1", "java", "the client does not start: idempotence needs acks=all"),
        ("group.id=g session.timeout.ms=3000", "java", '"heartbeat.interval.ms": "3000"'),
        ("delivery.timeout.ms=1000", "java", '"request.timeout.ms": "30000"'),
        ("no.such.name=1 linger.ms=5", "librdkafka", '"no.such.name": null'),
        ("auto.offset.reset=none group.id=g", "librdkafka", '"auto.offset.reset": "error"'),
        ("group.protocol=consumer session.timeout.ms=9000 group.id=g", "java", '"session.timeout.ms": null'),
    ],
)
def test_reason_is_the_clients_and_the_change_is_named(kdg: Kdg, text: str, client: str, says: str) -> None:
    settings = [argument for pair in text.split() for argument in ("-X", pair)]
    code, out, _err = kdg("check", *settings, "--client", client, "--format", "json")
    told = " ".join(out.split())
    assert code == 10
    assert says in told
    assert "switches idempotence off" not in told
