"""One real broker for these tests, and the programs that they run."""

from __future__ import annotations

import os

import pytest

from tests.broker.conftest import group, kafka

__all__ = ["group", "kafka"]

# Read now: a fixture takes KDG_* out of the environment.
CLIENTS = os.environ.get("KDG_DIALECTS", "python java").split()
"""The clients whose programs are run."""
SECONDS = int(os.environ.get("KDG_DIALECTS_SECONDS", "8"))
"""For how long each program is disturbed."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`client`: each of the clients."""
    if "client" in metafunc.fixturenames:
        metafunc.parametrize("client", CLIENTS, scope="module")
