"""Files with lines `key=value`, of kcat and of Java: how they are told apart, read, translated and refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdg.core.guarantees import AT_LEAST_ONCE, Role
from kdg.errors import UsageError
from kdg.kafka.client import validate
from kdg.settings import java, keyvalue
from kdg.settings.files import properties_of
from kdg.settings.java_values import RANGES
from kdg.settings.librdkafka import KNOWN, LARGEST, canonical
from kdg.settings.resolve import Layer, resolve
from kdg.settings.token_command import TOKEN_COMMAND

SECRET = "hunter2"  # noqa: S105  # what must not appear anywhere


def properties(text: str) -> dict[str, str]:
    """The properties of a `key=value` file, as librdkafka takes them."""
    return dict(properties_of(text, "f")[0].values)


def test_values_of_kcat_are_not_changed() -> None:
    text = "# a comment\n\nbootstrap.servers = a:1\nsasl.password=p\\ss=w#rd!\nsasl.username=domain\\user\n"
    assert properties(text) == {
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
    assert properties(CLIENT) == {
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
    assert properties(f"key.serializer=x\n{line}") == becomes
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


@pytest.mark.parametrize(
    "text",
    [
        "bootstrap.servers=h\\:9092",
        "bootstrap.servers: h:9092",
        "bootstrap.servers h:9092",
        "bootstrap.servers=h:\\\n  9092",
        "bootstrap.servers=h\\u003a9092",
    ],
)
def test_java_file_is_known_by_its_syntax(text: str) -> None:
    """A file with names that every client has is a Java file if a line is written as only Java reads it."""
    assert properties(text) == {"bootstrap.servers": "h:9092"}


def test_java_file_is_known_by_its_own_name() -> None:
    """`.properties` decides if the names do not; a name that only librdkafka has is stronger than both."""
    text = "client.rack=c\\d\n"
    assert properties(text) == {"client.rack": "c\\d"}
    assert properties_of(text, "client.properties")[0].values == {"client.rack": "cd"}
    own = properties_of(text + "sasl.password=p\\:w\n", "client.properties")[0].values
    assert own == {"client.rack": "c\\d", "sasl.password": "p\\:w"}


@pytest.mark.parametrize("end", ["\u2028", "\x85", "\x0b", "\x0c", "\x1c"])
def test_value_ends_with_its_line_only(end: str) -> None:
    """Characters that Python takes for the end of a line are parts of a value."""
    assert properties(f"sasl.password=one{end}two\n") == {"sasl.password": f"one{end}two"}
    assert properties(f"key.serializer=x\nclient.id=one{end}two\n") == {"client.id": f"one{end}two"}


@pytest.mark.parametrize("before", ["", "key.serializer=x\n"])
@pytest.mark.parametrize("name", ["ssl.key.pem", "ssl.keystore.key"])
def test_key_that_is_not_continued_is_not_printed(before: str, name: str) -> None:
    """The message names the line of the value that is cut off."""
    text = f"{before}{name}=-----BEGIN PRIVATE KEY-----\nabc{SECRET}==\n-----END PRIVATE KEY-----\n"
    with pytest.raises(UsageError, match=f"f line {1 + bool(before)}") as caught:
        properties_of(text, "f")
    assert SECRET not in str(caught.value) + caught.value.hint
    assert "hunter" not in str(caught.value) + caught.value.hint


def test_key_on_one_line_is_cut_into_lines() -> None:
    """OpenSSL needs the lines of a PEM text; Java also reads a text whose lines are joined by blanks."""
    text = "ssl.keystore.key=-----BEGIN PRIVATE KEY----- \\\n  ab+= \\\n  cd \\\n  -----END PRIVATE KEY-----\n"
    assert properties(text) == {"ssl.key.pem": "-----BEGIN PRIVATE KEY-----\nab+=\ncd\n-----END PRIVATE KEY-----\n"}


def test_number_of_java_becomes_one_that_the_client_takes() -> None:
    """No limit stays no limit; another change is reported with the file, the line and Java's name."""
    text = "key.serializer=x\nsend.buffer.bytes=-1\nmax.poll.interval.ms=2147483647\nrequest.timeout.ms=600000 \n"
    layer, notes = properties_of(text, "f")
    assert layer.values == {
        "socket.send.buffer.bytes": "0",
        "max.poll.interval.ms": "86400000",
        "socket.timeout.ms": "300000",
    }
    assert notes == ["f line 4: request.timeout.ms=600000 is more than the Kafka client takes; it uses 300000"]
    with pytest.raises(UsageError, match="f line 1: retries=soon"):
        properties_of("retries=soon\nkey.serializer=x", "f")


@pytest.mark.parametrize("before", ["", "key.serializer=x\n", "sasl.username=u\n"])
def test_names_of_other_programs_are_passed_over(before: str) -> None:
    """Schema Registry's names, which files for every client contain, and those of Java's own: one note names them."""
    text = "schema.registry.url=http://r\nbasic.auth.user.info=u:p\nbasic.auth.credentials.source=USER_INFO\nacks=all"
    layer, notes = properties_of(before + text, "f")
    assert "schema.registry.url" not in layer.values
    assert layer.values["acks"] == "all"
    assert list(notes) == [
        "f: kdg has no use for basic.auth.credentials.source, basic.auth.user.info, schema.registry.url"
    ]


@pytest.mark.parametrize("name", RANGES)
def test_range_is_the_one_of_the_library(name: str) -> None:
    """The library takes both ends of each range, and nothing beyond them, as far as it can hold it."""
    own = java.RENAMED.get(name, name)
    unit = 1024 if name == "buffer.memory" else 1
    role = Role.PRODUCER if Role.PRODUCER in KNOWN[canonical(own)] else Role.CONSUMER
    low, high = (end // unit for end in RANGES[name])
    around = {
        "max.poll.interval.ms": {"session.timeout.ms": "1"},
        "session.timeout.ms": {"max.poll.interval.ms": "86400000"},
        "reconnect.backoff.ms": {"reconnect.backoff.max.ms": "3600000"},
        "reconnect.backoff.max.ms": {"reconnect.backoff.ms": "0"},
    }.get(name, {})
    for end in (low, high):
        validate({**around, own: str(end)}, role)
    for beyond in (low - 1, high + 1):
        if beyond <= LARGEST:
            with pytest.raises(UsageError, match="refuses the configuration"):
                validate({**around, own: str(beyond)}, role)


@pytest.mark.parametrize("before", ["", "sasl.jaas.config=software.amazon.msk.auth.iam.IAMLoginModule required;\n"])
def test_login_of_amazon_says_what_to_write(before: str) -> None:
    """The first message is the last: it names every line to write, and none of them is refused next."""
    text = (
        f"security.protocol=SASL_SSL\n{before}sasl.mechanism=AWS_MSK_IAM\n"
        "sasl.client.callback.handler.class=software.amazon.msk.auth.iam.IAMClientCallbackHandler\n"
    )
    with pytest.raises(UsageError, match=f"f line {2 + bool(before)}: sasl.mechanism=AWS_MSK_IAM") as caught:
        properties_of(text, "f")
    for line in ("security.protocol=SASL_SSL", "sasl.mechanism=OAUTHBEARER", TOKEN_COMMAND):
        assert line in caught.value.hint
    with pytest.raises(UsageError, match=r"-X: sasl\.mechanism=AWS_MSK_IAM"):
        resolve(AT_LEAST_ONCE, Role.PRODUCER, "produce", [Layer("-X", {"sasl.mechanism": "AWS_MSK_IAM"})])
