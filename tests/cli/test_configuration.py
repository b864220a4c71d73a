"""Configuration as a user meets it: which file, which profile, what is stronger, what is refused, no secret shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from .answers import refused, settings_of
from .conftest import Kdg

SECRET = "hunter2"  # noqa: S105  # what must not appear anywhere


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "config.toml"
    made.write_text(
        'brokers = "file:1"\nguarantee = "amo"\nsecurity.protocol = "SASL_PLAINTEXT"\nsasl.mechanism = "PLAIN"\n'
        f'sasl.username = "me"\nsasl.password = "{SECRET}"\n'
        '[profiles.prod]\nbrokers = "prod:1"\nlinger.ms = 50\n'
    )
    return made


def test_flags_environment_profile_and_file_in_this_order(
    kdg: Kdg, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of(*argv: str) -> dict[str, tuple[str, str]]:
        code, out, err = kdg("produce", "t", "--dry-run", *argv)
        assert (code, err) == (0, "")
        return settings_of(out)

    assert of("-F", str(file))["bootstrap.servers"] == ("file:1", str(file))
    prod = of("-F", str(file), "--profile", "prod")
    assert prod["bootstrap.servers"] == ("prod:1", str(file))
    assert prod["linger.ms"] == ("50", str(file))
    assert of("-F", str(file), "--profile", "prod", "-X", "linger.ms=7")["linger.ms"] == ("7", "-X")
    monkeypatch.setenv("KDG_CONFIG", str(file))
    monkeypatch.setenv("KDG_BROKERS", "env:1")
    assert of()["bootstrap.servers"] == ("env:1", "KDG_BROKERS")
    assert of("-b", "flag:1")["bootstrap.servers"] == ("flag:1", "-b")
    assert of()["acks"] == ("0", "at-most-once")
    assert of("-g", "alo")["acks"] == ("all", "at-least-once")


def test_a_secret_is_nowhere(kdg: Kdg, file: Path) -> None:
    for argv in (
        ["--dry-run"],
        ["--timeout", "0.3", "-v", "--report", "-"],
        ["-X", "security.protocol=SASL_SSL", "-X", "ssl.ca.location=/absent"],
    ):
        _code, out, err = kdg("consume", "t", "-g", "alo", "-F", str(file), "-b", "127.0.0.1:1", *argv)
        assert SECRET not in out + err


@pytest.mark.parametrize("command", [["produce", "t"], ["consume", "t"], ["pipe", "a", "b", "-G", "g"]])
def test_one_file_serves_every_command(kdg: Kdg, tmp_path: Path, command: list[str]) -> None:
    """produce ignores a setting for a consumer if it is in a file; on the command line it is an error."""
    file = tmp_path / "kcat.conf"
    file.write_text("bootstrap.servers=a:1\nfetch.min.bytes=2\nlinger.ms=9\n")
    code, out, err = kdg(*command, "-F", str(file), "--dry-run")
    assert (code, err) == (0, "")
    assert ("linger.ms" in out) == (command[0] != "consume")


def test_file_value_that_breaks_the_guarantee_is_refused(kdg: Kdg, tmp_path: Path) -> None:
    """A value that breaks the guarantee is refused from a file too."""
    file = tmp_path / "client.properties"
    file.write_text("acks=0\nenable.auto.commit=true\n")
    refused(kdg("produce", "t", "-g", "eos", "-F", str(file)), "acks=0", str(file), "exactly-once")
    refused(kdg("consume", "t", "-F", str(file)), "enable.auto.commit=true", str(file), "at-least-once")


def test_a_name_that_nobody_knows_is_refused_without_its_value(kdg: Kdg, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f'sasl.pasword = "{SECRET}"\n')
    answer = kdg("produce", "t", "-F", str(file))
    refused(answer, "sasl.pasword", str(file), "sasl.password")
    assert SECRET not in answer[2]


def test_wrong_guarantee_in_a_file_is_refused(kdg: Kdg, tmp_path: Path) -> None:
    """A wrong guarantee in a file is refused, and the message names the file."""
    file = tmp_path / "config.toml"
    file.write_text('guarantee = "always"\n')
    refused(kdg("produce", "t", "-F", str(file)), "always", str(file))
