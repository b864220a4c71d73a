"""Configuration: TOML files, kcat's and Java's files, profiles, the environment, secrets in variables and files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdg.errors import UsageError
from kdg.settings import java, keyvalue
from kdg.settings.files import default_file, load, properties_of
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


# ── key=value ──


def test_values_of_kcat_are_not_changed(tmp_path: Path) -> None:
    text = "# a comment\n\nbootstrap.servers = a:1\nsasl.password=p\\ss=w#rd!\nsasl.username=domain\\user\n"
    assert properties_of(text, "f") == {
        "bootstrap.servers": "a:1",
        "sasl.password": "p\\ss=w#rd!",
        "sasl.username": "domain\\user",
    }
    with pytest.raises(UsageError, match="f line 2") as caught:
        properties_of(f"linger.ms=5\n{SECRET}\n", "f")
    assert SECRET not in str(caught.value) + caught.value.hint


def test_java_properties_are_read_as_java_reads_them() -> None:
    text = "! comment\na=1\nb : 2\n c 3\nd\\=e=x\\ty\\u0041\\\\\nlong=one \\\n   two\nempty\nodd=end\\\\\n"
    assert keyvalue.read_java(text) == {
        "a": "1",
        "b": "2",
        "c": "3",
        "d=e": "x\tyA\\",
        "long": "one two",
        "empty": "",
        "odd": "end\\",
    }


@given(st.dictionaries(st.text(min_size=1, max_size=5), st.text(max_size=10), max_size=4))
def test_java_escapes_are_read_back(pairs: dict[str, str]) -> None:
    def escaped(text: str) -> str:
        return "".join(c if c.isascii() and c.isalnum() else "".join(f"\\u{u:04x}" for u in _utf16(c)) for c in text)

    text = "".join(f"{escaped(key)}={escaped(value)}\n" for key, value in pairs.items())
    read = keyvalue.read_java(text)
    assert {_whole(k): _whole(v) for k, v in read.items()} == {_whole(k): _whole(v) for k, v in pairs.items()}


def _utf16(character: str) -> list[int]:
    data = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(data[i : i + 2]) for i in range(0, len(data), 2)]


def _whole(text: str) -> bytes:
    return b"".join(c.encode("utf-16-be", "surrogatepass") for c in text)


CLIENT = """
bootstrap.servers=broker:9093
security.protocol=SASL_SSL
sasl.mechanism=SCRAM-SHA-512
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\
    username="alice" \\
    password="hun\\\\"ter2=;";
ssl.truststore.type=PEM
ssl.truststore.location=/etc/ca.pem
ssl.endpoint.identification.algorithm=
key.serializer=org.apache.kafka.common.serialization.StringSerializer
buffer.memory=33554432
max.request.size=2000000
auto.offset.reset=none
partition.assignment.strategy=org.apache.kafka.clients.consumer.CooperativeStickyAssignor
"""


def test_java_client_properties_are_translated() -> None:
    assert properties_of(CLIENT, "f") == {
        "bootstrap.servers": "broker:9093",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "alice",
        "sasl.password": 'hun"ter2=;',
        "ssl.ca.location": "/etc/ca.pem",
        "ssl.endpoint.identification.algorithm": "none",
        "queue.buffering.max.kbytes": "32768",
        "message.max.bytes": "2000000",
        "auto.offset.reset": "error",
        "partition.assignment.strategy": "cooperative-sticky",
    }


@pytest.mark.parametrize(
    ("line", "becomes"),
    [
        (
            "ssl.keystore.location=a.p12\nssl.keystore.password=x",
            {"ssl.keystore.location": "a.p12", "ssl.keystore.password": "x"},
        ),
        (
            "ssl.keystore.location=a.pem\nssl.key.password=x",
            {"ssl.certificate.location": "a.pem", "ssl.key.location": "a.pem", "ssl.key.password": "x"},
        ),
        (
            "ssl.keystore.key=K\nssl.keystore.certificate.chain=C",
            {"ssl.key.pem": "K", "ssl.certificate.pem": "C"},
        ),
        (
            "sasl.jaas.config=a.PlainLoginModule required username='u' password=p;",
            {"sasl.username": "u", "sasl.password": "p"},
        ),
        (
            (
                'sasl.jaas.config=a.OAuthBearerLoginModule required clientId="i" clientSecret="s";\n'
                "sasl.login.callback.handler.class=x.OAuthBearerLoginCallbackHandler"
            ),
            {
                "sasl.oauthbearer.method": "oidc",
                "sasl.oauthbearer.client.id": "i",
                "sasl.oauthbearer.client.secret": "s",
            },
        ),
        (
            'sasl.jaas.config=a.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="me";',
            {"enable.sasl.oauthbearer.unsecure.jwt": "true", "sasl.oauthbearer.config": "principal=me"},
        ),
        (
            'sasl.jaas.config=a.Krb5LoginModule required keyTab="k" principal="p" useKeyTab=true;',
            {"sasl.kerberos.keytab": "k", "sasl.kerberos.principal": "p"},
        ),
    ],
)
def test_each_java_login_is_translated(line: str, becomes: dict[str, str]) -> None:
    assert properties_of(f"key.serializer=x\n{line}", "f") == becomes
    assert set(becomes) <= set(KNOWN)


@pytest.mark.parametrize(
    ("line", "named", "nearest"),
    [
        *((f"{name}={SECRET}", name, near.split(":")[0].split(" (")[0]) for name, near in java.NEAREST.items()),
        ("ssl.truststore.location=a.jks", "ssl.truststore.location", "ssl.ca.location"),
        ("ssl.truststore.location=a.p12", "ssl.truststore.location", "ssl.ca.location"),
        ("ssl.keystore.location=a.jks", "ssl.keystore.location", "PKCS12"),
        (f"sasl.jaas.config=a.IamLoginModule required password={SECRET};", "sasl.jaas.config", "sasl.username"),
        (f"sasl.jaas.config={SECRET}", "sasl.jaas.config", "sasl.username"),
        ("sasl.login.callback.handler.class=a.B", "sasl.login.callback.handler.class", "sasl.oauthbearer.method"),
        ("partition.assignment.strategy=a.StickyAssignor", "partition.assignment.strategy", "cooperative-sticky"),
        ("buffer.memory=much", "buffer.memory", ""),
    ],
)
def test_java_name_without_equal_names_the_nearest(line: str, named: str, nearest: str) -> None:
    with pytest.raises(UsageError, match=named) as caught:
        properties_of(f"key.serializer=x\n{line}", "f.properties")
    assert "f.properties" in str(caught.value)
    assert nearest in caught.value.hint
    assert SECRET not in str(caught.value) + caught.value.hint


def test_librdkafka_knows_every_translated_name() -> None:
    assert set(java.RENAMED.values()) <= set(KNOWN)
    assert not (java.WITHOUT_MEANING | set(java.NEAREST)) & set(java.RENAMED)


def test_secret_is_never_shown() -> None:
    secrets = [name for name in KNOWN if any(w in name for w in ("password", "secret", "passphrase", "key.pem"))]
    assert all(Resolved(name, SECRET, "f", "").shown == MASK for name in (*secrets, "ssl_key", "sasl.jaas.config"))
    assert is_secret("sasl.oauthbearer.config")
