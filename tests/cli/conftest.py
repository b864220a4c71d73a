"""The command line in this process, for tests without a broker."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kdg.cli.app import run

Kdg = Callable[..., tuple[int, str, str]]


@pytest.fixture
def kdg(capsys: pytest.CaptureFixture[str]) -> Kdg:
    """Run a command line: exit code, stdout, stderr."""

    def call(*argv: str) -> tuple[int, str, str]:
        code = run(argv)
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        assert "a defect of kdg" not in err, err
        return code, out, err

    return call
