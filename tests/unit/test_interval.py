"""When a batch is due."""

from __future__ import annotations

from kdg.core.interval import Interval


def test_interval_is_due_by_any_limit() -> None:
    """A batch is due when it has enough records or bytes, when it is old enough, or when no more records come."""
    full, heavy, old, quiet = (Interval(10, 1.0, max_bytes=100) for _ in range(4))
    full.add(10, 1, now=0.0)
    heavy.add(1, 100, now=0.0)
    quiet.add(1, 1, now=0.0)
    for tenth in range(10):
        old.add(1 if tenth == 0 else 0, 1, now=tenth / 10)
    old.last = 0.99
    assert full.due(0.0)
    assert heavy.due(0.0)
    assert not quiet.due(0.04)
    assert quiet.due(0.05)
    assert not old.due(0.999)
    assert old.due(1.0)


def test_an_empty_interval_is_never_due() -> None:
    interval = Interval(10, 1.0)
    assert interval.wait(100.0) is None
    interval.add(1, 1, now=0.0)
    interval.reset()
    assert not interval.due(100.0)


def test_a_full_interval_still_lets_a_record_be_read() -> None:
    interval = Interval(10, 1.0)
    interval.add(4, 1, now=0.0)
    assert interval.room == 6
    interval.add(6, 1, now=0.0)
    assert interval.room == 1
