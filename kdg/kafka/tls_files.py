"""Owns what is wrong with the files of a TLS connection: certificates and keys that are not there, or not PEM.

The client library only says "BIO lib" or "PEM lib", which are parts of OpenSSL. Secrets are read, and never shown.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from kdg.errors import UsageError
from kdg.settings.brokers import PLAINTEXT, PROTOCOL

CA, CERTIFICATE, KEY, KEY_PASSWORD = (
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.key.location",
    "ssl.key.password",
)
_CONTENT: Mapping[str, tuple[bytes, str]] = {
    CA: (b"CERTIFICATE-----", "certificate"),
    CERTIFICATE: (b"CERTIFICATE-----", "certificate"),
    KEY: (b"PRIVATE KEY-----", "private key"),
    "ssl.crl.location": (b"X509 CRL-----", "revocation list"),
    "ssl.keystore.location": (b"", ""),
}
"""The files of a TLS connection: what the first line of a PEM block ends with, and what it is; or no PEM."""
_LONGEST = 10_000_000


def check_files(settings: Mapping[str, str]) -> None:
    """Raises UsageError for a file that is missing, cannot be read, or does not hold what the setting needs."""
    if not settings.get(PROTOCOL, PLAINTEXT).upper().endswith("SSL"):
        return  # the library does not look at these files
    for name, (mark, what) in _CONTENT.items():
        location = settings.get(name)
        if location and not (name == CA and (location == "probe" or os.path.isdir(location))):
            _check(name, location, mark, what, settings)


def _check(name: str, location: str, mark: bytes, what: str, settings: Mapping[str, str]) -> None:
    content = _read(name, location)
    if mark not in content:
        raise UsageError(
            f"{name}={location}: the file holds no {what} in PEM form (-----BEGIN ...).",
            f"Name the PEM file with the {what}; openssl converts other forms (`openssl {_TOOL[what]} -inform der`).",
        )
    if name == KEY and b"ENCRYPTED" in content and not settings.get(KEY_PASSWORD):
        raise UsageError(
            f"{name}={location}: the key is encrypted, and {KEY_PASSWORD} is not set.",
            f"Set -X {KEY_PASSWORD}=@FILE, a file that holds the password.",
        )


_TOOL = {"certificate": "x509", "private key": "pkey", "revocation list": "crl"}


def _read(name: str, location: str) -> bytes:
    try:
        with open(location, "rb", opener=_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UsageError(f"{name}={location} is not a file.", "Name a file.")
            return file.read(_LONGEST)
    except IsADirectoryError as exc:
        raise UsageError(f"{name}={location} is not a file.", "Name a file.") from exc
    except OSError as exc:
        reason = {errno.ENOENT: "there is no such file", errno.EACCES: "this user may not read the file"}
        relative = "" if os.path.isabs(location) else f" in {Path.cwd()}"
        why = reason.get(exc.errno or 0, exc.strerror or str(exc))
        raise UsageError(
            f"{name}={location}: {why}{relative}.", "Name a file that this user can read, with its whole path."
        ) from exc


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a FIFO would wait for its writer


def refused(reason: str, settings: Mapping[str, str]) -> UsageError | None:
    """The error for what the library says of these settings, where that is only a part of OpenSSL; else None."""
    key = settings.get(KEY)
    named = f"{KEY}={key}" if key else "ssl.key.pem"
    if "key values mismatch" in reason or "Private key check failed" in reason:
        return UsageError(
            f"{named} is not the key of the certificate in {CERTIFICATE}={settings.get(CERTIFICATE, '')}.",
            "Name the key with which the certificate was made.",
        )
    if "ssl.key." in reason and settings.get(KEY_PASSWORD):
        return UsageError(f"{named}: {KEY_PASSWORD} does not open the key.", f"Check {KEY_PASSWORD}.")
    if "ssl.keystore" in reason or "PKCS#12" in reason:
        return UsageError(
            f"ssl.keystore.location={settings.get('ssl.keystore.location', '')}: it is not a PKCS#12 file, or "
            "ssl.keystore.password does not open it.",
            "Check ssl.keystore.password, or name a PKCS#12 file.",
        )
    if "SASL mechanism" in reason:
        return UsageError(
            f"sasl.mechanism={settings.get('sasl.mechanism', 'GSSAPI')} is not a login that this Kafka client has"
            f"{'' if 'sasl.mechanism' in settings else ', and it is the one if sasl.mechanism is not set'}.",
            "Set sasl.mechanism to PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER.",
        )
    return None
