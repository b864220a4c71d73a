"""One real broker for these tests, behind a proxy: the address that the broker advertises is the proxy's."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import pytest

from kdg.sandbox import Sandbox
from tests.support.hazards import Hazards
from tests.support.proxy import Proxy

EXTENDED = "KDG_HAZARD_REPEATS"
REPEATS = int(os.environ.get(EXTENDED, "3"))  # read now: a fixture takes KDG_* out of the environment

QUICK_NEW_GROUPS = {
    "group.consumer.min.session.timeout.ms": "1000",
    "group.consumer.session.timeout.ms": "1000",
    "group.consumer.min.heartbeat.interval.ms": "100",
    "group.consumer.heartbeat.interval.ms": "300",
}
"""As QUICK_GROUP for classic groups; with KIP-848 the broker has these settings."""

RIGHTS = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
}
"""A test can take rights away; every user has all others."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`repetition`: how often a scripted interleaving is run; KDG_HAZARD_REPEATS=50 for the long form."""
    if "repetition" in metafunc.fixturenames:
        metafunc.parametrize("repetition", range(REPEATS))


@pytest.fixture(scope="session")
def _cluster() -> Iterator[Hazards]:
    with Proxy() as proxy:
        properties = {"advertised.listeners": f"CLIENTS://{proxy.address}", **QUICK_NEW_GROUPS, **RIGHTS}
        with Sandbox(properties=properties) as sandbox:
            proxy.upstream = ("127.0.0.1", sandbox.brokers[0].port)
            yield Hazards(proxy, sandbox.brokers[0])


@pytest.fixture
def kafka(_cluster: Hazards) -> Iterator[Hazards]:
    """The broker. After the test it runs, it is not frozen, and no request is held."""
    yield _cluster
    _cluster.proxy.forget()
    _cluster.broker.resume()
    _cluster.restart()


@pytest.fixture
def group() -> str:
    """A new name, for a consumer group or for --resume."""
    return f"g-{secrets.token_hex(5)}"
