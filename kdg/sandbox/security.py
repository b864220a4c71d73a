"""Owns the security of a sandbox: its certificates, users and listeners, and the settings with which a client logs in.

A secured sandbox has three listeners beside the open one that the sandbox itself uses: TLS; MTLS, which requires a
client certificate; and SASL over TLS, with SCRAM, PLAIN and OAUTHBEARER (Kafka's unsigned tokens). An authorizer is on:
`admin` may do everything, `restricted` only what an ACL allows. Certificates and passwords are made at the start and
removed at the end.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kdg.sandbox.errors import EXTRA, SandboxError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate

ADMIN, RESTRICTED = "admin", "restricted"
USERS = (ADMIN, RESTRICTED)
SCOPE = "kafka"
"""The scope that an OAUTHBEARER token must have."""

PROTOCOLS = {"TLS": "SSL", "MTLS": "SSL", "SASL": "SASL_SSL"}
"""The secured listeners, and the security protocol of each."""

LISTENER_OF = {"tls": "TLS", "mtls": "MTLS", "scram": "SASL", "plain": "SASL", "oauthbearer": "SASL"}
"""The ways to log in, as in `kdg sandbox --security`, and the listener of each."""

_MODULES = "org.apache.kafka.common.security"
_LIFETIME = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Security:
    """The certificates and passwords of a sandbox. folder: holds the certificates; only this user can read it."""

    folder: Path
    passwords: Mapping[str, str] = field(default_factory=lambda: {user: secrets.token_hex(12) for user in USERS})

    def make(self) -> None:
        """Write the certificates. Raises SandboxError if the cryptography package is not installed."""
        self.folder.mkdir(mode=0o700)
        make_certificates(self.folder)

    def properties(self) -> dict[str, str]:
        """The properties that are added to each node's server.properties."""
        plain = " ".join(f'user_{user}="{password}"' for user, password in self.passwords.items())
        return {
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            # On the open listener and on TLS a client has no certificate and no login: it is ANONYMOUS.
            "super.users": f"User:{ADMIN};User:ANONYMOUS",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.folder / "broker.pem"),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.folder / "ca.pem"),
            "ssl.principal.mapping.rules": "RULE:^CN=([^,]+).*$/$1/",
            "listener.name.mtls.ssl.client.auth": "required",
            "listener.name.sasl.sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN,OAUTHBEARER",
            "listener.name.sasl.scram-sha-512.sasl.jaas.config": f"{_MODULES}.scram.ScramLoginModule required;",
            "listener.name.sasl.plain.sasl.jaas.config": f"{_MODULES}.plain.PlainLoginModule required {plain};",
            "listener.name.sasl.oauthbearer.sasl.jaas.config": (
                f"{_MODULES}.oauthbearer.OAuthBearerLoginModule required "
                f'unsecuredLoginStringClaim_sub="broker" unsecuredValidatorRequiredScope="{SCOPE}";'
            ),
            "listener.name.sasl.oauthbearer.sasl.server.callback.handler.class": (
                f"{_MODULES}.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler"
            ),
        }

    def format_arguments(self) -> list[str]:
        """The arguments of Kafka's StorageTool that create the users of SCRAM."""
        users = [f"SCRAM-SHA-512=[name={user},password={password}]" for user, password in self.passwords.items()]
        return [word for user in users for word in ("--add-scram", user)]

    def client(self, mode: str, user: str = ADMIN) -> dict[str, str]:
        """The settings of librdkafka with which a client logs in. mode: a key of LISTENER_OF."""
        ca = {"ssl.ca.location": str(self.folder / "ca.pem")}
        pem, password = str(self.folder / f"{user}.pem"), self.passwords[user]
        named = {"security.protocol": "SASL_SSL", "sasl.username": user, "sasl.password": password}
        return (
            ca
            | {
                "tls": {"security.protocol": "SSL"},
                "mtls": {"security.protocol": "SSL", "ssl.certificate.location": pem, "ssl.key.location": pem},
                "scram": {**named, "sasl.mechanism": "SCRAM-SHA-512"},
                "plain": {**named, "sasl.mechanism": "PLAIN"},
                "oauthbearer": {
                    "security.protocol": "SASL_SSL",
                    "sasl.mechanism": "OAUTHBEARER",
                    "enable.sasl.oauthbearer.unsecure.jwt": "true",
                    "sasl.oauthbearer.config": f"principal={user} scope={SCOPE}",
                },
            }[mode]
        )

    def write_config(self, mode: str, bootstrap: str) -> Path:
        """Write a configuration file of kdg for `admin`; if the mode has a login, with a profile for `restricted`."""
        lines = [f"brokers = {json.dumps(bootstrap)}", *_toml(self.client(mode))]
        if mode != "tls":
            lines += ["", f"[profiles.{RESTRICTED}]", *_toml(self.client(mode, RESTRICTED))]
        file = self.folder / "config.toml"
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return file


def _toml(values: Mapping[str, str]) -> list[str]:
    return [f"{name} = {json.dumps(value)}" for name, value in values.items()]


def make_certificates(folder: Path) -> None:
    """Write `ca.pem`, and one PEM file with key and certificate for the broker and for each user.

    Raises SandboxError.
    """
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError as exc:
        raise SandboxError(
            "a secured sandbox makes certificates, and the package `cryptography` is not installed.", EXTRA
        ) from exc
    key = ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("kdg sandbox", key, None, key, [x509.BasicConstraints(ca=True, path_length=0)])
    _write(folder / "ca.pem", ca)
    here = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    for name in ("broker", *USERS):
        own = ec.generate_private_key(ec.SECP256R1())
        _write(folder / f"{name}.pem", _certificate(name, own, ca, key, [here]), own)


def _certificate(
    name: str,
    key: EllipticCurvePrivateKey,
    issuer: Certificate | None,
    signer: EllipticCurvePrivateKey,
    extensions: list[object],
) -> Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import NameOID

    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + _LIFETIME)
    )
    for extension in extensions:
        assert isinstance(extension, x509.ExtensionType)  # noqa: S101  # a signature cannot name a local import
        made = made.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
    return made.sign(signer, hashes.SHA256())


def _write(file: Path, certificate: Certificate, key: EllipticCurvePrivateKey | None = None) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    secret = b"" if key is None else key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(secret + certificate.public_bytes(Encoding.PEM))
