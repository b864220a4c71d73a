"""Short fault runs: the engine finds nothing wrong with kdg, and it finds a guarantee that is broken on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, EXACTLY_ONCE
from kdg.sandbox import Sandbox
from kdg.verify import engine
from kdg.verify.faults import BRISK, THOROUGH, FaultKind
from kdg.verify.result import Result
from kdg.verify.setup import Setup, broker_settings
from tests.mutants import command
from tests.support.machine import is_running


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(properties=broker_settings(THOROUGH)) as sandbox:
        yield sandbox


def run(sandbox: Sandbox, setup: Setup) -> Result:
    return engine.run(setup, sandbox.bootstrap, sandbox.brokers)


def test_exactly_once_under_kills_breaks_nothing(sandbox: Sandbox) -> None:
    setup = Setup(EXACTLY_ONCE, seed=1, seconds=14, kinds=[FaultKind.KILL], pace=replace(THOROUGH, gap=(2, 4)))
    result = run(sandbox, setup)
    assert result.breaches(EXACTLY_ONCE) == []
    assert result.tally.records > 5_000
    assert result.while_flowing >= 3


def test_a_commit_before_the_write_is_found_to_lose(sandbox: Sandbox) -> None:
    lingering = ("-X", "linger.ms=300")
    setup = Setup(
        AT_LEAST_ONCE,
        seed=2,
        seconds=8,
        kinds=[FaultKind.KILL],
        pace=BRISK,
        program=command("alo-commits-first"),
        extra=lingering,
    )
    result = run(sandbox, setup)
    assert result.tally.lost > 0
    assert any(breach.startswith("lost") for breach in result.breaches(AT_LEAST_ONCE))
    assert result.wrong["lost"]


def test_a_commit_after_the_write_is_found_to_duplicate(sandbox: Sandbox) -> None:
    setup = Setup(
        AT_MOST_ONCE,
        seed=3,
        seconds=8,
        kinds=[FaultKind.KILL],
        pace=BRISK,
        program=command("amo-writes-first"),
    )
    result = run(sandbox, setup)
    assert result.tally.duplicated > 0
    assert any(breach.startswith("doubled") for breach in result.breaches(AT_MOST_ONCE))


def test_nothing_is_left_behind(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    started: list[int] = []

    def stop(line: str) -> None:
        started.extend(int(file.read_text()) for file in tmp_path.rglob("pid"))
        raise KeyboardInterrupt(line)

    setup = Setup(EXACTLY_ONCE, seconds=8, kinds=[FaultKind.PAUSE_LONG], pace=replace(THOROUGH, gap=(0.1, 0.2)))
    with pytest.raises(KeyboardInterrupt):
        engine.run(setup, sandbox.bootstrap, sandbox.brokers, stop)
    assert len(started) == setup.workers
    assert not any(is_running(pid) for pid in started)
    assert list(tmp_path.iterdir()) == []
