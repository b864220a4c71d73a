"""A login with tokens that a command prints, on a real, secured broker: all clients use it, and its failure is told."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from kdg.sandbox import Sandbox
from kdg.sandbox.security import ADMIN, SCOPE
from kdg.settings.token_command import TOKEN_COMMAND
from tests.support.kafka import Kafka
from tests.support.processes import KDG, Fed, lines, text
from tests.support.waiting import eventually

ISSUER = f'''
import base64, json, os, sys, time

def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

now = time.time()
life = int(sys.argv[2]) if len(sys.argv) > 2 else 3600
refused = os.path.exists(sys.argv[1] + ".refused")
claims = {{"sub": "{ADMIN}", "scope": "other" if refused else "{SCOPE}", "iat": now, "exp": now + life}}
token = part({{"alg": "none"}}) + "." + part(claims) + "."
open(sys.argv[1], "a").write("r" if refused else "x")
print(json.dumps({{"token": token, "expires": now + life, "principal": "{ADMIN}"}}))
'''
"""Prints an unsigned token, as the sandbox takes it, and leaves a mark each time.

Arguments: the file of the marks, and how long a token lasts. The broker refuses a token that is made while a file
MARKS.refused is there.
"""
LIFE = 10
"""Seconds of a short token. A broker refuses a second login of one connection within a second."""


@pytest.fixture(scope="module")
def secured() -> Iterator[Sandbox]:
    # Without this setting a broker tells the client how long its token lasts, and serves it longer.
    with Sandbox(secured=True, properties={"connections.max.reauth.ms": "60000"}) as sandbox:
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


# ── tokens that end ──


def _short(sandbox: Sandbox) -> list[str]:
    """Options for the listener with OAUTHBEARER, with the library's own tokens."""
    settings = sandbox.client("oauthbearer")
    settings["sasl.oauthbearer.config"] += f" lifeSeconds={LIFE}"
    return [part for name, value in settings.items() for part in ("-X", f"{name}={value}")]


def _fed(kafka: Kafka, *args: str) -> Fed:
    """Start `kdg produce`, with stdin as a pipe."""
    return Fed([KDG, "produce", *args], kafka.environment({"KDG_BROKERS": ""}), subprocess.PIPE, None)


def test_every_client_outlives_its_token(secured: Sandbox) -> None:
    """A producer that waits for input, a consumer and a filter behind a slow command, and their admin clients."""
    kafka = Kafka(secured.bootstrap)
    outside, options, values = {"KDG_BROKERS": ""}, _short(secured), lines(2)
    slow = ["--batch-records", "1", *options, "--", "sh", "-c", f"sleep {LIFE + 3}; cat"]
    source, target = kafka.filled(values), kafka.topic()
    written, in_transactions = kafka.topic(), kafka.topic()
    resumed = ["-g", "eos", "--resume", written, "--batch-records", "1"]
    with (
        kafka.start("consume", source, "-e", "-G", "tokens-3", *slow, env=outside) as reading,
        kafka.start("pipe", source, target, "-e", "-G", "tokens-4", "-g", "eos", *slow, env=outside) as piping,
        _fed(kafka, written, *options) as writing,
        _fed(kafka, in_transactions, *resumed, *options) as resuming,
    ):
        for value in values:
            writing.feed([value])
            resuming.feed([value])
            time.sleep(LIFE + 4)
        done = [writing.done(), resuming.done(), reading.end(60), piping.end(60)]
    assert [ended.code for ended in done] == [0, 0, 0, 0], done
    assert done[2].lines == values
    for topic in (written, in_transactions, target):
        assert [value for value in kafka.values(topic) if value in values] == values


def test_refused_token_is_replaced_before_the_run_gives_up(secured: Sandbox, tmp_path: Path) -> None:
    """One token is refused, the next one is not. If the next ones are refused as well, the run ends with exit 8."""
    kafka = Kafka(secured.bootstrap)
    (tmp_path / "issuer.py").write_text(ISSUER)
    runs, marks = list[list[str]](), list[Path]()
    for number in range(2):
        (tmp_path / str(number)).mkdir()
        marks.append(tmp_path / str(number) / "marks")
        command = shlex.join([sys.executable, str(tmp_path / "issuer.py"), str(marks[number]), str(LIFE)])
        runs.append(["-F", str(_configuration(secured, tmp_path / str(number), command))])
    topic, other = kafka.topic(), kafka.topic()
    with (
        _fed(kafka, topic, *runs[0]) as once,
        _fed(kafka, other, *runs[1]) as always,
    ):
        for run in (once, always):
            run.feed([b"before"])
        refused = [marks[number].with_name("marks.refused") for number in range(2)]
        assert eventually(lambda: kafka.values(topic) == kafka.values(other) == [b"before"], 20)
        for mark in refused:
            mark.touch()
        assert eventually(lambda: b"r" in marks[0].read_bytes(), 20)
        refused[0].unlink()
        while always.running:  # a run that nobody feeds may notice its errors late
            with suppress(AssertionError):
                always.feed([b"more"])
            time.sleep(1)
        once.feed([b"after"])
        kept, given_up = once.done(), always.end()
    assert kept.code == 0, kept
    assert kafka.values(topic) == [b"before", b"after"]
    assert given_up.code == 8, given_up
    assert "the broker refused the login" in given_up.err
    assert marks[1].read_bytes().count(b"r") >= 2
