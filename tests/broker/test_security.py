"""Logins and rights against a real, secured broker: accepted, and refused with exit 8, the resource and the operation named."""

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
    """A secured broker; `open` is its side without a login, for the observer."""

    sandbox: Sandbox
    open: Kafka

    def client(self, mode: str, user: str = "admin") -> dict[str, str]:
        return self.sandbox.client(mode, user)

    def kdg(self, settings: Mapping[str, str], *args: str, input: bytes = b"") -> Done:  # noqa: A002  # as subprocess calls it
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


# ── who comes in ──


@pytest.mark.parametrize("mode", MODES)
def test_every_way_to_log_in_produces_and_consumes(secured: Secured, mode: str) -> None:
    topic, values = secured.open.topic(), lines(20)
    sent = secured.kdg(secured.client(mode), "produce", topic, "-g", "eos", input=text(values))
    assert sent.code == 0, sent
    read = secured.kdg(secured.client(mode), "consume", topic, "-e", "-G", name())
    assert (read.code, read.lines) == (0, values), read


def wrong(secured: Secured, others: Path, mode: str, what: str) -> dict[str, str]:
    """A client's settings with one thing wrong."""
    good = secured.client(mode)
    return good | {
        "password": {"sasl.password": "wrong-" + secrets.token_hex(4)},
        "ca": {"ssl.ca.location": str(others / "ca.pem")},
        "certificate": {"ssl.certificate.location": str(others / "admin.pem"), "ssl.key.location": str(others / "admin.pem")},
        "no certificate": {"bootstrap.servers": secured.client("mtls")["bootstrap.servers"]},
        "scope": {"sasl.oauthbearer.config": "principal=admin scope=other"},
    }[what]  # fmt: skip


@pytest.mark.parametrize(
    ("mode", "what"),
    [("scram", "password"), ("plain", "password"), ("oauthbearer", "scope"), ("mtls", "certificate"), ("tls", "no certificate")]
    + [(mode, "ca") for mode in ("tls", "mtls", "scram")],
)  # fmt: skip
def test_what_is_wrong_with_a_login_is_exit_8_at_once(secured: Secured, others: Path, mode: str, what: str) -> None:
    settings = wrong(secured, others, mode, what)
    for command in (["produce", "t"], ["consume", "t", "-e"]):
        done = secured.kdg(settings, *command, "--timeout", "10", input=b"a\n")
        assert done.code == 8, done
        assert done.out == b""
        assert "login" in done.err, done.err
        assert done.seconds < 8


# ── who may do what ──


def test_a_missing_right_is_exit_8_and_named_with_its_resource(secured: Secured) -> None:
    """Each row: what is asked for, the rights that are there, and the one that is missing."""
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
    allow(secured.open.bootstrap, RESTRICTED, [("WRITE", "TRANSACTIONAL_ID", identity), ("DESCRIBE", "TRANSACTIONAL_ID", identity)])  # fmt: skip
    refused(f"WRITE on topic {topic}", "produce", topic, "-g", "eos", "--transactional-id", identity)
    refused("READ on group kdg.produce.days", "produce", topic, "-g", "eos", "--transactional-id", identity, "--resume", "days")  # fmt: skip
    allow(secured.open.bootstrap, RESTRICTED, [("READ", "GROUP", group), ("WRITE", "TOPIC", topic)])
    assert secured.kdg(settings, "consume", topic, "-e", "-G", group).lines == lines(3)
    assert secured.kdg(settings, "produce", topic, "-g", "eos", "--transactional-id", identity, input=b"a\n").code == 0
    assert secured.kdg(settings, "produce", topic, input=b"b\n").code == 0


def test_what_was_refused_is_kept_by_undelivered(secured: Secured, tmp_path: Path) -> None:
    topic = secured.open.topic()
    allow(secured.open.bootstrap, RESTRICTED, [("DESCRIBE", "TOPIC", topic)])
    kept = tmp_path / "kept"
    done = secured.kdg(secured.client("plain", RESTRICTED), "produce", topic, "--undelivered", str(kept), input=text(lines(50)))  # fmt: skip
    assert done.code == 8, done
    assert sorted(kept.read_bytes().splitlines()) == lines(50)


def test_unreadable_topic_is_unknown_to_check(secured: Secured) -> None:
    """A topic that may not be looked at is unknown to check and strict."""
    topic = secured.open.topic()
    allow(secured.open.bootstrap, RESTRICTED, [("DESCRIBE", "TOPIC", topic)])
    done = secured.kdg(secured.client("scram", RESTRICTED), "check", "--topic", topic)
    assert done.code == 10, done
    assert b"unknown" in done.out
    strict = secured.kdg(secured.client("scram", RESTRICTED), "produce", topic, "--strict")
    assert strict.code == 10
    assert "unknown" in strict.err


# ── the command ──


def test_kdg_sandbox_secured_gives_its_command_all_it_needs() -> None:
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
