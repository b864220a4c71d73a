"""Owns what an error of a login means: the broker refused it, or this client refused the broker's certificate."""

from __future__ import annotations

from collections.abc import Mapping

from confluent_kafka import KafkaError

from kdg.errors import Unreachable
from kdg.kafka.row import Row, says

E = KafkaError

AUTHENTICATION = frozenset({E._AUTHENTICATION, E.SASL_AUTHENTICATION_FAILED, E._SSL})

_LOGIN = Row(
    AUTHENTICATION,
    Unreachable,
    "{doing}: the broker refused the login: {error}.",
    "Check sasl.mechanism, and the user with its password or token.",
)
_CERTIFICATE = _LOGIN._replace(
    codes=frozenset({E._SSL}),
    text="{doing}: this client refuses the certificate of the broker: {error}.",
    hint="Check ssl.ca.location, and that the name in -b stands in the certificate of the broker.",
    only=says("certificate verify failed"),
)
# The library calls it a login that was refused; nobody has refused it [seen].
_LOST = _LOGIN._replace(
    text="{doing}: the connection was lost during the login: {error}.",
    hint="Check -b and that the broker runs.",
    only=says("mechanism handshake failed: Local:"),
)
LOGINS = (
    _LOST,
    _CERTIFICATE,
    _LOGIN._replace(
        codes=frozenset({E._SSL}),
        text="{doing}: no TLS connection was made ({setting[security.protocol]}): {error}.",
        hint="Check security.protocol and the ssl.* settings, and that the listener of -b has TLS.",
    ),
    _LOGIN._replace(
        text="{doing}: the broker has no login of this kind ({setting[sasl.mechanism]}): {error}.",
        hint="Set sasl.mechanism to one of those that the broker supports.",
        only=says("Unsupported SASL mechanism"),
    ),
    _LOGIN,
)
# The broker's TLS alert reaches the library as a lost connection [seen].
TLS_ALERT = _LOGIN._replace(
    codes=frozenset({E._TRANSPORT}),
    text="{doing}: the broker refuses {setting[ssl.certificate.location]} as a certificate of this client: {error}.",
    hint="Name a certificate that is signed by an authority which the broker trusts, and its key (ssl.key.location).",
    only=says("SSL alert number"),
)
_OWN_CERTIFICATE = ("ssl.certificate.location", "ssl.certificate.pem", "ssl.keystore.location")
NO_CERTIFICATE = TLS_ALERT._replace(
    text="{doing}: the broker requires a certificate of this client, and got none: {error}.",
    hint="Set -X ssl.certificate.location and ssl.key.location to the certificate of this client and its key.",
    only=says("SSL alert number 116"),
)


def is_login(error: KafkaError) -> bool:
    """Whether the broker refused the login, or this client refused the broker's certificate."""
    return (_LOGIN.fits(error) or TLS_ALERT.fits(error)) and not is_lost(error)


def is_lost(error: KafkaError) -> bool:
    """Whether the connection was lost during the login. The library connects again."""
    return _LOST.fits(error)


def is_certificate(error: KafkaError) -> bool:
    """Whether this client refused the broker's certificate."""
    return _CERTIFICATE.fits(error)


def lacks_certificate(error: KafkaError, settings: Mapping[str, str]) -> bool:
    """Whether the broker requires a certificate of the client, which has none. Not every broker says so."""
    return TLS_ALERT.fits(error) and not any(settings.get(name) for name in _OWN_CERTIFICATE)
