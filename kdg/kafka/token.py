"""Owns running the command of `sasl.oauthbearer.token.command`, which prints the token of a login.

When it is run: kdg/kafka/tokens.py.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import Any

from kdg.errors import Unreachable
from kdg.kafka.tokens import Token
from kdg.runtime.deadline import Deadline, NoSignals
from kdg.settings.token_command import TOKEN_COMMAND

SECONDS = 30.0
"""How long the command may take."""
_END = f"it goes on when the command ends, and gives up after {SECONDS:g} s"
_MILLISECONDS = 1e11
"""A larger time since 1970 is in milliseconds: it would be after the year 5000 in seconds."""
_EXAMPLE = 'Print one JSON object: {"token": "...", "expires": SECONDS SINCE 1970}, or "expires_in": SECONDS.'


def issued(command: str, note: Callable[[str], None] = lambda _line: None) -> Token:
    """The token that the command prints. Raises Unreachable if it prints none. note: prints a line for the user."""
    deadline = Deadline(NoSignals(), note=note)
    with deadline.watched("waiting for a token", f"the command of {TOKEN_COMMAND} still runs", _END):
        return parse(_run(command), time.time())


def _run(command: str) -> bytes:
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=SECONDS,
            check=False,
            start_new_session=True,  # Ctrl-C ends the run, not the command under it
        )
    except subprocess.TimeoutExpired as exc:
        raise _no_token(f"did not end within {SECONDS:g} s") from exc
    if done.returncode:
        raise _no_token(f"ended with exit status {done.returncode}")
    return done.stdout


def parse(printed: bytes, now: float) -> Token:
    """The token in what a command printed, which is not shown. now: seconds since 1970. Raises Unreachable."""
    try:
        answer = json.loads(printed)
    except ValueError as exc:
        raise _no_token("did not print JSON") from exc
    token = answer.get("token") if isinstance(answer, dict) else None
    if not isinstance(token, str) or not token:
        raise _no_token("printed JSON without a token")
    ends = _ends(answer, now)
    if ends <= now:
        raise _no_token("printed a token that has ended")
    extensions = answer.get("extensions", {})
    named = {str(k): str(v) for k, v in extensions.items()} if isinstance(extensions, dict) else {}
    return token, ends, str(answer.get("principal", "")), named


def _ends(answer: Mapping[str, Any], now: float) -> float:
    for name, start in (("expires", 0.0), ("expires_in", now)):
        value = answer.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return start + (value / 1000 if value > _MILLISECONDS else value)
    raise _no_token("printed JSON that does not say when the token ends")


def _no_token(what: str) -> Unreachable:
    return Unreachable(f"no login: the command of {TOKEN_COMMAND} {what}.", _EXAMPLE)
