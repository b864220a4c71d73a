"""Owns the tokens of a client's logins with OAUTHBEARER: when a new one is asked for, and when a refused one is final.

The client library asks for a token in a thread of its own, so a client that nobody polls has a valid one, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from kdg.errors import KdgError

SHARE = 0.75
"""The part of a token's life after which it is replaced. The library asks after 0.8 of the life that it knows."""
ASK_AGAIN_SECONDS = 30.0
"""The longest life that the library knows: it asks every 24 s, so that a token which was refused is soon replaced."""
TRY_SECONDS = 60.0
"""How long a refused login is tried again. Each attempt of the library is at most 10 s after the one before."""
UNDER_WAY_SECONDS = 1.0
"""A login that failed so soon after a new token came may have used the one before."""

Token = tuple[str, float, str, dict[str, str]]
"""A token as the library takes it: the token, when it ends (seconds since 1970), its principal, SASL extensions."""


class Tokens:
    """The library's oauth_cb. The first token is there when it is made, because the library waits 10 s at most for it.

    issue: makes a token; raises KdgError. report: gets the error if there is none, because the library drops it, and
    None when there is one again.
    """

    def __init__(self, issue: Callable[[], Token], report: Callable[[KdgError | None], None]) -> None:
        self._issue, self._report = issue, report
        self._refused = False
        self._take(issue())

    def _take(self, token: Token) -> None:
        now = time.time()
        self._token, self._refused = token, False
        self._renew_at = now + SHARE * (token[1] - now)
        self.since = time.monotonic()

    def refuse(self) -> None:
        """A broker has refused the token: the next call makes a new one, however long this one would last."""
        self._refused = True

    def __call__(self, _config: str) -> Token:
        """The token, a new one if that is due. Raises KdgError, after it was reported, if the last one has ended."""
        if self._refused or time.time() >= self._renew_at:
            self._renew()
        token, ends, principal, extensions = self._token
        return token, min(ends, time.time() + ASK_AGAIN_SECONDS), principal, extensions

    def _renew(self) -> None:
        try:
            self._take(self._issue())
        except KdgError as exc:
            if self._token[1] <= time.time():
                self._report(exc)
                raise
        else:
            self._report(None)


class Refusals:
    """Whether a login that is refused in the middle of a run is tried again.

    tokens: of the clients that log in; none if kdg does not make them.
    """

    def __init__(self) -> None:
        self.tokens: list[Tokens] = []
        self._first = self._last = -TRY_SECONDS

    def tried_again(self) -> bool:
        """A login was refused: whether a new token is still to be tried. A refusal long after the last begins anew."""
        now = time.monotonic()
        if now - self._last >= TRY_SECONDS:
            self._first = now
            for tokens in self.tokens:
                tokens.refuse()
        self._last = now
        renewed = bool(self.tokens) and all(
            self._first < tokens.since < now - UNDER_WAY_SECONDS for tokens in self.tokens
        )
        return not renewed and now - self._first < TRY_SECONDS
