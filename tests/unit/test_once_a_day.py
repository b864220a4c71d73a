"""A note that was shown today is not shown again; a state that cannot be kept changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from kdg.runs.once_a_day import DAY, FILE, first_today


def test_a_note_is_shown_once_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    times = iter([100.0, 101.0, 101.0, 100.0 + DAY - 1, 100.0 + DAY])
    asked = [("a", True), ("a", False), ("b", True), ("a", False), ("a", True)]
    assert [first_today(text, lambda: next(times)) for text, _shown in asked] == [shown for _text, shown in asked]
    assert [path.name for path in (tmp_path / "kdg").iterdir()] == [FILE]


@pytest.mark.parametrize("text", ["", "[1]", '{"a": "b"}', "no json", "null"])
def test_a_damaged_state_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "kdg").mkdir()
    (tmp_path / "kdg" / FILE).write_text(text)
    assert first_today("a")


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert [first_today("a"), first_today("a")] == [True, True]
