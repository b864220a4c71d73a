"""Where a guarantee and a setting come from: options, -X, the environment, the guarantee itself."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from kdg.core.guarantees import GUARANTEES, Guarantee

from .answers import ARGUMENTS, each_command, refused, settings_of
from .conftest import Kdg


@pytest.mark.parametrize(
    ("guarantee", "text"),
    [
        (guarantee, text)
        for guarantee in GUARANTEES
        for text in (
            guarantee.name,
            guarantee.short,
            guarantee.name[:5],
            guarantee.name.upper(),
            guarantee.name.replace("-", "_"),
            guarantee.name[:-1],
        )
    ],
)
def test_guarantee_by_name_alias_or_prefix(kdg: Kdg, guarantee: Guarantee, text: str) -> None:
    """A name, a short name and an unambiguous beginning choose the guarantee."""
    code, out, _err = kdg("produce", "t", "-g", text, "--dry-run")
    assert code == 0
    assert guarantee.name in out.splitlines()[0]


@pytest.mark.parametrize("text", ["at", "at-", "a", "at-m-o"])
def test_what_could_be_two_guarantees_or_none_is_refused(kdg: Kdg, text: str) -> None:
    answer = kdg("produce", "t", "-g", text, "--dry-run")
    refused(answer, text, "at-most-once", "at-least-once")


@pytest.mark.parametrize("text", ["mygroup", "billing-service", "0"])
def test_g_with_a_group_offers_the_capital_one(kdg: Kdg, text: str) -> None:
    refused(kdg("consume", "t", "-g", text), text, "-G", "group")


def test_without_g_it_is_at_least_once(kdg: Kdg) -> None:
    assert "at-least-once" in kdg("produce", "t", "--dry-run")[1].splitlines()[0]


def test_flags_beat_properties_beat_environment(kdg: Kdg, monkeypatch: pytest.MonkeyPatch) -> None:
    """Options are stronger than -X, and -X is stronger than the environment."""
    monkeypatch.setenv("KDG_BROKERS", "from-env:1")
    monkeypatch.setenv("KDG_GROUP", "from-env")
    monkeypatch.setenv("KDG_GUARANTEE", "amo")

    def of(*argv: str) -> dict[str, tuple[str, str]]:
        return settings_of(kdg("consume", "t", "--dry-run", *argv)[1])

    assert of()["bootstrap.servers"] == ("from-env:1", "KDG_BROKERS")
    assert of()["group.id"] == ("from-env", "KDG_GROUP")
    both = of("-X", "bootstrap.servers=from-x:1", "-X", "group.id=from-x")
    assert both["bootstrap.servers"] == ("from-x:1", "-X")
    assert both["group.id"] == ("from-x", "-X")
    all_three = of("-X", "bootstrap.servers=from-x:1", "-X", "group.id=from-x", "-b", "flag:1", "-G", "from-flag")
    assert all_three["bootstrap.servers"] == ("flag:1", "-b")
    assert all_three["group.id"] == ("from-flag", "-G")
    assert "at-most-once" in kdg("consume", "t", "--dry-run")[1].splitlines()[0]
    assert "at-least-once" in kdg("consume", "t", "--dry-run", "-g", "alo")[1].splitlines()[0]


def test_a_wrong_guarantee_in_the_environment_is_refused_too(kdg: Kdg, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KDG_GUARANTEE", "always")
    refused(kdg("consume", "t", "-b", "127.0.0.1:1"), "always")


@each_command
def test_a_dry_run_masks_secrets_from_the_line_and_from_a_file(kdg: Kdg, tmp_path: Path, command: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    for value in ("hunter2", f"@{secret}"):
        argv = [command, *ARGUMENTS[command], "--dry-run", "-X", f"sasl.password={value}", "-X", "sasl.username=me"]
        code, out, err = kdg(*argv, "-X", "security.protocol=SASL_PLAINTEXT", "-X", "sasl.mechanism=PLAIN")
        assert (code, err) == (0, "")
        assert "hunter2" not in out
        assert settings_of(out)["sasl.password"][0].strip("*") == ""
        assert settings_of(out)["sasl.username"][0] == "me"


@pytest.mark.parametrize(("guarantee", "command"), list(itertools.product(GUARANTEES, ARGUMENTS)))
def test_dry_run_shows_origin_and_reason(kdg: Kdg, guarantee: Guarantee, command: str) -> None:
    """A dry run shows every setting of the guarantee with its origin and reason."""
    code, out, err = kdg(command, *ARGUMENTS[command], "-g", guarantee.name, "--dry-run")
    assert (code, err) == (0, "")
    settings = [
        *(guarantee.consumer if command != "produce" else ()),
        *(guarantee.producer if command != "consume" else ()),
    ]
    for setting in settings:
        if setting.value and (not setting.commands or command in setting.commands):
            (line,) = {line for line in out.splitlines() if line.split()[:2] == [setting.name, setting.value]}
            assert guarantee.name in line
            assert setting.why in line


def test_acks_leader_shows_what_follows_from_it(kdg: Kdg) -> None:
    settings = settings_of(kdg("produce", "t", "--acks", "leader", "--dry-run")[1])
    assert settings["acks"][0] == "1"
    assert settings["enable.idempotence"][0] == "false"
    assert settings["max.in.flight.requests.per.connection"][0] == "1"


def test_what_follows_the_first_double_dash_is_never_parsed(kdg: Kdg) -> None:
    code, out, _err = kdg("produce", "t", "--dry-run", "--", "cat", "-g", "nonsense", "--", "--help")
    assert code == 0
    assert "at-least-once" in out.splitlines()[0]
