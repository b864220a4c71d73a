"""What the command of sasl.oauthbearer.token.command prints, and what the library gets of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kdg.errors import KdgError, Unreachable, UsageError
from kdg.kafka.client import Watch, make_producer
from kdg.kafka.token import TokenCommand, parse
from kdg.settings.token_command import TOKEN_COMMAND

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("printed", "ends"),
    [
        ('{"token": "t", "expires": 1800000060}', NOW + 60),
        ('{"token": "t", "expires": 1800000060000}', NOW + 60),
        ('{"token": "t", "expires_in": 60}', NOW + 60),
    ],
)
def test_end_of_a_token_is_read(printed: str, ends: float) -> None:
    """In seconds or milliseconds since 1970, or in seconds from now."""
    assert parse(printed.encode(), NOW) == ("t", ends, "", {})


def test_principal_and_extensions_are_passed_on() -> None:
    printed = b'{"token": "t", "expires_in": 1, "principal": "me", "extensions": {"logicalCluster": "lkc-1"}}'
    assert parse(printed, NOW) == ("t", NOW + 1, "me", {"logicalCluster": "lkc-1"})


@pytest.mark.parametrize("printed", [b"", b"hunter2", b'["hunter2"]', b'{"token": 7}', b'{"token": "hunter2"}'])
def test_what_is_no_token_is_not_shown(printed: bytes) -> None:
    with pytest.raises(Unreachable) as caught:
        parse(printed, NOW)
    assert "hunter2" not in str(caught.value) + caught.value.hint
    assert "expires" in caught.value.hint


def test_each_call_after_the_first_runs_the_command(tmp_path: Path) -> None:
    """The first token is made with the object; a command that fails later is reported."""
    reported: list[KdgError] = []
    count = f"{tmp_path}/count"
    token = f'"{{\\"token\\": \\"t$(wc -l < {count})\\", \\"expires_in\\": 60}}"'
    printed = f"echo x >> {count}; [ $(wc -l < {count}) -lt 3 ] && echo {token}"
    command = TokenCommand(printed, reported.append)
    assert [command("")[0].replace(" ", ""), command("")[0].replace(" ", "")] == ["t1", "t2"]
    with pytest.raises(Unreachable, match="exit status 1"):
        command("")
    assert len(reported) == 1


@pytest.mark.parametrize("mechanism", ["PLAIN", None])
def test_command_is_for_logins_with_tokens_only(mechanism: str | None) -> None:
    """With another login the library would wait 10 s for the token, and give up."""
    settings = {TOKEN_COMMAND: "false"} | ({} if mechanism is None else {"sasl.mechanism": mechanism})
    with pytest.raises(UsageError, match=mechanism or "not set"):
        make_producer(settings, Watch())
