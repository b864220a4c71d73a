"""Owns what may stand in `bootstrap.servers`: HOST:PORT, separated by commas, each with a protocol before it or not.

The client library drops an entry that it does not understand, reads a port such as 70000 as another one, and waits for
brokers that nobody named. So the list is checked before anything is dialled. Pure.
"""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

from kdg.errors import UsageError

BROKERS, PROTOCOL = "bootstrap.servers", "security.protocol"
DEFAULT_PORT = 9092
PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
PLAINTEXT = PROTOCOLS[0]
_LARGEST_PORT = 65535


class Brokers(NamedTuple):
    """A list of brokers as the library takes it, without protocols.

    protocol: the protocol that the list names, such as SASL_SSL; None if it names none.
    """

    plain: str
    protocol: str | None


def understood(text: str, protocol: str | None, origin: str) -> Brokers:
    """The meaning of a list of brokers. protocol: security.protocol; None if it is not set. origin: of the list.

    Raises UsageError for a list that nobody can connect to.
    """
    if "@" in text:  # of such a text nothing is shown: a password may hold a comma
        raise UsageError(
            f"{origin} holds a login (USER:PASSWORD@HOST).",
            "Write HOST:PORT alone, and set sasl.mechanism, sasl.username and sasl.password (=@FILE).",
        )
    entries = [entry.strip() for entry in text.split(",")]
    named: dict[str, str] = {}
    for entry in entries:
        scheme, mark, rest = entry.rpartition("://")
        where = f"{origin} {entry!r}"
        if mark:
            _check_scheme(scheme, rest, protocol, where)
        _check_address(rest.removesuffix("/") if scheme else rest, where, f"{origin} {text!r}")
        named[scheme.upper()] = rest
    if len(named) > 1:
        both = " and ".join(f"{scheme or 'no protocol'} ({rest})" for scheme, rest in named.items())
        raise UsageError(
            f"{origin} names different protocols: {both}.",
            f"Name brokers that speak one protocol, and set {PROTOCOL} to it.",
        )
    plain = ",".join(entry.rpartition("://")[2].removesuffix("/") for entry in entries)
    return Brokers(plain, next(iter(named)) or None)


def address(entry: str) -> tuple[str, int]:
    """The host and the port of one broker: "SASL_SSL://a:1" is a and 1, "[::1]" is ::1 and 9092, ":1" is localhost."""
    rest = entry.strip().rpartition("://")[2].removesuffix("/")
    host, _, port = rest.rpartition(":")
    if not port.isdigit() or rest.endswith("]"):
        host, port = rest, str(DEFAULT_PORT)
    return host.strip("[]") or "localhost", int(port)


def _check_scheme(scheme: str, rest: str, protocol: str | None, where: str) -> None:
    if scheme.upper() not in PROTOCOLS:
        raise UsageError(
            f"{where}: {scheme}:// is not a protocol of Kafka.",
            f"Write {rest}. If its listener has TLS or logins, set {PROTOCOL}: {', '.join(PROTOCOLS)}.",
        )
    if protocol and scheme.upper() != protocol.upper():
        raise UsageError(
            f"{where} contradicts {PROTOCOL}={protocol}.",
            f"Write {rest}, and set {PROTOCOL} to the protocol of that listener.",
        )


def _check_address(entry: str, where: str, whole: str) -> None:
    if not entry:
        raise UsageError(
            f"{whole} holds an entry without a broker.", "Write HOST:PORT, and a comma only between two of them."
        )
    if re.search(r"[\s;|]", entry):
        raise UsageError(f"{where} is not HOST:PORT.", "Write a comma between two brokers, and no blank in one.")
    if "/" in entry:
        raise UsageError(f"{where} holds a path.", f"Write {entry.partition('/')[0]}: Kafka's addresses have no path.")
    host, port = _parted(entry, where)
    if port is not None and not (port.isascii() and port.isdigit() and 1 <= int(port) <= _LARGEST_PORT):
        raise UsageError(
            f"{where}: {port!r} is not a port, which is a number from 1 to {_LARGEST_PORT}.",
            f"Write {host or 'HOST'}:{DEFAULT_PORT}, or the port of your listener.",
        )


def _parted(entry: str, where: str) -> tuple[str, str | None]:
    """The host and the port, which is None if the entry has none."""
    if entry.startswith("["):
        host, bracket, after = entry[1:].partition("]")
        if not bracket or not _is_ipv6(host) or (after and not after.startswith(":")):
            raise UsageError(f"{where} is not an IPv6 address.", f"Write it as [::1]:{DEFAULT_PORT}.")
        return f"[{host}]", after[1:] if after else None
    if entry.count(":") > 1:
        host, _, port = entry.rpartition(":")
        example = f"[{host}]:{port}" if _is_ipv6(host) and port.isdigit() else f"[::1]:{DEFAULT_PORT}"
        raise UsageError(
            f"{where} does not say where the host ends and the port begins.",
            f"Write an IPv6 address in brackets, such as {example}; and a comma between two brokers.",
        )
    host, colon, port = entry.partition(":")
    return host, port if colon else None


def _is_ipv6(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).version == 6  # the version itself
    except ValueError:
        return False
