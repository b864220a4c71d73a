"""Configuration: TOML files, kcat's and Java's files, profiles, the environment, secrets in variables and files."""

from __future__ import annotations

from pathlib import Path

import pytest

from kdg.errors import UsageError
from kdg.settings.files import default_file, load
from kdg.settings.librdkafka import KNOWN
from kdg.settings.resolve import MASK, Resolved, is_secret

SECRET = "hunter2"  # noqa: S105  # what must not appear anywhere

TOML = """
brokers = ["one:1", "two:2"]
guarantee = "alo"
client.id = "shared"
linger.ms = 20
enable.idempotence = true
sasl.password = { env = "PASSWORD" }

[profiles.prod]
brokers = "prod:9093"
guarantee = "eos"
group = "billing"
ssl.key.password = { file = "key-password" }
"group.protocol" = "consumer"

[profiles.broken]
sasl.password = { env = "NOT_SET" }
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "key-password").write_text(f"{SECRET}\n")
    made = tmp_path / "config.toml"
    made.write_text(TOML)
    return made


def values(path: Path, profile: str | None = None, **environ: str) -> dict[str, str]:
    """The strongest value of each setting."""
    layers = load(str(path), profile, {"PASSWORD": SECRET, **environ}).layers
    return {name: value for layer in reversed(layers) for name, value in layer.values.items()}


# ── TOML ──


def test_file_has_own_keys_and_properties(file: Path) -> None:
    assert values(file) == {
        "bootstrap.servers": "one:1,two:2",
        "client.id": "shared",
        "linger.ms": "20",
        "enable.idempotence": "true",
        "sasl.password": SECRET,
    }


def test_environment_beats_profile_beats_file(file: Path) -> None:
    """The environment is stronger than the profile, and the profile is stronger than the file."""
    prod = values(file, "prod")
    assert prod["bootstrap.servers"] == "prod:9093"
    assert (prod["group.id"], prod["group.protocol"], prod["ssl.key.password"]) == ("billing", "consumer", SECRET)
    assert prod["client.id"] == "shared"
    both = values(file, "prod", KDG_BROKERS="env:1", KDG_GROUP="env")
    assert (both["bootstrap.servers"], both["group.id"]) == ("env:1", "env")


def test_strongest_guarantee_wins(file: Path) -> None:
    environ = {"PASSWORD": SECRET}
    assert load(str(file), None, environ).guarantee == ("alo", str(file))
    assert load(str(file), "prod", environ).guarantee == ("eos", f"{file} [prod]")
    assert load(str(file), "prod", {**environ, "KDG_GUARANTEE": "amo"}).guarantee == ("amo", "KDG_GUARANTEE")


def test_environment_can_name_file_and_profile(file: Path) -> None:
    environ = {"PASSWORD": SECRET, "KDG_CONFIG": str(file), "KDG_PROFILE": "prod"}
    assert load(None, None, environ).guarantee == ("eos", f"{file} [prod]")
    file.write_text('profile = "prod"\n' + TOML)
    assert load(str(file), None, {"PASSWORD": SECRET}).guarantee == ("eos", f"{file} [prod]")


def test_default_file_is_read_if_it_exists(tmp_path: Path) -> None:
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    assert load(None, None, environ).layers == []
    assert default_file(environ) == tmp_path / "kdg" / "config.toml"
    assert default_file({}) == Path.home() / ".config" / "kdg" / "config.toml"
    default_file(environ).parent.mkdir()
    default_file(environ).write_text('brokers = "here:1"')
    assert load(None, None, environ).layers[0].values == {"bootstrap.servers": "here:1"}


def test_unused_profile_needs_no_secret(file: Path) -> None:
    """A secret of a profile that is not chosen may be missing."""
    assert values(file, "prod")
    with pytest.raises(UsageError, match=r"sasl\.password.*NOT_SET, which is not set"):
        values(file, "broken")


@pytest.mark.parametrize(
    ("text", "profile", "message"),
    [
        ("brokers = ", None, "not valid TOML"),
        ('group = "a"\ngroup.protocol = "consumer"', None, "not valid TOML"),
        ("brokers = 1979-05-27", None, "neither a text nor a number"),
        ('sasl.password = { file = "absent" }', None, "absent"),
        ("sasl.password = { env = 7 }", None, "not a text"),
        ("guarantee = 7", None, "not a text"),
        ('profile = "absent"', None, "no profile absent"),
        ("", "absent", "no profile absent"),
        ("profiles = 7", "absent", "no profile absent"),
    ],
)
def test_unreadable_file_is_refused_by_name(tmp_path: Path, text: str, profile: str | None, message: str) -> None:
    """The message for a file that cannot be understood names the file."""
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=message) as caught:
        load(str(file), profile, {})
    assert str(file) in str(caught.value)
    assert caught.value.hint


def test_missing_or_binary_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        load(str(tmp_path / "absent.toml"), None, {})
    with pytest.raises(UsageError, match="no profile"):
        load(None, "prod", {"XDG_CONFIG_HOME": str(tmp_path)})
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="UTF-8"):
        load(str(tmp_path / "binary.toml"), None, {})
    (tmp_path / "kcat.conf").write_text("linger.ms=5")
    with pytest.raises(UsageError, match="has no profiles"):
        load(str(tmp_path / "kcat.conf"), "prod", {})


def test_properties_file_that_is_not_utf_8_is_latin_1(tmp_path: Path) -> None:
    """java.util.Properties reads bytes as Latin-1."""
    (tmp_path / "c.properties").write_bytes("group.id=gr\u00fcn".encode("latin-1"))
    assert values(tmp_path / "c.properties") == {"group.id": "gr\u00fcn"}


def test_secret_is_never_shown() -> None:
    secrets = [name for name in KNOWN if any(w in name for w in ("password", "secret", "passphrase", "key.pem"))]
    assert all(Resolved(name, SECRET, "f", "").shown == MASK for name in (*secrets, "ssl_key", "sasl.jaas.config"))
    assert is_secret("sasl.oauthbearer.config")
