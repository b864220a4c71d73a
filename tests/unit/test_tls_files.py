"""The files of a TLS connection: what is wrong with one is said before anything is dialled, with exit 2."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509 import load_pem_x509_certificate

from kdg.errors import UsageError
from kdg.kafka.client import Watch, make_admin, make_producer
from kdg.sandbox.security import make_certificates

SECRET = "hunter2"  # noqa: S105  # not one


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ca.pem, admin.pem, restricted.pem (with keys); encrypted.pem, a key; store.p12; and files that are neither."""
    found = tmp_path_factory.mktemp("tls")
    make_certificates(found)
    pem = (found / "admin.pem").read_bytes()
    key, certificate = load_pem_private_key(pem, None), load_pem_x509_certificate(pem)
    locked = BestAvailableEncryption(SECRET.encode())
    (found / "encrypted.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
    (found / "der.pem").write_bytes(certificate.public_bytes(Encoding.DER))
    store = pkcs12.serialize_key_and_certificates(b"admin", key, certificate, None, locked)  # type: ignore[arg-type]
    (found / "store.p12").write_bytes(store)
    (found / "empty.pem").touch()
    os.mkfifo(found / "fifo.pem")
    return found


def refusal(folder: Path, **files: str) -> UsageError:
    """What is said of these settings; in a value, ~ is the folder."""
    settings = {f"ssl.{name.replace('_', '.')}": value.replace("~", str(folder)) for name, value in files.items()}
    with pytest.raises(UsageError) as caught:
        make_producer({"security.protocol": "ssl", **settings}, Watch())
    assert SECRET not in f"{caught.value} {caught.value.hint}"
    return caught.value


def wrong(of: str) -> dict[str, str]:
    """A password that opens nothing."""
    return {f"{of}_password": "*"}


@pytest.mark.parametrize("name", ["ca", "certificate", "key", "crl", "keystore"])
def test_file_that_is_not_there_is_named(folder: Path, name: str) -> None:
    """With the setting and the path, for each kind of file."""
    error = refusal(folder, **{f"{name}_location": "~/missing"})
    assert f"ssl.{name}.location={folder}/missing: there is no such file" in str(error)


def test_relative_path_is_told_with_its_folder(folder: Path) -> None:
    """The folder of the configuration file is another one than that in which kdg was started."""
    assert f"there is no such file in {Path.cwd()}" in str(refusal(folder, ca_location="missing.pem"))


@pytest.mark.parametrize(
    ("name", "file", "what"),
    [
        ("ca", "empty.pem", "holds no certificate in PEM form"),
        ("ca", "der.pem", "holds no certificate in PEM form"),
        ("ca", "encrypted.pem", "holds no certificate in PEM form"),
        ("ca", "fifo.pem", "is not a file"),
        ("certificate", "store.p12", "holds no certificate in PEM form"),
        ("certificate", ".", "is not a file"),
        ("key", "ca.pem", "holds no private key in PEM form"),
        ("crl", "ca.pem", "holds no revocation list in PEM form"),
    ],
)
def test_file_that_holds_something_else_is_named(folder: Path, name: str, file: str, what: str) -> None:
    """OpenSSL says "PEM lib" of all of them."""
    error = refusal(folder, **{f"{name}_location": f"~/{file}"})
    assert str(error).startswith(f"ssl.{name}.location={folder}/{file}".removesuffix("/."))
    assert what in str(error)


def test_key_without_its_password_is_told(folder: Path) -> None:
    """No password, another password, and a key of another certificate."""
    files = {"certificate_location": "~/admin.pem", "key_location": "~/encrypted.pem"}
    assert "the key is encrypted, and ssl.key.password is not set" in str(refusal(folder, **files))
    assert "ssl.key.password does not open the key" in str(refusal(folder, **files, **wrong("key")))
    other = {"certificate_location": "~/admin.pem", "key_location": "~/restricted.pem"}
    assert f"is not the key of the certificate in ssl.certificate.location={folder}/admin.pem" in str(
        refusal(folder, **other)
    )


def test_keystore_that_does_not_open_is_told(folder: Path) -> None:
    """Another password, and a file of another form."""
    for file in ("store.p12", "ca.pem"):
        error = refusal(folder, keystore_location=f"~/{file}", **wrong("keystore"))
        assert "ssl.keystore.password does not open it" in str(error)


def test_good_files_are_taken(folder: Path) -> None:
    """With the password, in every form; a folder is a place for authorities; without TLS nothing is looked at."""
    ssl = {"security.protocol": "SSL", "ssl.ca.location": f"{folder}/ca.pem"}
    pem = {"ssl.certificate.location": f"{folder}/admin.pem", "ssl.key.location": f"{folder}/encrypted.pem"}
    make_admin({**ssl, **pem, "ssl.key.password": SECRET}, Watch())
    make_admin({**ssl, "ssl.keystore.location": f"{folder}/store.p12", "ssl.keystore.password": SECRET}, Watch())
    make_admin({**ssl, "ssl.ca.location": str(folder)}, Watch())
    make_admin({**ssl, "ssl.ca.location": "probe"}, Watch())
    make_admin({"ssl.ca.location": "missing"}, Watch())


@pytest.mark.parametrize("mechanism", [{}, {"sasl.mechanism": "GSSAPI"}, {"sasl.mechanism": "SCRAM"}])
def test_login_that_the_client_does_not_have_is_told(mechanism: dict[str, str]) -> None:
    """Without sasl.mechanism the library takes one that it was not built with."""
    with pytest.raises(UsageError, match=mechanism.get("sasl.mechanism", "GSSAPI")) as caught:
        make_admin({"security.protocol": "sasl_plaintext", **mechanism}, Watch())
    assert "Set sasl.mechanism to PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER" in caught.value.hint
