"""Owns the question what a listener speaks: TLS or not, with logins or not, and why its certificate is not accepted.

The client library often only sees that a connection is cut off. kdg then connects once by itself, asks the listener,
and compares the answer with the client's settings.
"""

from __future__ import annotations

import os
import socket
import ssl
import struct
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from kdg.errors import Unreachable
from kdg.settings.brokers import PLAINTEXT, PROTOCOL

DIAL_SECONDS = 2.0
_SASL_HANDSHAKE = struct.pack(">hhih", 17, 1, 1, -1) + struct.pack(">h", 3) + b"kdg"
"""A request of Kafka's protocol: key, version, correlation id, no client id; and a mechanism that no broker has."""
_NO_SUCH_MECHANISM, _NO_LOGINS = 33, 34
"""UNSUPPORTED_SASL_MECHANISM, and ILLEGAL_SASL_STATE, which is the answer of a listener without logins."""
_LONGEST = 100_000


class Listener(NamedTuple):
    """What a listener speaks. mechanisms: of its logins; None if it takes none. answered: whether it did."""

    tls: bool
    mechanisms: tuple[str, ...] | None = None
    answered: bool = True

    @property
    def protocol(self) -> str:
        """Its security.protocol."""
        sasl = "SASL_" if self.mechanisms is not None else ""
        return sasl + ("SSL" if self.tls else PLAINTEXT)


def difference(address: tuple[str, int], settings: Mapping[str, str]) -> Unreachable | None:
    """The error that says how a listener differs from the settings of the client; None if no difference is seen."""
    protocol = settings.get(PROTOCOL, PLAINTEXT).upper()
    found = look(address, settings)
    if found is None:
        return None
    shown = f"{address[0]}:{address[1]}"
    if not found.answered:
        if found.tls and not protocol.endswith("SSL"):
            return _other(shown, "speaks TLS", protocol, "SASL_SSL, if it takes logins, else SSL")
        return None
    if found.protocol != protocol:
        speaks = "speaks TLS" if found.tls else "does not speak TLS"
        logins = f"takes logins ({', '.join(found.mechanisms)})" if found.mechanisms else "takes no logins"
        return _other(shown, f"{speaks} and {logins}", protocol, found.protocol)
    return None


def _other(shown: str, speaks: str, protocol: str, needed: str) -> Unreachable:
    return Unreachable(
        f"{shown} {speaks}, and {PROTOCOL} is {protocol}.",
        f"Set -X {PROTOCOL}={needed}, or name another listener in -b.",
    )


def look(address: tuple[str, int], settings: Mapping[str, str]) -> Listener | None:
    """What a listener speaks; None if it answers to nothing. settings: with a certificate that it may require."""
    with suppress(OSError, ValueError, struct.error), _dial(address) as connection:
        return Listener(tls=False, mechanisms=_mechanisms(connection))
    seen = False
    with suppress(OSError, ValueError, struct.error), _dial(address) as plain:
        context = _any_certificate(settings)
        with context.wrap_socket(plain) as connection:
            seen = True
            return Listener(tls=True, mechanisms=_mechanisms(connection))
    return Listener(tls=True, answered=False) if seen else None


def refusal(address: tuple[str, int], settings: Mapping[str, str]) -> str | None:
    """Why the certificate of a listener is not accepted, such as "certificate has expired"; None if it is."""
    context = ssl.create_default_context()
    if location := settings.get("ssl.ca.location"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(**{"capath" if os.path.isdir(location) else "cafile": location})
    context.check_hostname = settings.get("ssl.endpoint.identification.algorithm", "https") != "none"
    try:
        with _dial(address) as plain, context.wrap_socket(plain, server_hostname=address[0]):
            return None
    except ssl.SSLCertVerificationError as exc:
        return exc.verify_message.rstrip(".")
    except (OSError, ValueError):
        return None


def not_accepted(address: tuple[str, int], why: str, settings: Mapping[str, str]) -> Unreachable:
    """The error for a certificate that this client does not accept. why: as `refusal` says it."""
    ca = settings.get("ssl.ca.location")
    if "match" in why:
        hint = (
            "Use a name in -b that stands in the certificate, or a certificate with this name. "
            "-X ssl.endpoint.identification.algorithm=none accepts any name."
        )
    elif "expired" in why or "not yet valid" in why:
        hint = "Renew the certificate of the broker, or set the clock of this machine."
    else:
        hint = "Set -X ssl.ca.location to the PEM file of the authority that signed the certificate of the broker."
    trusting = f"ssl.ca.location={ca}" if ca else "the authorities of this system (ssl.ca.location is not set)"
    return Unreachable(
        f"{address[0]}:{address[1]}: this client refuses the certificate of the broker: {why}; trusted: {trusting}.",
        hint,
    )


def _any_certificate(settings: Mapping[str, str]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # nothing is told to the listener, and nothing that it says is trusted
    with suppress(OSError):
        if certificate := settings.get("ssl.certificate.location"):
            context.load_cert_chain(certificate, settings.get("ssl.key.location"), settings.get("ssl.key.password", ""))
    return context


def _dial(address: tuple[str, int]) -> socket.socket:
    return socket.create_connection(address, timeout=DIAL_SECONDS)


def _mechanisms(connection: socket.socket) -> tuple[str, ...] | None:
    """The mechanisms of a listener's logins. Raises OSError or ValueError if it does not answer as a broker does."""
    connection.sendall(struct.pack(">i", len(_SASL_HANDSHAKE)) + _SASL_HANDSHAKE)
    (length,) = struct.unpack(">i", _exactly(connection, 4))
    if not 10 <= length <= _LONGEST:  # correlation id, error, and the number of mechanisms
        raise ValueError("not an answer of Kafka")
    answer = _exactly(connection, length)
    correlation, error, count = struct.unpack(">ihi", answer[:10])
    if correlation != 1 or error not in (_NO_SUCH_MECHANISM, _NO_LOGINS):
        raise ValueError("not an answer to this request")
    if error == _NO_LOGINS:
        return None
    names, at = [], 10
    for _ in range(count):
        (size,) = struct.unpack(">h", answer[at : at + 2])
        names.append(answer[at + 2 : at + 2 + size].decode())
        at += 2 + size
    return tuple(names)


def _exactly(connection: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        piece = connection.recv(count - len(found))
        if not piece:
            raise OSError("the connection was closed")
        found += piece
    return found
