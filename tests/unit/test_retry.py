"""Calling the client library again: what ends it, and which exception comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from confluent_kafka import KafkaError, KafkaException

from kdg.errors import KdgError, OutcomeUnknown, Unreachable
from kdg.kafka.retry import ask_again, wait_out, wait_until
from kdg.runtime.deadline import GRACE, Deadline, NoSignals

LATE = KafkaError.COORDINATOR_LOAD_IN_PROGRESS
REFUSED = KafkaError.GROUP_AUTHORIZATION_FAILED


@dataclass
class Ticking:
    """A clock that moves by a second whenever it is slept on."""

    now: float = 100.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float, /) -> None:
        self.now += seconds


@dataclass
class Answers:
    """A call that raises these codes, one after the other, and then returns "done". Each call takes a second."""

    clock: Ticking
    codes: list[int]
    asked: int = field(default=0)

    def __call__(self) -> str:
        self.asked += 1
        self.clock.sleep(1.0)
        if self.codes:
            raise KafkaException(KafkaError(self.codes.pop(0)))
        return "done"


def deadline(clock: Ticking, timeout: float | None = None) -> Deadline:
    return Deadline(NoSignals(), timeout, clock=clock)


def test_call_is_repeated_while_its_error_is_passing() -> None:
    """The result is that of the first call that answers; `after_each` follows each call that failed."""
    clock, pauses = Ticking(), list[int]()
    call = Answers(clock, [LATE, LATE])
    result = ask_again(call, "asking", deadline(clock), within=9.0, after_each=lambda: pauses.append(1))
    assert (result, call.asked, len(pauses)) == ("done", 3, 2)


def test_other_error_ends_it_at_once() -> None:
    """An error that does not pass is translated; no second call is made."""
    clock = Ticking()
    call = Answers(clock, [REFUSED])
    with pytest.raises(Unreachable, match="asking: not authorised: READ on the group is missing"):
        ask_again(call, "asking", deadline(clock), within=9.0)
    assert call.asked == 1


def test_exception_that_is_not_the_librarys_comes_through() -> None:
    """A defect is not taken for an answer of the broker."""

    def defect() -> None:
        raise KafkaException("not a KafkaError")

    with pytest.raises(KafkaException):
        ask_again(defect, "asking", deadline(Ticking()), within=9.0)


@pytest.mark.parametrize(("within", "timeout"), [(3.0, None), (60.0, 3.0)])
def test_time_that_is_over_ends_it(within: float, timeout: float | None) -> None:
    """Its own limit ends it, and so does --timeout; the last error is translated."""
    clock = Ticking()
    call = Answers(clock, [LATE] * 9)
    with pytest.raises(KdgError, match="asking: "):
        ask_again(call, "asking", deadline(clock, timeout), within=within)
    assert call.asked == 3


def test_signal_ends_it_after_the_grace() -> None:
    """After a signal it goes on for GRACE seconds and no longer."""
    clock, signals = Ticking(), NoSignals()
    signals.received = 15
    call = Answers(clock, [LATE] * 99)
    with pytest.raises(KdgError):
        ask_again(call, "asking", Deadline(signals, clock=clock), within=60.0)
    assert call.asked in (int(GRACE), int(GRACE) + 1)


def test_too_late_makes_the_exception_of_its_own() -> None:
    """`too_late` gets a text that names how long it took and the last error."""
    clock = Ticking()
    with pytest.raises(OutcomeUnknown, match=r"asking: no answer within 3 s: .*\(COORDINATOR_LOAD_IN_PROGRESS\)"):
        ask_again(Answers(clock, [LATE] * 9), "asking", deadline(clock), within=3.0, too_late=OutcomeUnknown)


def test_wait_out_returns_the_result_or_gives_up() -> None:
    """A call that returns gives its result; one that does not is left in its thread."""
    assert wait_out(lambda: 5, "asking", Deadline(NoSignals()), 9.0) == 5
    import threading

    stuck = threading.Event()
    with pytest.raises(TimeoutError):
        wait_out(stuck.wait, "asking", Deadline(NoSignals()), 0.0)
    stuck.set()


@pytest.mark.parametrize(("comes_true_after", "expected"), [(0, True), (2, True), (9, False)])
def test_wait_until(comes_true_after: int, expected: bool) -> None:
    """It asks until the answer is yes or the time is over."""
    clock = Ticking()

    def asked() -> Callable[[], bool]:
        answers = iter([False] * comes_true_after + [True])
        return lambda: next(answers)

    assert wait_until(asked(), deadline(clock), 3.0, lambda: clock.sleep(1.0)) is expected
