"""What the command of sasl.oauthbearer.token.command prints, and what the library gets of it."""

from __future__ import annotations

import base64
import json

import pytest
from confluent_kafka import KafkaError

from kdg.errors import KdgError, Unreachable, UsageError
from kdg.kafka.client import Watch, make_producer
from kdg.kafka.token import parse
from kdg.kafka.tokens import Refusals, Token, Tokens
from kdg.kafka.unsecured_token import unsecured
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


class Clock:
    """Both clocks of the time module, which move when they are told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = NOW
        monkeypatch.setattr("kdg.kafka.tokens.time.time", lambda: self.now)
        monkeypatch.setattr("kdg.kafka.tokens.time.monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class Issuer:
    """Numbers its tokens, which last 100 s. fails: whether it makes none."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.made, self.fails = clock, 0, False

    def __call__(self) -> Token:
        if self.fails:
            raise Unreachable("no token")
        self.made += 1
        return f"t{self.made}", self.clock.now + 100, "", {}


def test_token_is_made_anew_before_it_ends(clock: Clock) -> None:
    """The library is told of a shorter life: it asks again every 24 s, and mostly gets the token that it has."""
    made = Tokens(Issuer(clock), list[KdgError | None]().append)
    got = []
    for _ in range(8):
        token, ends, *_ = made("")
        got.append(token)
        assert clock.now < ends <= clock.now + 30
        clock.now += 0.8 * (ends - clock.now)  # as the library asks
    assert got == ["t1", "t1", "t1", "t1", "t2", "t2", "t2", "t2"]


def test_short_token_is_made_anew_before_it_ends(clock: Clock) -> None:
    """After 0.8 of its life, with each call."""
    made = Tokens(lambda: (str(clock.now), clock.now + 10, "", {}), list[KdgError | None]().append)
    for _ in range(3):
        before = clock.now
        assert made("")[:2] == (str(before), before + 10)
        clock.now += 8


def test_token_that_lasts_outlives_its_issuer(clock: Clock) -> None:
    """A command that fails is asked again; only when the token has ended, the failure is reported, until it works."""
    reported: list[KdgError | None] = []
    issuer = Issuer(clock)
    made = Tokens(issuer, reported.append)
    issuer.fails = True
    clock.now += 99
    assert made("")[0] == "t1"
    assert reported == []
    clock.now += 2
    with pytest.raises(Unreachable):
        made("")
    assert [str(error) for error in reported] == ["no token"]
    issuer.fails = False
    assert made("")[0] == "t2"
    assert reported[1:] == [None]


def test_refused_token_is_replaced_once(clock: Clock) -> None:
    """A refusal makes a new token with the next call. If that one is refused as well, the refusal is final."""
    made = Tokens(Issuer(clock), list[KdgError | None]().append)
    refusals = Refusals()
    refusals.tokens.append(made)
    clock.now += 5
    assert refusals.tried_again()
    clock.now += 20
    assert refusals.tried_again()
    assert made("")[0] == "t2"
    assert refusals.tried_again()  # this login may have begun with the first token
    clock.now += 2
    assert not refusals.tried_again()


def test_refusal_long_after_the_last_begins_anew(clock: Clock) -> None:
    """Each time a token is replaced; without a new one a refusal is final after a minute."""
    refusals = Refusals()
    for _ in range(3):
        clock.now += 100
        assert refusals.tried_again()
    clock.now += 59
    assert refusals.tried_again()
    clock.now += 2
    assert not refusals.tried_again()


def test_only_a_login_that_worked_once_is_tried_again(clock: Clock) -> None:
    """The first refusal of a run is final, and so is one of a password."""
    refused = KafkaError(KafkaError._AUTHENTICATION, "refused")  # noqa: SLF001  # the library's name for it
    for mechanism, reached, final in [
        ("OAUTHBEARER", False, True),
        ("OAUTHBEARER", True, False),
        ("PLAIN", True, True),
    ]:
        watch = Watch(settings={"sasl.mechanism": mechanism})
        watch.reached = reached
        watch.error(refused)
        assert (watch.fault is not None) is final


def test_unsigned_token_is_that_of_the_library() -> None:
    """Its claims, its end, its principal and its extensions."""
    issue = unsecured("principal=me scopeClaimName=roles scope=a,b lifeSeconds=60 extension_x=1")
    assert issue is not None
    token, ends, principal, extensions = issue()
    head, claims, signature = token.split(".")
    assert [json.loads(base64.urlsafe_b64decode(part + "==")) for part in (head, claims)] == [
        {"alg": "none"},
        {"sub": "me", "iat": ends - 60, "exp": ends, "roles": ["a", "b"]},
    ]
    assert (signature, principal, extensions) == ("", "me", {"x": "1"})


@pytest.mark.parametrize(
    "config",
    [
        "",
        "scope=a",
        "principal=",
        "principal=a principal=b",
        "principal=a lifeSeconds=0",
        "principal=a lifeSeconds=x",
        "principal=a other=b",
        "principal=a extension_=b",
        'principal=a"',
    ],
)
def test_wrong_configuration_of_unsigned_tokens_is_left_to_the_library(config: str) -> None:
    """Its message names what is wrong."""
    assert unsecured(config) is None


@pytest.mark.parametrize("mechanism", ["PLAIN", None])
def test_command_is_for_logins_with_tokens_only(mechanism: str | None) -> None:
    """With another login the library would wait 10 s for the token, and give up."""
    settings = {TOKEN_COMMAND: "false"} | ({} if mechanism is None else {"sasl.mechanism": mechanism})
    with pytest.raises(UsageError, match=mechanism or "not set"):
        make_producer(settings, Watch())
