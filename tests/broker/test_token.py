"""A login with tokens that a command prints, on a real, secured broker: all clients use it, and its failure is told."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kdg.sandbox import Sandbox
from kdg.sandbox.security import ADMIN, SCOPE
from kdg.settings.token_command import TOKEN_COMMAND
from tests.support.kafka import Kafka
from tests.support.processes import lines, text

ISSUER = f'''
import base64, json, sys, time

def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

now = time.time()
claims = {{"sub": "{ADMIN}", "scope": "{SCOPE}", "iat": now, "exp": now + 3600}}
token = part({{"alg": "none"}}) + "." + part(claims) + "."
open(sys.argv[1], "a").write("x")
print(json.dumps({{"token": token, "expires": now + 3600, "principal": "{ADMIN}"}}))
'''
"""Prints an unsigned token, as the sandbox takes it, and leaves a mark each time."""


@pytest.fixture(scope="module")
def secured() -> Iterator[Sandbox]:
    with Sandbox(secured=True) as sandbox:
        yield sandbox


def _configuration(sandbox: Sandbox, folder: Path, command: str) -> Path:
    """A file of kdg for the listener with OAUTHBEARER."""
    settings = sandbox.client("oauthbearer")
    for own in ("enable.sasl.oauthbearer.unsecure.jwt", "sasl.oauthbearer.config"):
        del settings[own]
    settings[TOKEN_COMMAND] = command
    file = folder / "client.conf"
    file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    return file


def test_command_gives_the_tokens_of_every_client(secured: Sandbox, tmp_path: Path) -> None:
    """produce, consume, pipe and check log in with it: a producer, a consumer and an admin client."""
    kafka = Kafka(secured.bootstrap)
    (tmp_path / "issuer.py").write_text(ISSUER)
    marks = tmp_path / "marks"
    command = shlex.join([sys.executable, str(tmp_path / "issuer.py"), str(marks)])
    file = str(_configuration(secured, tmp_path, command))
    outside = {"KDG_BROKERS": ""}
    topic, target, values = kafka.topic(), kafka.topic(), lines(20)
    sent = kafka.kdg("produce", topic, "-g", "eos", "-F", file, input=text(values), env=outside)
    assert sent.code == 0, sent
    piped = kafka.kdg("pipe", topic, target, "-e", "-G", "tokens", "-g", "eos", "-F", file, env=outside)
    assert piped.code == 0, piped
    read = kafka.kdg("consume", target, "-e", "-G", "tokens-2", "-F", file, env=outside)
    assert (read.code, read.lines) == (0, values), read
    assert kafka.kdg("check", "-F", file, "--topic", topic, env=outside).code in (0, 10)
    assert marks.stat().st_size >= 4


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("exit 3", "exit status 3"),
        ("echo hunter2", "did not print JSON"),
        ('echo "{}"', "without a token"),
        ("""echo '{"token": "hunter2"}'""", "does not say when the token ends"),
        ("""echo '{"token": "hunter2", "expires": 7}'""", "a token that has ended"),
    ],
)
@pytest.mark.parametrize("argv", [["produce", "t"], ["consume", "t", "-e"]])
def test_command_without_a_token_is_told(
    secured: Sandbox, tmp_path: Path, command: str, reason: str, argv: list[str]
) -> None:
    """The run ends soon, with exit 8 and the reason; nothing that the command printed is shown."""
    file = str(_configuration(secured, tmp_path, command))
    done = Kafka(secured.bootstrap).kdg(*argv, "-F", file, env={"KDG_BROKERS": ""})
    assert done.code == 8, done
    assert done.seconds < 20
    assert TOKEN_COMMAND in done.err
    assert reason in done.err
    assert "hunter2" not in done.err
