"""Owns the unsigned tokens of `enable.sasl.oauthbearer.unsecure.jwt`, with which a sandbox is tried.

The client library can make them itself, but then only a client that is polled gets a new one before the last one ends.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable

from kdg.kafka.tokens import Token

LIFE_SECONDS = "3600"
_NAMES = frozenset({"principal", "principalClaimName", "scope", "scopeClaimName", "lifeSeconds"})
_EXTENSION = "extension_"


def unsecured(config: str) -> Callable[[], Token] | None:
    """What makes the tokens that a `sasl.oauthbearer.config` describes; None if it is wrong, which the library says.

    config: such as "principal=admin scope=a,b lifeSeconds=600 extension_logicalCluster=lkc-1".
    """
    pairs = [pair.partition("=") for pair in config.split()]
    given = {name: value for name, _, value in pairs}
    extensions = {name.removeprefix(_EXTENSION): value for name, value in given.items() if name.startswith(_EXTENSION)}
    own = given.keys() - {_EXTENSION + name for name in extensions}
    life = given.get("lifeSeconds", LIFE_SECONDS)
    if len(given) < len(pairs) or own - _NAMES or "principal" not in given or not life.isdecimal() or int(life) < 1:
        return None
    if '"' in config or not all([*given.values(), *extensions]):
        return None

    def issue() -> Token:
        now = time.time()
        ends = now + int(life)
        claims: dict[str, object] = {
            given.get("principalClaimName", "sub"): given["principal"],
            "iat": now,
            "exp": ends,
        }
        if "scope" in given:
            claims[given.get("scopeClaimName", "scope")] = given["scope"].split(",")
        return f"{_part({'alg': 'none'})}.{_part(claims)}.", ends, given["principal"], extensions

    return issue


def _part(value: dict[str, object] | dict[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
