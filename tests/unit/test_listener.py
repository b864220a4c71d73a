"""A listener that refuses, seen by the real client library: the cause is told, and not that all brokers are down."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from confluent_kafka import KafkaError

from kdg.errors import Unreachable
from kdg.kafka.client import Watch, make_admin
from kdg.kafka.reach import reach
from kdg.runtime.deadline import Deadline, NoSignals
from kdg.sandbox.security import make_certificates

ELSEWHERE = "127.0.0.2"
"""An address of this machine that no certificate of the sandbox names."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("tls")
    make_certificates(found)
    return found


@contextmanager
def listening(serve: Callable[[socket.socket], None], host: str = "127.0.0.1") -> Iterator[str]:
    """A listener that handles each connection with `serve`, then closes it; its HOST:PORT."""
    with socket.create_server((host, 0)) as server:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection, suppress(OSError):
                        serve(connection)

        threading.Thread(target=accept, daemon=True).start()
        yield f"{host}:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def with_tls(folder: Path) -> Callable[[socket.socket], None]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "broker.pem")

    def serve(connection: socket.socket) -> None:
        connection.settimeout(2)
        context.wrap_socket(connection, server_side=True).close()

    return serve


def refusal(seconds: float = 10, **settings: str) -> Unreachable:
    """What is said of a cluster that cannot be reached with these settings."""
    named = {name.replace("_", "."): value for name, value in settings.items()}
    watch = Watch()
    admin = make_admin(named, watch)
    with pytest.raises(Unreachable) as caught:
        reach(admin, watch, Deadline(NoSignals(), reach=seconds), named["bootstrap.servers"])
    return caught.value


def test_certificate_of_another_name_is_told(folder: Path) -> None:
    """The library says "certificate verify failed" for every reason, and its hint is only about the authority."""
    try:
        socket.create_server((ELSEWHERE, 0)).close()
    except OSError:
        pytest.skip("this machine has one loopback address")
    with listening(with_tls(folder), ELSEWHERE) as at:
        error = refusal(bootstrap_servers=at, security_protocol="ssl", ssl_ca_location=str(folder / "ca.pem"))
    assert f"{at}: this client refuses the certificate of the broker: IP address mismatch" in str(error)
    assert "Use a name in -b that stands in the certificate" in error.hint


def test_unknown_authority_is_told(folder: Path) -> None:
    """No authority is named, and the system's own did not sign the certificate."""
    with listening(with_tls(folder)) as at:
        error = refusal(bootstrap_servers=at, security_protocol="ssl")
    assert "ssl.ca.location is not set" in str(error)
    assert "Set -X ssl.ca.location" in error.hint


def test_tls_on_the_port_is_told_to_a_plain_client(folder: Path) -> None:
    """Within seconds, though it waits for brokers that start."""
    with listening(with_tls(folder)) as at:
        error = refusal(bootstrap_servers=at)
    assert str(error) == f"{at} speaks TLS, and security.protocol is PLAINTEXT."


def test_connection_that_is_cut_off_is_told_as_that(folder: Path) -> None:
    """A listener of which nothing is known is waited for; the cause is what the library logged first."""
    for tls in ({}, {"security_protocol": "ssl", "ssl_ca_location": str(folder / "ca.pem")}):
        with listening(lambda connection: connection.close()) as at:
            error = refusal(2, bootstrap_servers=at, **tls)
        assert str(error).startswith(f"no broker reached at {at} within 2")
        assert "isconnected" in str(error)
        assert "are down" not in str(error)


def error(name: str, text: str) -> KafkaError:
    return KafkaError(getattr(KafkaError, name), text)


def test_that_all_brokers_are_down_is_no_cause() -> None:
    """It comes last, and only counts the brokers."""
    watch = Watch()
    watch.error(error("_RESOLVE", "Failed to resolve 'nowhere:9092'"))
    watch.error(error("_ALL_BROKERS_DOWN", "1/1 brokers are down"))
    assert watch.last is not None
    assert watch.last.name() == "_RESOLVE"


def test_first_reason_of_a_refused_login_is_kept() -> None:
    """What follows is about connections that the first reason closed."""
    watch = Watch()
    watch.error(error("_SSL", "certificate verify failed"))
    watch.error(error("_AUTHENTICATION", "something else"))
    assert watch.fault is not None
    assert watch.fault.name() == "_SSL"
