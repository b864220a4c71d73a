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
        ("group.id=g\nisolation.level=read_committed\nenable.auto.commit=false", "conf", "eos", 0),
        ("group.id=g\nenable.auto.commit=false", "conf", "eos", 10),
        ("group.id=g\nenable.auto.commit=false", "conf", "alo", 0),
        ("key.deserializer=x\ngroup.id=g", "properties", "alo", 0),
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
    argv = ["check", "-g", "eos", "-X", "group.id=g", "-X", "enable.auto.commit=false"]
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
