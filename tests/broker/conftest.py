"""One real broker for the whole test run. If it does not start, every test that needs it fails; none is skipped."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator

import pytest

from kdg.sandbox import Sandbox
from tests.support.kafka import Kafka


@pytest.fixture(scope="session")
def kafka() -> Iterator[Kafka]:
    """The broker of the run."""
    with Sandbox() as sandbox:
        yield Kafka(sandbox.bootstrap)


@pytest.fixture
def group() -> str:
    """The name of a new consumer group."""
    return f"g-{secrets.token_hex(5)}"


@pytest.fixture
def moments() -> random.Random:
    """Random moments. pytest shows the seed if the test fails."""
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    return random.Random(seed)  # noqa: S311  # moments of a test
