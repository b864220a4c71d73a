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


@pytest.mark.parametrize("before", ["", "key.serializer=x\n", "sasl.username=u\n"])
def test_a_line_that_nobody_knows_is_named_by_its_number(kdg: Kdg, tmp_path: Path, before: str) -> None:
    """The line may be the rest of a password; neither a run nor `check` prints any of it."""
    file = tmp_path / "client.conf"
    file.write_text(f"{before}client.id=a\n{SECRET}=x\nMIIEvQ{SECRET}=\n")
    line = f"line {2 + before.count(chr(10))}"
    answer = kdg("produce", "t", "-F", str(file))
    refused(answer, f"{file} {line}", "secret")
    _code, out, err = kdg("check", "-F", str(file))
    assert line in out
    assert SECRET not in answer[2] + out + err


def test_a_name_of_java_is_the_one_in_the_message(kdg: Kdg, tmp_path: Path) -> None:
    file = tmp_path / "client.properties"
    file.write_text("key.serializer=x\nretries=0\n")
    refused(kdg("produce", "t", "-F", str(file)), "retries=0", str(file), "at-least-once")
    file.write_text("key.serializer=x\nretries=-2\n")
    refused(kdg("produce", "t", "-F", str(file)), "retries=-2", f"{file} line 2")


def test_a_number_that_the_client_cannot_hold_is_refused(kdg: Kdg) -> None:
    """The library would read 2**32 + 1 as 1, without an error."""
    answer = kdg("produce", "t", "-b", "127.0.0.1:1", "-X", "message.timeout.ms=4294967297", "--dry-run")
    refused(answer, "-X", "message.timeout.ms=4294967297", "2147483647")


def test_what_is_passed_over_is_one_note(kdg: Kdg, tmp_path: Path) -> None:
    file = tmp_path / "client.properties"
    file.write_text("acks=all\nschema.registry.url=http://r\nsasl.login.read.timeout.ms=5\n")
    code, _out, err = kdg("produce", "t", "-F", str(file), "--dry-run")
    assert (code, err) == (0, f"kdg: {file}: kdg has no use for sasl.login.read.timeout.ms, schema.registry.url\n")
    code, out, _err = kdg("check", "-F", str(file))
    assert (code, "no use for" in " ".join(out.split())) == (0, True)  # the lines end where the file's name lets them


def test_environment_that_beats_a_named_file_is_noted(kdg: Kdg, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One note, unless the command line says what is used, or the file is not named."""
    monkeypatch.setenv("KDG_BROKERS", "env:1")
    monkeypatch.setenv("KDG_GUARANTEE", "alo")
    _code, out, err = kdg("produce", "t", "-F", str(file), "--dry-run")
    assert settings_of(out)["bootstrap.servers"] == ("env:1", "KDG_BROKERS")
    assert err == (
        f"kdg: the environment is stronger than a file: KDG_BROKERS (env:1) is used and not {file} (file:1), "
        f"KDG_GUARANTEE (alo) is used and not {file} (amo)\n"
    )
    assert kdg("produce", "t", "-F", str(file), "-b", "flag:1", "-g", "alo", "--dry-run")[2] == ""
    assert kdg("produce", "t", "-F", str(file), "--dry-run", "-q")[2] == ""
    monkeypatch.setenv("KDG_CONFIG", str(file))
    assert kdg("produce", "t", "--dry-run")[2] == ""
