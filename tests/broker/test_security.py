"""Logins and rights on a real, secured broker: a refusal is exit 8, and names the resource and the operation."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from kdg.kafka.admin import allow
from kdg.sandbox import Sandbox
from kdg.sandbox.security import LISTENER_OF, RESTRICTED, make_certificates
from tests.support.kafka import Kafka
from tests.support.processes import KDG, Done, lines, text

MODES = list(LISTENER_OF)
WITH_LOGIN = [mode for mode in MODES if mode != "tls"]


@dataclass(frozen=True)
class Secured:
    """A secured broker. open: its listener without a login, for the test itself."""

    sandbox: Sandbox
    open: Kafka

    def client(self, mode: str, user: str = "admin") -> dict[str, str]:
        return self.sandbox.client(mode, user)

    def kdg(self, settings: Mapping[str, str], *args: str, input: bytes = b"") -> Done:  # noqa: A002  # as subprocess
        pairs = [part for name, value in settings.items() for part in ("-X", f"{name}={value}")]
        done = self.open.kdg(*args, *pairs, input=input, env={"KDG_BROKERS": ""})
        assert all(password not in done.err for password in self.passwords)
        return done

    @property
    def passwords(self) -> list[str]:
        assert self.sandbox.security is not None
        return list(self.sandbox.security.passwords.values())


@pytest.fixture(scope="module")
def secured() -> Iterator[Secured]:
    with Sandbox(secured=True) as sandbox:
        yield Secured(sandbox, Kafka(sandbox.bootstrap))


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificates of another authority."""
    folder = tmp_path_factory.mktemp("others")
    make_certificates(folder)
    return folder


def name() -> str:
    return f"n-{secrets.token_hex(4)}"


# ── logins ──


@pytest.mark.parametrize("mode", MODES)
def test_every_way_to_log_in_produces_and_consumes(secured: Secured, mode: str) -> None:
    """Each kind of listener is used with the settings that the sandbox gives."""
    topic, values = secured.open.topic(), lines(20)
    sent = secured.kdg(secured.client(mode), "produce", topic, "-g", "eos", input=text(values))
    assert sent.code == 0, sent
    read = secured.kdg(secured.client(mode), "consume", topic, "-e", "-G", name())
    assert (read.code, read.lines) == (0, values), read


def wrong(secured: Secured, others: Path, mode: str, what: str) -> dict[str, str]:
    """A client's settings with one thing wrong."""
    good = secured.client(mode)
    return (
        good
        | {
            "password": {"sasl.password": "wrong-" + secrets.token_hex(4)},
            "mechanism": {"sasl.mechanism": "SCRAM-SHA-256"},
            "ca": {"ssl.ca.location": str(others / "ca.pem")},
            "certificate": {
                "ssl.certificate.location": str(others / "admin.pem"),
                "ssl.key.location": str(others / "admin.pem"),
            },
            "no certificate": {"bootstrap.servers": secured.client("mtls")["bootstrap.servers"]},
            "scope": {"sasl.oauthbearer.config": "principal=admin scope=other"},
        }[what]
    )


@pytest.mark.parametrize(
    ("mode", "what", "says"),
    [
        ("scram", "password", "the broker refused the login"),
        ("plain", "password", "the broker refused the login"),
        ("scram", "mechanism", "supported mechanisms: SCRAM-SHA-512,PLAIN,OAUTHBEARER"),
        ("oauthbearer", "scope", "the broker refused the login"),
        (
            "mtls",
            "certificate",
            "the broker refuses ssl.certificate.location=OTHERS/admin.pem as a certificate",
        ),
        ("tls", "no certificate", "the broker requires a certificate of this client, and got none"),
        ("tls", "ca", "this client refuses the certificate of the broker: certificate signature failure; trusted: "),
        ("mtls", "ca", "trusted: ssl.ca.location=OTHERS/ca.pem"),
        ("scram", "ca", "this client refuses the certificate of the broker"),
    ],
)
def test_refused_login_is_exit_8_at_once(secured: Secured, others: Path, mode: str, what: str, says: str) -> None:
    """A login that is refused by either side is exit 8, says which side, and does not wait for the timeout."""
    settings = wrong(secured, others, mode, what)
    for command in (["produce", "t"], ["consume", "t", "-e"]):
        done = secured.kdg(settings, *command, "--timeout", "10", input=b"a\n")
        assert done.code == 8, done
        assert done.out == b""
        assert says.replace("OTHERS", str(others)) in done.err, done.err
        assert "are down" not in done.err
        assert done.seconds < 8


@pytest.mark.parametrize("protocol", ["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"])
@pytest.mark.parametrize("listener", ["open", "tls", "scram"])
def test_other_protocol_than_the_listener_is_told_at_once(secured: Secured, protocol: str, listener: str) -> None:
    """The library only sees that it is cut off. What the listener speaks, and the setting to write, is in the message.

    Each client is tried with each listener; what the hint says works.
    """
    speaks = {"open": "PLAINTEXT", "tls": "SSL", "scram": "SASL_SSL"}[listener]
    at = secured.open.bootstrap if listener == "open" else secured.client(listener)["bootstrap.servers"]
    settings = secured.client("scram") | {"bootstrap.servers": at, "security.protocol": protocol}
    done = secured.kdg(settings, "produce", name(), "--timeout", "20", input=b"a\n")
    if protocol.upper() == speaks:
        assert done.code == 0, done
        return
    assert done.code == 8, done
    assert f"{at} " in done.err, done.err
    assert f"and security.protocol is {protocol.upper()}." in done.err, done.err
    assert f"Set -X security.protocol={speaks}" in done.err, done.err
    assert done.seconds < 8


@pytest.mark.parametrize(
    "argv",
    [
        ["consume", "t", "-e"],
        ["pipe", "t", "u", "-e", "-G", "g"],
        ["produce", "t", "-g", "eos"],
        ["produce", "t", "-g", "amo"],
        ["check", "--topic", "t"],
    ],
)
def test_every_command_tells_the_other_protocol(secured: Secured, argv: list[str]) -> None:
    """A client without TLS on a listener with TLS, in each kind of run."""
    at = secured.client("tls")["bootstrap.servers"]
    done = secured.kdg({}, *argv, "-b", at, input=b"a\n")
    assert done.code == 8, done
    assert f"{at} speaks TLS" in done.err, done.err
    assert done.seconds < 8


def test_listener_that_requires_a_certificate_is_known_as_tls(secured: Secured) -> None:
    """It answers nothing before it has seen one."""
    at = secured.client("mtls")["bootstrap.servers"]
    done = secured.kdg({"bootstrap.servers": at}, "produce", "t", input=b"a\n")
    assert (done.code, f"{at} speaks TLS, and security.protocol is PLAINTEXT" in done.err) == (8, True), done


def test_protocol_before_the_broker_is_that_of_the_client(secured: Secured) -> None:
    """As in Kafka's own advertised.listeners: SSL://HOST:PORT."""
    settings = secured.client("tls")
    at = settings.pop("bootstrap.servers")
    del settings["security.protocol"]
    done = secured.kdg(settings, "produce", name(), "-b", f"SSL://{at}", input=b"a\n")
    assert done.code == 0, done


# ── rights ──


def test_missing_right_is_named_with_its_resource(secured: Secured) -> None:
    """A missing right is exit 8, with the operation and the resource. Rights are given one after the other."""
    topic = secured.open.filled(lines(3))
    settings = secured.client("scram", RESTRICTED)
    group, identity = name(), name()

    def refused(needed: str, *args: str) -> None:
        done = secured.kdg(settings, *args, "--timeout", "20", input=b"a\n")
        assert (done.code, done.out) == (8, b""), done
        assert needed in done.err, done.err

    refused(f"DESCRIBE on topic {topic}", "consume", topic, "-e")
    refused(f"DESCRIBE on topic {topic}", "produce", topic)
    allow(secured.open.bootstrap, RESTRICTED, [("DESCRIBE", "TOPIC", topic)])
    refused(f"READ on topic {topic}", "consume", topic, "-e")
    refused(f"WRITE on topic {topic}", "produce", topic)
    refused(f"WRITE on topic {topic}", "produce", topic, "--acks", "leader")
    refused(f"WRITE on transactional id {identity}", "produce", topic, "-g", "eos", "--transactional-id", identity)
    allow(secured.open.bootstrap, RESTRICTED, [("READ", "TOPIC", topic)])
    refused(f"READ on group {group}", "consume", topic, "-e", "-G", group)
    allow(secured.open.bootstrap, RESTRICTED, [("DESCRIBE", "GROUP", group)])
    refused(f"READ on group {group}", "consume", topic, "-e", "-G", group)
    identity_rights = [(operation, "TRANSACTIONAL_ID", identity) for operation in ("WRITE", "DESCRIBE")]
    allow(secured.open.bootstrap, RESTRICTED, identity_rights)
    in_transactions = ["produce", topic, "-g", "eos", "--transactional-id", identity]
    refused(f"WRITE on topic {topic}", *in_transactions)
    refused("READ on group kdg.produce.days", *in_transactions, "--resume", "days")
    allow(secured.open.bootstrap, RESTRICTED, [("READ", "GROUP", group), ("WRITE", "TOPIC", topic)])
    assert secured.kdg(settings, "consume", topic, "-e", "-G", group).lines == lines(3)
    assert secured.kdg(settings, *in_transactions, input=b"a\n").code == 0
    assert secured.kdg(settings, "produce", topic, input=b"b\n").code == 0


def test_denied_records_are_kept_by_undelivered(secured: Secured, tmp_path: Path) -> None:
    """Without the right to write, every record of the input is in the file of --undelivered."""
    topic = secured.open.topic()
    allow(secured.open.bootstrap, RESTRICTED, [("DESCRIBE", "TOPIC", topic)])
    kept = tmp_path / "kept"
    settings = secured.client("plain", RESTRICTED)
    done = secured.kdg(settings, "produce", topic, "--undelivered", str(kept), input=text(lines(50)))
    assert done.code == 8, done
    assert sorted(kept.read_bytes().splitlines()) == lines(50)


def test_unreadable_topic_is_unknown_to_check(secured: Secured) -> None:
    """A topic whose settings may not be read is "unknown" to check and --strict: exit 10."""
    topic = secured.open.topic()
    allow(secured.open.bootstrap, RESTRICTED, [("DESCRIBE", "TOPIC", topic)])
    done = secured.kdg(secured.client("scram", RESTRICTED), "check", "--topic", topic)
    assert done.code == 10, done
    assert b"unknown" in done.out
    strict = secured.kdg(secured.client("scram", RESTRICTED), "produce", topic, "--strict")
    assert strict.code == 10
    assert "unknown" in strict.err


# ── the command ──


def test_secured_sandbox_configures_its_command() -> None:
    """The command gets a configuration with secrets that --dry-run hides, and a profile with fewer rights."""
    script = f"""
        printf 'a\\nb\\n' | {KDG} produce demo -q && {KDG} consume demo -e -q --profile restricted || exit 1
        echo c | {KDG} produce demo -q --profile restricted
        test $? = 8 && {KDG} consume demo -e -q --profile restricted --dry-run
    """
    argv = [KDG, "sandbox", "--security", "scram", "--topic", "demo", "-q", "--", "sh", "-c", script]
    done = subprocess.run(argv, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.startswith(b"a\nb\n")
    assert b"********" in done.stdout
    assert b"WRITE on topic demo" in done.stderr
