"""The progress line: what it shows, how often, and when there is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kdg.core.guarantees import Role
from kdg.core.progress import Counts
from kdg.runs.plan import plan_of
from kdg.runs.progress import HowFar, ProgressLine, of_file, of_source, progress_line
from kdg.settings.options.common import Common


class FakeClock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float, /) -> None:
        self.now += seconds


class Lag:
    lag = 0


def test_progress_shows_rate_lag_and_commits(capsys: pytest.CaptureFixture[str]) -> None:
    """The line shows per cent, rate, lag and commits, not too often, and is erased at the end."""
    clock = FakeClock()
    progress = ProgressLine(lambda: HowFar(250, 1000, 750), terminal=True, clock=clock)
    progress(Counts(read=1))
    clock.now = 2.0
    progress(Counts(read=4000, pending_read=1000, committed=3))
    progress(Counts(read=9999))
    progress.close()
    assert capsys.readouterr() == ("", "25% · 5,000 records · 2,500/s · lag 750 · 3 commits\x1b[K\r\x1b[K")


def test_in_a_log_it_is_whole_lines_one_a_second(capsys: pytest.CaptureFixture[str]) -> None:
    clock = FakeClock()
    progress = ProgressLine(lambda: None, terminal=False, clock=clock)
    for clock.now in (0.5, 1.5, 2.0, 2.6):
        progress(Counts(read=10, commits=1))
    progress.close()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == ["kdg: 10 records · 7/s · 1 commits", "kdg: 10 records · 4/s · 1 commits"]


def test_a_file_has_an_end_and_a_pipe_has_none(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * 100)
    with (tmp_path / "f").open("rb", buffering=0) as file:
        file.read(40)
        assert of_file(file.fileno())() == HowFar(40, 100)
    reader, writer = os.pipe()
    assert of_file(reader)() is None
    os.close(reader)
    os.close(writer)


def test_offsets_count_from_the_most_that_was_left() -> None:
    source = Lag()
    how_far = of_source(source)
    assert how_far() is None
    for source.lag, expected in (
        (10, HowFar(0, 10, 10)),
        (30, HowFar(0, 30, 30)),
        (5, HowFar(25, 30, 5)),
        (0, HowFar(30, 30, 0)),
    ):
        assert how_far() == expected


@pytest.mark.parametrize(
    ("asked", "terminal", "stdout", "quiet", "there"),
    [
        (None, True, False, False, True),
        (None, False, False, False, False),
        (None, True, True, False, False),
        (None, True, False, True, False),
        (True, False, False, False, True),
        (False, True, False, False, False),
    ],
)
def test_it_is_there_on_a_terminal_that_records_do_not_go_to(
    monkeypatch: pytest.MonkeyPatch, asked: bool | None, terminal: bool, stdout: bool, quiet: bool, there: bool
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    monkeypatch.setattr("sys.stdout.isatty", lambda: stdout)
    plan = plan_of("consume", [Role.CONSUMER], Common(progress=asked, quiet=quiet))
    assert (progress_line(plan, lambda: None, ends=lambda: True, prints=True) is not None) is there
    if asked is None:
        assert progress_line(plan, lambda: None, ends=lambda: False) is None
