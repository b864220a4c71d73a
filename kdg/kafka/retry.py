"""Owns calling the client library again while its answer is only late, until the run's deadline allows no more.

For a call that takes no timeout see `Deadline.bounded`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException

from kdg.errors import KdgError
from kdg.kafka.errors import describe, error_of, is_passing, translate
from kdg.runtime.deadline import AN_ANSWER, NO_ANSWER, Deadline

T = TypeVar("T")

WAIT_SECONDS = 0.25
"""How often `wait_out` looks at signals and at the deadline."""


def _nothing() -> None:
    """Between two calls there is nothing to do."""


def ask_again(
    call: Callable[[], T],
    doing: str,
    deadline: Deadline,
    *,
    within: float,
    passing: Callable[[KafkaError], bool] = is_passing,
    refused: Callable[[KafkaError, str], KdgError] = translate,
    too_late: Callable[[str], KdgError] | None = None,
    after_each: Callable[[], object] = _nothing,
) -> T:
    """The result of the call, which is repeated while it raises an error that is `passing`, for `within` seconds.

    doing: what kdg is doing, in the user's words. refused: makes the exception for any other error. too_late: makes the
    exception when the time is over, from a text such as "looking up x: no answer within 30 s: ..."; if it is left out,
    `refused` makes it. after_each: what to do after each call that failed.
    """
    began = deadline.now()
    while True:
        try:
            result = call()
        except KafkaException as exc:
            error = error_of(exc)
            if not passing(error):
                raise refused(error, doing) from exc
            after_each()
            deadline.report_wait(doing, began, describe(error), f"{AN_ANSWER}, or {within:.0f} s without one")
            if deadline.over(within, began):
                if too_late is None:
                    raise refused(error, doing) from exc
                waited = deadline.now() - began
                raise too_late(f"{doing}: no answer within {waited:.0f} s: {describe(error)}.") from exc
        else:
            deadline.wait_ended(doing)
            return result


def wait_out(call: Callable[[], T], doing: str, deadline: Deadline, within: float) -> T:
    """The result of a call that does not keep to its own timeout. A signal shortens the wait, as the deadline says.

    Raises TimeoutError when the time is over; the call goes on in its thread, and its result is dropped.
    """
    outcome = deadline.in_background(call)
    began = deadline.now()
    while True:
        try:
            result = outcome.result(WAIT_SECONDS)
        except TimeoutError:
            deadline.report_wait(doing, began, NO_ANSWER, f"{AN_ANSWER}, or {within:.0f} s without one")
            if deadline.over(within, began):
                raise
        else:
            deadline.wait_ended(doing)
            return result


def wait_until(done: Callable[[], bool], deadline: Deadline, within: float, pause: Callable[[], object]) -> bool:
    """Whether `done` was true within so many seconds. pause: what to do between two questions."""
    began = deadline.now()
    while not done():
        if deadline.over(within, began):
            return False
        pause()
    return True
