"""Tests beside another tool, by `make peers` alone: `make test` needs Python and make, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kdg.sandbox import Sandbox
from tests.support.kafka import Kafka


@pytest.fixture(scope="session")
def kafka() -> Iterator[Kafka]:
    """The broker of the run."""
    with Sandbox() as sandbox:
        yield Kafka(sandbox.bootstrap)
