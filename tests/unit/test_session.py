"""The frame around a run: what an error, a signal and a failing close come to in its outcome."""

from __future__ import annotations

from typing import Any

import pytest

from kdg.core.guarantees import Role
from kdg.errors import Interrupted, KdgError, UsageError
from kdg.runs.clients import Surroundings
from kdg.runs.plan import plan_of
from kdg.runs.session import Frame, Session, close, opened
from kdg.runtime.deadline import GRACE
from kdg.settings.options.common import Common


class FakeSignals:
    def __init__(self, received: int | None = None) -> None:
        self.received = received

    def wait_for(self, descriptor: int, timeout: float, *, writing: bool = False) -> bool:
        return True


def frame(signum: int | None = None) -> Frame:
    plan = plan_of("consume", [Role.CONSUMER], Common(brokers="h:1", quiet=True))
    return Frame.of(plan, FakeSignals(signum), Surroundings())


def fails(_frame: Frame) -> Session:
    raise UsageError("no.", "Do.")


def failing_close() -> None:
    raise KdgError("the close failed.")


def test_an_error_while_opening_is_reported() -> None:
    run = frame()
    assert opened(run, fails) is None
    close(run)
    assert isinstance(run.outcome.error, UsageError)
    assert run.outcome.exit_code == UsageError.exit_code


@pytest.mark.parametrize(("roles", "grace"), [((Role.CONSUMER, Role.PRODUCER), GRACE), ((Role.PRODUCER,), 0.0)])
def test_what_was_read_before_the_timeout_may_still_be_settled(roles: tuple[Role, ...], grace: float) -> None:
    """A run that reads stops reading at --timeout and then settles; produce gives up what is not acknowledged."""
    plan = plan_of("pipe", roles, Common(brokers="h:1", timeout="5s"))
    run = Frame.of(plan, FakeSignals(), Surroundings())
    assert run.deadline.left() <= 5
    assert opened(run, lambda _frame: Session(Any, Any)) is not None  # type: ignore[arg-type]
    assert run.deadline.left() == pytest.approx(5 + grace, abs=1)


def test_a_signal_while_opening_is_the_cause() -> None:
    """The error that a signal provoked, such as a broker that was not waited for, is not reported."""
    run = frame(signum=15)
    assert opened(run, fails) is None
    close(run)
    assert run.outcome.error is None
    assert run.outcome.exit_code == 143


@pytest.mark.parametrize(("error", "code"), [(KdgError("x"), 1), (Interrupted(15), 143), (None, 143)])
def test_an_error_outweighs_a_signal(error: KdgError | None, code: int) -> None:
    """Only an error that says nothing but that a signal came gives way to it."""
    run = frame(signum=15)
    run.outcome.error = error
    close(run)
    assert run.outcome.exit_code == code


def test_a_failing_close_does_not_hide_an_error() -> None:
    """The first error is the one that is reported; an error while closing is reported if there was none before."""
    for first, reported in ((UsageError("first.", ""), "first."), (None, "the close failed.")):
        run = frame()
        run.closing.callback(failing_close)
        run.outcome.error = first
        close(run)
        assert str(run.outcome.error) == reported


def test_parts_are_closed_in_reverse_order() -> None:
    run, order = frame(), list[int]()
    for number in (1, 2, 3):
        run.closing.callback(order.append, number)
    close(run)
    assert order == [3, 2, 1]
